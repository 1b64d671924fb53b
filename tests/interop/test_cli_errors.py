#!/usr/bin/python3
"""Every way to fail has one clear line (what, why, what to do) and the exit code that the manual names."""
import os
import pathlib
import re
import socket
import struct
import tempfile
import threading
import unittest

import cli
import netspace

FINE, PROBLEM, USAGE, UNSURE, ENVIRONMENT = range(5)
URL = "http://www.example.test/"
TAP = ("--link", "tap:tap0", "--address", "192.0.2.2/24")
PEER = "192.0.2.1"


class ErrorCase(unittest.TestCase):
    def fails(self, code, pattern, *arguments, **options):
        """One line on standard error, which says what `pattern` says; nothing on standard output."""
        done = cli.run(*arguments, **options)
        what = f"strata {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        self.assertEqual(done.returncode, code, what)
        self.assertEqual(done.stdout, "", what)
        self.assertEqual(done.stderr.count("\n"), 1, what)
        self.assertRegex(done.stderr, r"^strata[ :]", what)
        self.assertRegex(done.stderr, pattern, what)
        # What, why, what to do: at least two parts, none of them empty.
        self.assertGreaterEqual(len([part for part in re.split(r"[:;] ", done.stderr) if part.strip()]), 3, what)


class Usage(ErrorCase):
    def test_words(self):
        for pattern, *arguments in (
                ("gte: no such command: did you mean 'strata get'", "gte"),
                ("xyzzy: no such command: 'strata --help'", "xyzzy"),
                ("--expalin: no such option: did you mean --explain", "get", "--expalin", URL),
                ("-Z: no such option", "get", "-Z", URL),
                ("--output: needs a value", "get", URL, "--output"),
                ("--json: takes no value", "get", "--json=1", URL),
                ("argument is missing.*URL", "get"),
                ("one argument too many", "get", URL, URL),
                ("--color blue: must be auto, always or never", "get", "--color", "blue", URL),
                ("--max-time soon: must be a time", "get", "--max-time", "soon", URL),
                ("no header field", "get", "-H", "no colon", URL),
                ("no header field", "get", "-H", "two\nlines: 1", URL),
                ("-I and -d", "get", "-I", "-d", "x", URL),
                ("--count -3: must be a whole number", "ping", "--count=-3", "192.0.2.80"),
                ("-M|mtu-discovery maybe: must be do or dont", "ping", "-M", "maybe", "192.0.2.80"),
                ("no record type", "resolve", "www.example.test", "NOTYPE"),
                ("no domain name", "resolve", "a..b"),
                ("no host name", "ping", "a..b"),
                ("no address of one machine: name a single one", "ping", "224.0.0.1"),
                ("no address of one machine: name a single one", "ping", "0.0.0.0"),
                ("no address of one machine: name a single one", "ping", "ff02::1"),
                ("no address of one machine; name a single one", "get", "http://224.0.0.1/"),
                ("no address of one machine; name a single one", "get", "http://[::]/"),
                ("an IPv4 address: leave out --ipv6", "ping", "-6", "192.0.2.80"),
                ("an IPv6 address: leave out --ipv4", "ping", "-4", "2001:db8:2::80"),
                ("--interval 0: too short", "ping", "-i", "0", "192.0.2.80"),
                ("--timeout 9999: must be", "ping", "-W", "9999", "192.0.2.80"),
                ("--for 0: too short", "serve", *TAP, "--for", "0", "."),
                ("it has a gateway of its own: leave", "ping", "--gateway", "192.168.1.7", "192.0.2.80"),
                ("--pcap: of which network", "lab", "--pcap", "x"),
                ("no lab is called", "lab", "nowhere"),
                ("nobody would visit.*--link tap:", "serve", "."),
                ("nobody would visit", "serve", "--link", "lab:home", "."),
                ("--port 70000: must be", "serve", *TAP, "--port", "70000", "."),
        ):
            self.fails(USAGE, pattern, *arguments)

    def test_urls(self):
        for pattern, url in (
                ("does not begin with http", "htp://x/"),
                ("no host", "http:///"),
                ("port is not a number", "http://www.example.test:99999/"),
                ("user name or '@'", "http://me@www.example.test/"),
                ("blank", "http://www.example.test/a b"),
                ("https is not supported", "https://www.example.test/"),
                ("no IPv4 address", "http://192.0.2.256/"),
        ):
            self.fails(USAGE, pattern, "get", url)

    def test_links(self):
        for pattern, *arguments in (
                ("no lab is called 'hom'; there are: lab:home", "--link", "lab:hom"),
                ("write tap:NAME.*or lab:NAME", "--link", "wifi"),
                ("link option 'delay=fast'", "--delay", "fast"),
                ("link option 'loss=200%'", "--loss", "200%"),
                ("only a simulated network", "--link", "tap:x", "--seed", "3"),
                ("an address is needed", "--link", "tap:x"),
                ("address '192.0.2.2' is none: write it like 192.0.2.2/24",
                 "--link", "tap:x", "--address", "192.0.2.2"),
                ("name server", "--dns", "nobody"),
                ("gateway", "--gateway", "nobody"),
        ):
            self.fails(USAGE, pattern, "get", *arguments, URL)


