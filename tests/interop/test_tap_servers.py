#!/usr/bin/python3
# timeout: 900
"""Servers that everybody uses, reached through a router: nginx, dnsmasq, named, and curl as our client.

100 MB each way, clean and with two percent of the packets lost on the way, byte for byte.
"""
import hashlib
import pathlib
import subprocess
import tempfile
import threading
import time
import unittest

import capture
import netspace
from router import GATEWAY, GATEWAY6, OURS, OURS6, SERVER, SERVER6, Router, program
from strata_lib import Error, Net

BIG = 100_000_000
NAMES = {"www.example.test": ["198.51.100.80", "2001:db8:2::80"], "four.example.test": ["198.51.100.4"],
         "six.example.test": ["2001:db8:2::6"]}
NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log; user root;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; default_type application/octet-stream;
server {{ listen 80; listen [::]:80; root {folder}; location = /moved {{ return 301 /small; }} }} }}
"""
NAMED = """
options {{ directory "{folder}"; pid-file none; listen-on port 53 {{ any; }}; listen-on-v6 port 53 {{ any; }};
recursion no; allow-query {{ any; }}; dnssec-validation no; session-keyfile none; }};
controls {{ }};
zone "example.test" {{ type primary; file "zone"; }};
"""


def big_file(path):
    """Bytes that a lost, doubled or moved block would change, and their hash."""
    block = b"".join(hashlib.sha256(i.to_bytes(4, "big")).digest() for i in range(BIG // 32 // 10))
    whole = hashlib.sha256()
    with open(path, "wb") as out:
        for i in range(10):
            piece = block[i:] + block[:i]
            out.write(piece)
            whole.update(piece)
    return whole.hexdigest()


class Servers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.router = Router()
        cls.addClassCleanup(cls.router.close)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.folder.chmod(0o755)
        cls.big = big_file(cls.folder / "big")
        (cls.folder / "small").write_bytes(b"a small page\n")

    def open(self, dns=None, link="tap:tap0", **options):
        net = Net(link=link, address=f"{OURS}/24", address6=f"{OURS6}/64", gateway=GATEWAY,
                  gateway6=GATEWAY6, dns=dns, **options)
        self.addCleanup(net.close)
        return net

    def captured(self, dns=None):
        """A net with a capture, which tshark judges in the end."""
        pcap = self.folder / f"{self.id()}.pcapng"
        self.addCleanup(capture.check, pcap)
        return self.open(dns, pcap=pcap)

    def serve(self, command, ready):
        """Starts a server, waits until it listens, and ends it with the test."""
        log = open(self.folder / f"{self.id()}.log", "wb")
        server = self.router.start(command, stdout=log, stderr=log)
        self.addCleanup(log.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        netspace.until(lambda: ready in self.router.run(["ss", "-lntu"], stdout=subprocess.PIPE, text=True).stdout,
                       f"{command[0]} listens")

    def nginx(self):
        (self.folder / "nginx.conf").write_text(NGINX.format(folder=self.folder))
        self.serve([program("nginx"), "-c", str(self.folder / "nginx.conf"), "-e", str(self.folder / "error.log")],
                   ":80 ")

    # ---- nginx ----

    def test_nginx_pages(self):
        self.nginx()
        net = self.captured()
        for host in (SERVER, f"[{SERVER6}]"):
            status, fields, content = net.get(f"http://{host}/small")
            self.assertEqual((status, content), (200, b"a small page\n"))
            self.assertIn("nginx", fields["server"])
            self.assertEqual(net.get(f"http://{host}/nothing")[0], 404)
            self.assertEqual(net.get(f"http://{host}/moved")[0], 301)

    def test_nginx_100_megabytes(self):
        self.nginx()
        net = self.open()
        status, _, content = net.get(f"http://{SERVER}/big", content_max=2 * BIG)
        self.assertEqual((status, hashlib.sha256(content).hexdigest()), (200, self.big))

    def test_nginx_100_megabytes_with_offload(self):
        self.nginx()
        net = self.open(link="tap:tap0?offload=1")
        status, _, content = net.get(f"http://[{SERVER6}]/big", content_max=2 * BIG)
        self.assertEqual((status, hashlib.sha256(content).hexdigest()), (200, self.big))

    def test_nginx_100_megabytes_with_loss(self):
        self.nginx()
        net = self.open()
        self.router.lose(2)
        self.addCleanup(self.router.heal)
        status, _, content = net.get(f"http://{SERVER}/big", content_max=2 * BIG, seconds=600)
        self.assertEqual((status, hashlib.sha256(content).hexdigest()), (200, self.big))
        self.assert_loss()

    def assert_loss(self):
        share, packets = self.router.lost()
        print(f"{share:.2f} % of {packets} packets lost")
        self.assertGreater(packets, 50_000)
        self.assertGreater(share, 1.5)
        self.assertLess(share, 2.5)

    # ---- curl ----

    def serve_big(self, net, listener):
        stream = listener.accept()
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += stream.read()
        stream.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % BIG)
        with open(self.folder / "big", "rb") as page:
            while piece := page.read(1 << 20):
                stream.write(piece)
        info = stream.info()  # later it may be in TIME-WAIT already, of which little is kept
        stream.shutdown()
        stream.flush()
        stream.close()
        return info

    def curl(self, net, address):
        """Serves the big page to curl, and compares what it has written."""
        listener, info = net.listen("tcp://:80"), []
        server = threading.Thread(target=lambda: info.append(self.serve_big(net, listener)))
        server.start()
        self.router.run(["curl", "-sS", "--max-time", "600", "-o", str(self.folder / "got"), f"http://{address}/"])
        server.join()
        listener.close()
        with open(self.folder / "got", "rb") as got:
            self.assertEqual(hashlib.file_digest(got, "sha256").hexdigest(), self.big)
        return info[0]

    def test_curl_100_megabytes(self):
        self.curl(self.open(), OURS)

    def test_curl_100_megabytes_ip6(self):
        self.curl(self.open(), f"[{OURS6}]")

    def test_curl_100_megabytes_with_offload(self):
        for address in (OURS, f"[{OURS6}]"):
            with self.subTest(address=address):
                net = self.open(link="tap:tap0?offload=1")
                self.curl(net, address)
                net.close()

    def test_curl_100_megabytes_with_loss(self):
        net = self.open()
        self.router.lose(2)
        self.addCleanup(self.router.heal)
        info = self.curl(net, OURS)
        self.assertGreater(info.retransmits, 500)
        self.assert_loss()

    # ---- names ----

    def names(self):
        net = self.captured(dns=f"{SERVER},{SERVER6}")
        for name, addresses in NAMES.items():
            found = sorted(net.resolve(name))
            for _ in range(20):  # IPv4 alone is told of when the other is 50 ms late (RFC 8305 3)
                if found == addresses:
                    break
                time.sleep(0.1)
                found = sorted(net.resolve(name))
            self.assertEqual(found, addresses)
        self.assertEqual(net.resolve("alias.example.test"), NAMES["four.example.test"])
        with self.assertRaises(Error) as caught:
            net.resolve("nobody.example.test")
        self.assertEqual(caught.exception.name, "NOT_FOUND", caught.exception)

    def test_dnsmasq(self):
        command = [program("dnsmasq"), "-k", "-C", "/dev/null", "--no-resolv", "--no-hosts", "-u", "root",
                   "--pid-file=", "--local=/test/", "--cname=alias.example.test,four.example.test"]
        command += [f"--host-record={name},{','.join(addresses)}" for name, addresses in NAMES.items()]
        self.serve(command, ":53 ")
        self.names()

    def test_named(self):
        zone = ["$TTL 60", "@ SOA ns hostmaster 1 3600 600 86400 60", "@ NS ns", "ns A 198.51.100.2",
                "alias CNAME four"]
        zone += [f"{name}. {'AAAA' if ':' in address else 'A'} {address}"
                 for name, addresses in NAMES.items() for address in addresses]
        (self.folder / "zone").write_text("\n".join(zone) + "\n")
        (self.folder / "named.conf").write_text(NAMED.format(folder=self.folder))
        self.serve([program("named"), "-g", "-c", str(self.folder / "named.conf")], ":53 ")
        self.names()


if __name__ == "__main__":
    netspace.enter()
    unittest.main(verbosity=2)
