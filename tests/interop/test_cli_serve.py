#!/usr/bin/python3
"""strata serve on a TAP device: what curl and a raw socket get from it, and wrk with 200 connections."""
import hashlib
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import capture
import netspace
from strata_lib import BUILD

OURS, THEIRS = "192.0.2.2", "192.0.2.1"
PAGE = b"<h1>served</h1>\n"
BIG = b"".join(hashlib.sha256(i.to_bytes(4, "big")).digest() for i in range(100_000))


class Serve(unittest.TestCase):
    count = 0

    def setUp(self):
        Serve.count += 1
        self.device = f"tap{Serve.count}"
        netspace.tap(self.device, f"{THEIRS}/24")
        self.addCleanup(netspace.run, f"ip link del {self.device}")
        top = tempfile.TemporaryDirectory()
        self.addCleanup(top.cleanup)
        self.top = pathlib.Path(top.name)
        self.site = self.top / "site"
        (self.site / "sub").mkdir(parents=True)
        (self.site / "index.html").write_bytes(PAGE)
        (self.site / "big.bin").write_bytes(BIG)
        (self.top / "secret").write_text("not for you")
        (self.site / "way-out").symlink_to(self.top / "secret")
        self.process = None

    def start(self, *more):
        """Serves the site until the test ends; what it writes goes to files."""
        command = [str(BUILD / "strata"), "serve", str(self.site), "--link", f"tap:{self.device}", "--address",
                   f"{OURS}/24", "--port", "80", *more]
        self.log, errors = self.top / "log", open(self.top / "errors", "wb")
        with open(self.log, "wb") as log, errors:
            self.process = subprocess.Popen(command, stdout=log, stderr=errors)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        netspace.until(lambda: self.answers() or self.process.poll() is not None, "the server answers")
        self.assertIsNone(self.process.poll(), (self.top / "errors").read_text())

    def answers(self):
        try:
            socket.create_connection((OURS, 80), 1).close()
            return True
        except OSError:
            return False

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.assertEqual(self.process.wait(30), 0, (self.top / "errors").read_text())

    def curl(self, path, *more):
        """Status and body."""
        run = subprocess.run(["curl", "-sS", "--path-as-is", "-m", "30", "-w", "%{http_code}", *more,
                              f"http://{OURS}{path}"], capture_output=True, check=True)
        return int(run.stdout[-3:]), run.stdout[:-3]

    def raw(self, request):
        """All that comes until the server closes."""
        with socket.create_connection((OURS, 80), 30) as s:
            s.sendall(request)
            got = b""
            while piece := s.recv(65536):
                got += piece
        return got

    def test_pages(self):
        pcap = self.top / "serve.pcapng"
        self.start("--pcap", str(pcap))
        self.assertEqual(self.curl("/"), (200, PAGE))
        self.assertEqual(self.curl("/index.html"), (200, PAGE))
        self.assertEqual(self.curl("/big.bin"), (200, BIG))
        self.assertEqual(self.curl("/missing")[0], 404)
        status, head = self.curl("/big.bin", "-I")
        self.assertEqual(status, 200)
        self.assertIn(f"content-length: {len(BIG)}", head.decode().lower())
        self.assertEqual(self.curl("/", "-d", "x=1")[0], 405)
        self.stop()
        capture.check(pcap)

    def test_nothing_outside(self):
        self.start()
        for path in ("/../secret", "/sub/../../secret", "/%2e%2e/secret", "/..%2fsecret", "/sub/%2e%2e/%2e%2e/secret",
                     "//../secret", "/way-out", "/..\\secret", "/%00/../secret"):
            status, body = self.curl(path)
            self.assertGreaterEqual(status, 400, path)
            self.assertNotIn(b"not for you", body, path)

    def test_keep_alive(self):
        self.start()
        run = subprocess.run(["curl", "-sv", "-o", "/dev/null", "-o", "/dev/null", f"http://{OURS}/",
                              f"http://{OURS}/index.html"], capture_output=True, text=True, check=True)
        self.assertRegex(run.stderr, "Re-using existing connection")

    def test_pipelining(self):
        self.start()
        get = f"GET / HTTP/1.1\r\nHost: {OURS}\r\n\r\n"
        last = f"GET /missing HTTP/1.1\r\nHost: {OURS}\r\nConnection: close\r\n\r\n"
        got = self.raw((3 * get + last).encode())
        self.assertEqual(re.findall(rb"HTTP/1\.1 (\d+) ", got), [b"200", b"200", b"200", b"404"])
        self.assertEqual(got.count(PAGE), 3)

    def test_garbage(self):
        self.start()
        self.assertRegex(self.raw(b"\x00\x01garbage\r\n\r\n"), rb"^HTTP/1\.1 400 ")
        self.assertEqual(self.curl("/"), (200, PAGE))

    def test_log(self):
        self.start("--json-lines")
        self.curl("/")
        self.curl("/missing")
        self.stop(signal.SIGINT)
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        said = [(e["method"], e["target"], e["status"]) for e in lines if e.get("method")]
        self.assertEqual(said, [("GET", "/", 200), ("GET", "/missing", 404)])

    def test_200_connections(self):
        self.start()
        run = subprocess.run(["wrk", "-c200", "-t2", "-d5s", f"http://{OURS}/index.html"], capture_output=True,
                             text=True, check=True, timeout=120)
        print(run.stdout)
        requests = int(re.search(r"(\d+) requests in", run.stdout)[1])
        self.assertGreater(requests, 200)
        self.assertNotIn("Socket errors", run.stdout)
        self.assertNotIn("Non-2xx", run.stdout)
        self.stop()
        lines = self.log.read_text().splitlines()
        self.assertGreaterEqual(len([line for line in lines if " /index.html 200 " in line]), requests)


class NoServer(unittest.TestCase):
    def refused(self, *more):
        run = subprocess.run([str(BUILD / "strata"), "serve", *more], capture_output=True, text=True, timeout=30)
        self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
        return run.returncode

    def test_usage(self):
        self.assertEqual(self.refused("."), 2)
        self.assertEqual(self.refused(".", "--link", "lab:home"), 2)
        self.assertEqual(self.refused(".", "--link", "tap:tap99", "--address", f"{OURS}/24", "--port", "0"), 2)


if __name__ == "__main__":
    for tool in ("curl", "wrk"):
        if not shutil.which(tool):
            netspace.skip(f"there is no {tool}")
    netspace.enter()
    unittest.main()
