#!/usr/bin/python3
# timeout: 300
"""get, serve, ping and resolve on a TAP device, with the kernel's programs at the other end."""
import http.server
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import capture
import cli
import netspace
import walk_check
from strata_lib import Net

OURS, THEIRS = "192.0.2.2", "192.0.2.1"
OURS6, THEIRS6 = "2001:db8::2", "2001:db8::1"
TAP = ("--link", "tap:tap0", "--address", f"{OURS}/24", "--address", f"{OURS6}/64")
NAME = "page.example"
PAGE = b"".join(i.to_bytes(4, "big") for i in range(200_000))


class Site(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        if self.path == "/page":
            self.answer(200, PAGE)
        elif self.path == "/elsewhere":
            self.answer(302, b"over there", Location="/page")
        elif self.path == "/chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(PAGE), 70_000):
                piece = PAGE[at:at + 70_000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.answer(200, json.dumps({"path": self.path, **self.headers}).encode())

    do_HEAD = do_GET

    def do_POST(self):
        self.answer(200, self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True


def name_server(address, stop):
    """Answers every question for an address of NAME with ours."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, 53))
        server.settimeout(0.1)
        while not stop.is_set():
            try:
                query, peer = server.recvfrom(2048)
            except TimeoutError:
                continue
            end = query.index(b"\0", 12) + 1
            kind = struct.unpack("!H", query[end:end + 2])[0]
            good = query[12:end].lower() == b"\4page\7example\0"
            data = {1: socket.inet_aton(THEIRS), 28: socket.inet_pton(socket.AF_INET6, THEIRS6)}.get(kind)
            answer = b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data if good and data else b""
            head = query[:2] + struct.pack("!HHHHH", 0x8580 if good else 0x8583, 1, bool(answer), 0, 0)
            server.sendto(head + query[12:end + 4] + answer, peer)


class TapCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not os.path.exists("/sys/class/net/tap0"):
            netspace.enter()
            netspace.tap("tap0", f"{THEIRS}/24", f"{THEIRS6}/64")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.pcap = self.folder / "tap.pcapng"

    def fine(self, *arguments, **options):
        done = cli.run(*arguments, **options)
        self.assertEqual(done.returncode, 0, f"{arguments}\n{done.stderr[-2000:]}")
        return done


class Get(TapCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = Server(("::", 80), Site)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.stop = threading.Event()
        for address in (THEIRS, THEIRS6):
            threading.Thread(target=name_server, args=(address, cls.stop), daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.stop.set()
        cls.server.shutdown()
        cls.server.server_close()

    def get(self, *arguments):
        return self.fine("get", *TAP, "--dns", THEIRS, *arguments)

    def test_the_walk(self):
        """The same recomputation as on a lab, of real time and a real kernel."""
        for family in ("-4", "-6"):
            for url in (f"http://{NAME}/", f"http://{NAME}/page"):
                done = self.get("--json", "--pcap", self.pcap, family, url)
                capture.check(self.pcap)
                walk = json.loads(done.stdout)
                self.assertEqual(walk["response"]["status"], 200)
                walk_check.Walk(self, walk, walk_check.read_capture(self.pcap), exact=False).check()

    def test_pages(self):
        out = self.folder / "page"
        for url in (f"http://{THEIRS}/page", f"http://[{THEIRS6}]/page", f"http://{NAME}/page",
                    f"http://{NAME}/chunks"):
            self.get("-o", out, url)
            self.assertEqual(out.read_bytes(), PAGE)
        self.get("-L", "-o", out, f"http://{NAME}/elsewhere")
        self.assertEqual(out.read_bytes(), PAGE)
        self.assertEqual(self.get(f"http://{NAME}/elsewhere").stdout, "over there")

    def test_redirect_walk(self):
        walk = json.loads(self.get("--json", "-L", f"http://{NAME}/elsewhere").stdout)
        self.assertEqual(walk["redirects"], 1)
        self.assertEqual({step["hop"] for step in walk["steps"] if not step["background"]}, {0, 1})
        self.assertEqual(len(walk["connections"]), 2)
        ends = [(p["from_ns"], p["to_ns"]) for p in walk["summary"]["phases"]]
        self.assertEqual([end for _, end in ends[:-1]], [start for start, _ in ends[1:]])

    def test_requests(self):
        told = json.loads(self.get("-H", "X-One: 1", "-H", "Accept:", f"http://{NAME}/x?y=z").stdout)
        self.assertEqual((told["path"], told["X-One"], told["Host"]), ("/x?y=z", "1", NAME))
        self.assertNotIn("Accept", told)
        form = self.folder / "form"
        form.write_bytes(PAGE[:100_000])
        self.get("-d", f"@{form}", "-o", self.folder / "back", f"http://{NAME}/")
        self.assertEqual((self.folder / "back").read_bytes(), PAGE[:100_000])
        self.assertIn("Content-Length: 800000", self.get("-I", f"http://{NAME}/page").stdout)

    def test_ping_and_resolve(self):
        for address in (THEIRS, THEIRS6):
            done = self.fine("ping", *TAP, "-c", "3", "-i", "10ms", "--pcap", self.pcap, address)
            self.assertIn("3 packets transmitted, 3 received", done.stdout)
            capture.check(self.pcap)
            told = json.loads(self.fine("ping", *TAP, "--json", "-c", "2", "-i", "10ms", address).stdout)
            self.assertEqual((told["address"], told["statistics"]["received"]), (address, 2))
        for server in (THEIRS, THEIRS6):
            done = self.fine("resolve", *TAP, "--dns", server, "--pcap", self.pcap, "-s", NAME)
            self.assertEqual(sorted(done.stdout.split()), sorted([THEIRS, THEIRS6]))
            capture.check(self.pcap)
            told = json.loads(self.fine("resolve", *TAP, "--dns", server, "--json", NAME, "AAAA").stdout)
            self.assertEqual([(r["type"], r["data"]) for r in told["answers"][0]["records"]], [("AAAA", THEIRS6)])
            self.assertEqual(told["answers"][0]["tries"][0]["server"], server)
            done = cli.run("resolve", *TAP, "--dns", server, "nosuch.example")
            self.assertEqual(done.returncode, 1)
        for family, address in (("-4", THEIRS), ("-6", THEIRS6)):
            done = self.fine("ping", *TAP, "--dns", THEIRS6, family, "-c", "1", NAME)
            self.assertIn(f"bytes from {address}: icmp_seq=0", done.stdout)

    def test_one_family_only(self):
        """A name has an address of each family; the one that we could send from is taken."""
        for ours, server, theirs in ((f"{OURS}/24", THEIRS, THEIRS), (f"{OURS6}/64", THEIRS6, THEIRS6)):
            link = ("--link", "tap:tap0", "--address", ours, "--dns", server)
            self.assertIn(f"bytes from {theirs}: ", self.fine("ping", *link, "-c", "1", NAME).stdout)
            self.assertIn('"path": "/x"', self.fine("get", *link, f"http://{NAME}/x").stdout)
            with Net(link="tap:tap0", dns=server, **{"address6" if ":" in ours else "address": ours}) as net:
                self.assertEqual(str(net.ping(NAME).source), theirs)

    def test_interrupted_ping(self):
        ping = subprocess.Popen([cli.STRATA, "ping", *TAP, "-c", "0", "-i", "20ms", THEIRS],
                                stdout=subprocess.PIPE, text=True)
        for _ in range(5):
            ping.stdout.readline()
        ping.send_signal(signal.SIGINT)
        rest = ping.communicate(timeout=20)[0]
        self.assertEqual(ping.returncode, 0)
        self.assertIn("0% packet loss", rest)

    def test_device_is_made_and_goes(self):
        self.assertEqual(cli.run("ping", "--link", "tap:fresh0", "--address", "198.51.100.1/24", "-c", "1",
                                 "-W", "50ms", "198.51.100.2").returncode, 1)
        self.assertFalse(os.path.exists("/sys/class/net/fresh0"))


class Serve(TapCase):
    def serve(self, *arguments):
        (self.folder / "site").mkdir()
        (self.folder / "site/index.html").write_text("<h1>hello</h1>\n")
        (self.folder / "site/page").write_bytes(PAGE)
        (self.folder / "secret").write_text("not for you\n")
        self.log = open(self.folder / "log", "w+")
        self.addCleanup(self.log.close)
        self.server = subprocess.Popen(
            [cli.STRATA, "serve", *TAP, "--pcap", str(self.pcap), *arguments, str(self.folder / "site")],
            stdout=self.log, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.server.stderr.close)
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.kill)
        self.assertIn(f"at http://{OURS}", self.server.stderr.readline())
        self.server.stderr.readline()

    def end(self, number=signal.SIGTERM):
        self.server.send_signal(number)
        summary = self.server.communicate(timeout=30)[1]
        self.assertEqual(self.server.returncode, 0)
        self.log.seek(0)
        return summary, self.log.read().splitlines()

    def curl(self, *arguments, code=0):
        done = subprocess.run(["curl", "-sS", "--max-time", "30", *arguments], stdout=subprocess.PIPE)
        self.assertEqual(done.returncode, code, arguments)
        return done.stdout

    def is_refused(self):
        try:
            socket.create_connection((OURS, 80), 10).close()
        except ConnectionRefusedError:
            return True
        return False

    def test_pages(self):
        self.serve()
        for host in (OURS, f"[{OURS6}]"):
            self.assertEqual(self.curl(f"http://{host}/"), b"<h1>hello</h1>\n")
            self.assertEqual(self.curl(f"http://{host}/page"), PAGE)
        self.assertEqual(self.curl(f"http://{OURS}/page", f"http://{OURS}/"), PAGE + b"<h1>hello</h1>\n")
        self.assertIn(b"Content-Length: 800000", self.curl("-I", f"http://{OURS}/page"))
        for outside in ("/../secret", "/%2e%2e/secret", "/..%2fsecret", "//secret"):
            got = self.curl("--path-as-is", "-w", "%{http_code}", f"http://{OURS}{outside}")
            self.assertIn(got[-3:], (b"400", b"403", b"404"), outside)
            self.assertNotIn(b"not for you", got)
        summary, log = self.end()
        self.assertIn("served 11 requests (7 fine, 4 refused, 0 failed)", summary)
        self.assertEqual(len(log), 11)
        self.assertRegex(log[0], rf"^\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z {THEIRS} GET / 200 15 [\d.]+ms$")
        capture.check(self.pcap)

    def test_options(self):
        self.serve("--port", "8080", "--json-lines", "--max-connections", "2", "--index", "page")
        self.assertEqual(self.curl(f"http://{OURS}:8080/"), PAGE)
        self.curl(f"http://{OURS}/", code=7)
        held = [socket.create_connection((OURS, 8080)) for _ in range(2)]
        third = socket.create_connection((OURS, 8080))
        third.settimeout(10)
        self.assertIn(b"503", third.recv(1000))
        for connection in held + [third]:
            connection.close()
        _, log = self.end(signal.SIGINT)
        first = json.loads(log[0])
        self.assertEqual((first["schema"], first["target"], first["status"], first["bytes"]),
                         ("strata.access/1", "/", 200, len(PAGE)))

    def test_a_download_ends_before_the_server(self):
        self.serve("-q")
        slow = socket.create_connection((OURS, 80))
        slow.sendall(b"GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = slow.recv(1000)
        self.server.send_signal(signal.SIGTERM)
        while piece := slow.recv(1 << 16):
            got += piece
        slow.close()
        self.assertTrue(got.endswith(PAGE[-1000:]))
        self.server.wait(30)
        self.log.seek(0)
        self.assertEqual(self.log.read(), "")

    def test_for_a_time(self):
        """It ends by itself, with exit code 0, and not before."""
        self.serve("--for", "4s", "-q")
        began = time.monotonic()
        self.assertEqual(self.curl("-6", f"http://[{OURS6}]/"), b"<h1>hello</h1>\n")
        self.assertEqual(self.curl("-4", f"http://{OURS}/"), b"<h1>hello</h1>\n")
        summary = self.server.communicate(timeout=60)[1]
        self.assertEqual(self.server.returncode, 0)
        self.assertGreater(time.monotonic() - began, 2)
        self.assertIn("served 2 requests (2 fine, 0 refused, 0 failed)", summary)
        capture.check(self.pcap)

    def test_the_second_signal_ends_at_once(self):
        self.serve("-q")
        idle = socket.create_connection((OURS, 80))
        idle.sendall(b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n")  # and never reads
        idle.recv(1)
        self.server.send_signal(signal.SIGTERM)
        netspace.until(self.is_refused, "the first signal is heard")
        self.server.send_signal(signal.SIGTERM)
        self.server.communicate(timeout=30)
        self.assertEqual(self.server.returncode, 0)
        idle.close()


if __name__ == "__main__":
    unittest.main()
