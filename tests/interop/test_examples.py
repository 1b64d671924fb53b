#!/usr/bin/python3
"""The examples do what they say, on a simulated network and on a TAP device; the program in strata.h's
opening comment compiles as it stands there, and works; each public header stands alone."""
import http.server
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

import netspace
from strata_lib import BUILD, ROOT

LINES = [f"line {i} of a page that spans several segments\n" for i in range(1000)]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        page = "".join(LINES).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass


def compiler():
    return next((name for name in ("gcc", "clang", "cc") if shutil.which(name)), None) or netspace.skip("no compiler")


class Examples(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def compile(self, source, *options):
        path = self.folder / "program"
        subprocess.run([compiler(), "-Wall", "-Wextra", "-Wconversion", "-Werror", *options, f"-I{ROOT}/include",
                        str(source), "-o", str(path), f"-L{BUILD}", "-lstrata", f"-Wl,-rpath,{BUILD}"], check=True)
        return path

    def example(self, name, *arguments):
        return subprocess.run([BUILD / "examples" / name, *arguments], capture_output=True, text=True, timeout=60)

    def device(self):
        netspace.tap("tap0", "192.0.2.1/24")
        self.addCleanup(netspace.run, "ip link del tap0")

    def test_http_client_on_a_lab(self):
        one = self.example("http_client", "http://www.example.test/")
        self.assertEqual(one.returncode, 0, one.stderr)
        self.assertIn("</html>", one.stdout)
        self.assertIn("http://www.example.test/: 200 OK", one.stderr)
        missing = self.example("http_client", "http://www.example.test/nothing")
        self.assertIn("404", missing.stderr)
        nobody = self.example("http_client", "http://no.example.test/")
        self.assertEqual((nobody.returncode, nobody.stdout), (1, ""))
        self.assertIn("no.example.test", nobody.stderr)
        self.assertEqual(self.example("http_client").returncode, 2)

    def test_http_client_on_a_device(self):
        self.device()
        with http.server.ThreadingHTTPServer(("192.0.2.1", 8080), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            got = self.example("http_client", "http://192.0.2.1:8080/", "tap:tap0", "192.0.2.2/24")
            server.shutdown()
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertEqual(got.stdout, "".join(LINES))

    def echoes(self, program):
        """A server on 192.0.2.2 port 7 answers one peer after the other."""
        self.device()
        server = subprocess.Popen([program])
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        for _ in range(3):
            peer = netspace.until(self.reach, "the server answers")
            data = "".join(LINES).encode()
            writer = threading.Thread(target=lambda: (peer.sendall(data), peer.shutdown(socket.SHUT_WR)))
            writer.start()
            got = b""
            while piece := peer.recv(65536):
                got += piece
            writer.join()
            peer.close()
            self.assertEqual(got, data)

    def reach(self):
        try:
            return socket.create_connection(("192.0.2.2", 7), timeout=2)
        except OSError:
            return None

    def test_echo(self):
        self.echoes(BUILD / "examples/echo")

    def test_the_program_in_the_header(self):
        comment = (ROOT / "include/strata/strata.h").read_text().split("*/")[0]
        program = "\n".join(re.findall(r"^ \*\t(.*)$", comment, re.M))
        program = program.replace("an echo server, complete", "")
        self.assertIn("strata_accept", program)
        source = self.folder / "echo.c"
        source.write_text(f"#include <strata/strata.h>\n{program}\n")
        self.echoes(self.compile(source, "-std=c11"))

    def test_headers_stand_alone(self):
        for header in sorted((ROOT / "include/strata").glob("*.h")):
            source = self.folder / "alone.c"
            source.write_text(f"#include <strata/{header.name}>\n#include <strata/{header.name}>\n"
                              "int main(void) { return 0; }\n")
            with self.subTest(header=header.name):
                self.compile(source, "-std=c11", "-pedantic")
                if shutil.which("g++"):
                    self.compile(source, "-x", "c++", "-std=c++11")

    def test_echo_without_a_device(self):
        if os.geteuid() == 0:
            failed = self.example("echo", "tap:lo")
            self.assertEqual(failed.returncode, 1)
            self.assertIn("echo: lo: exists, but is no TAP device", failed.stderr)


if __name__ == "__main__":
    netspace.enter()
    unittest.main(verbosity=2)