class Simulated(ErrorCase):
    def test_problems(self):
        for code, pattern, *arguments in (
                (PROBLEM, "nosuch.example.test: the name does not exist.*spelling",
                 "get", "http://nosuch.example.test/"),
                (PROBLEM, "port 81: connection refused; .*nothing listens", "get", "http://www.example.test:81/"),
                (PROBLEM, "host unreachable; check", "get", "http://nobody.example.test/"),
                (PROBLEM, "timed out after 0.05 s, connecting", "get", "--max-time", "50ms", URL),
                (PROBLEM, "timed out after 0.01 s, looking the name up", "get", "--max-time", "10ms", URL),
                (PROBLEM, "status 404", "get", "--fail", URL + "nothing"),
                (PROBLEM, "has no address|only IPv6", "get", "-4", "http://ipv6.example.test/"),
                (UNSURE, "no DNS server.*(answer|reach)", "get", "--dns", "192.0.2.99", URL),
                (UNSURE, "no DNS server.*(answer|reach)", "resolve", "--dns", "192.0.2.99", "x.test"),
                (UNSURE, "no DNS server.*(answer|reach)", "ping", "--dns", "192.0.2.99", "x.test"),
                (PROBLEM, "the name does not exist", "ping", "nosuch.example.test"),
                (PROBLEM, "our own address, and there is no loopback", "ping", "192.168.1.100"),
                (PROBLEM, "our own address, and there is no loopback", "ping", "::1"),
                (PROBLEM, "our own address, and there is no loopback", "get", "http://127.0.0.1/"),
                (PROBLEM, "our own address, and there is no loopback", "get", "http://[2001:db8:1::100]/"),
        ):
            self.fails(code, pattern, *arguments)

    def test_files(self):
        for code, pattern, *arguments in (
                (ENVIRONMENT, "/nowhere/page: cannot write: No such file.*name another", "get", "-o",
                 "/nowhere/page", URL),
                (ENVIRONMENT, "/dev/full: cannot write: No space left.*make room", "get", "-o", "/dev/full", URL),
                (ENVIRONMENT, "cannot write the capture to /nowhere/c.pcapng: No such file", "get", "--pcap", "/nowhere/c.pcapng", URL),
                (ENVIRONMENT, "/nowhere/form: cannot read", "get", "-d", "@/nowhere/form", URL),
                (ENVIRONMENT, "/nowhere/page: cannot read", "get", "--page", "/nowhere/page", URL),
                (ENVIRONMENT, "/nowhere: No such file.*name a folder", "serve", *TAP, "/nowhere"),
                (ENVIRONMENT, "is no folder: name a folder", "serve", *TAP, "/dev/null"),
                (ENVIRONMENT, "/: Is a directory: name a", "explain", "/"),
                (UNSURE, "/dev/null: neither a pcap nor.*name a file that", "explain", "/dev/null"),
                (UNSURE, "neither a pcap nor.*name a file that", "explain", __file__),
                (ENVIRONMENT, "cannot write the capture to /nowhere/c: No such.*: name", "lab", "home", "--pcap",
                 "/nowhere/c"),
        ):
            self.fails(code, pattern, *arguments)

    def test_no_file_is_left_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "page"
            self.fails(PROBLEM, "refused", "get", "-o", str(out), "http://www.example.test:81/")
            self.assertFalse(out.exists())

    def test_full_standard_output(self):
        with open("/dev/full", "w") as full:
            import subprocess
            done = subprocess.run([cli.STRATA, "get", URL], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, ENVIRONMENT)
        self.assertRegex(done.stderr, "^strata get: standard output: cannot write: No space left")


class Peer(threading.Thread):
    """A server on the kernel's side that behaves as it is told, once for each connection."""

    def __init__(self, behave):
        super().__init__(daemon=True)
        self.behave = behave
        self.socket = socket.create_server((PEER, 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            self.behave(peer)

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.join()


def reset(peer):
    peer.recv(1000)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def say(text):
    def behave(peer):
        peer.recv(1000)
        peer.sendall(text)
        peer.close()
    return behave


class Device(ErrorCase):
    """On a TAP device of this test's own namespace."""
    @classmethod
    def setUpClass(cls):
        netspace.enter()
        netspace.tap("tap0", f"{PEER}/24")

    def with_peer(self, behave, code, pattern, *arguments):
        peer = Peer(behave)
        try:
            self.fails(code, pattern, "get", *TAP, *arguments, f"http://{PEER}:{peer.port}/")
        finally:
            peer.stop()

    def test_exchange(self):
        self.with_peer(reset, PROBLEM, "connection reset.*try again")
        self.with_peer(say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"), PROBLEM,
                       "cut short after 0 of 10 bytes.*try again")
        self.with_peer(say(b"220 mail.example ESMTP\r\n"), PROBLEM, "is it an HTTP server")
        silent = []
        self.with_peer(silent.append, PROBLEM, "timed out.*waiting for the response", "-m", "4")
        for peer in silent:
            peer.close()

    def test_addresses(self):
        self.fails(PROBLEM, "port 1: connection refused", "get", *TAP, f"http://{PEER}:1/")
        self.fails(PROBLEM, "no route.*gateway", "get", *TAP, "http://198.51.100.1/")
        self.fails(USAGE, "no DNS server is configured.*--dns", "get", *TAP, URL)
        self.fails(USAGE, "no DNS server is configured.*--dns", "resolve", *TAP, "x.test")
        self.fails(PROBLEM, "no route to the destination: name a router", "ping", *TAP, "198.51.100.1")
        self.fails(PROBLEM, "we have no IPv6 address: give one", "ping", *TAP, "2001:db8::1")
        self.fails(USAGE, "gateway 192.0.2.8: there is another one: one for each", "ping", *TAP, "--gateway",
                   "192.0.2.7", "--gateway", "192.0.2.8", "198.51.100.1")
        self.fails(USAGE, "gateway.*none of our own networks", "get", *TAP, "--gateway", "203.0.113.1", URL)
        self.fails(PROBLEM, "only IPv6|no address of|no route", "get", *TAP, "http://[2001:db8::1]/")

    def test_devices(self):
        for code, pattern, link in (
                (USAGE, "name", "tap:a-name-that-is-far-too-long"),
                ((USAGE, ENVIRONMENT), "lo: .*no TAP device", "tap:lo"),
        ):
            code = code if isinstance(code, int) else None
            done = cli.run("get", "--link", link, "--address", "192.0.2.9/24", URL)
            self.assertIn(done.returncode, (code,) if code is not None else (USAGE, ENVIRONMENT), done.stderr)
            self.assertRegex(done.stderr, pattern)
        import subprocess
        with tempfile.TemporaryDirectory() as folder:
            other = subprocess.Popen([cli.STRATA, "serve", *TAP, folder], stderr=subprocess.PIPE, text=True)
            try:
                self.assertIn("serving", other.stderr.readline())
                self.fails(ENVIRONMENT, "another program is attached", "get", *TAP, URL)
            finally:
                other.terminate()
                other.communicate()

    def test_no_permission(self):
        def nobody():
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        self.fails(ENVIRONMENT, "tap0: no permission.*root", "get", *TAP, URL, preexec_fn=nobody)
        self.fails(ENVIRONMENT, "tap7: no permission.*root", "get", "--link", "tap:tap7", "--address",
                   "192.0.2.2/24", URL, preexec_fn=nobody)

    def test_no_device_file(self):
        """A machine without /dev/net/tun: a mount namespace in which the folder is empty."""
        import subprocess
        script = f'mount -t tmpfs none /dev/net && exec "{cli.STRATA}" get --link tap:tap9 --address 192.0.2.9/24 {URL}'
        done = subprocess.run(["unshare", "--mount", "sh", "-c", script], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, ENVIRONMENT, done.stderr)
        self.assertRegex(done.stderr, r"^strata get: tap9: /dev/net/tun is missing: .*modprobe tun")
        self.assertEqual(done.stderr.count("\n"), 1)


if __name__ == "__main__":
    unittest.main()
