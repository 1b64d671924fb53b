#!/usr/bin/python3
"""strata packetdrill: our own scripts pass, each of them twice the same way, and what the program says about
scripts that fail or make no sense, with its exit codes."""
import json
import os
import pathlib
import tempfile
import unittest

import cli

SCRIPTS = cli.ROOT / "tests/packetdrill"
LISTEN = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n"


class Own(unittest.TestCase):
    def test_all_pass(self):
        for path in sorted(SCRIPTS.glob("*.pkt")):
            with self.subTest(script=path.name):
                ran = cli.run("packetdrill", path)
                self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)

    def test_the_same_again(self):
        once, again = (cli.run("packetdrill", "-v", SCRIPTS) for _ in range(2))
        self.assertEqual((once.stdout, once.stderr), (again.stdout, again.stderr))

    def test_over_ipv6_where_the_script_leaves_it_open(self):
        for name in ("open-passive.pkt", "close-both.pkt", "out-of-order.pkt"):
            ran = cli.run("packetdrill", "--ipv6", SCRIPTS / name)
            self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)


class Said(unittest.TestCase):
    def drill(self, text, *options, want):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "script.pkt"
            path.write_text(text)
            ran = cli.run("packetdrill", *options, path)
            self.assertEqual(ran.returncode, want, ran.stdout + ran.stderr)
            return ran.stdout.replace(folder + os.sep, ""), ran.stderr

    def test_expected_and_seen(self):
        out, _ = self.drill(LISTEN + "+.1 < S 0:0(0) win 9 <mss 500>\n+0 > S. 0:0(0) ack 2 <...>\n", want=1)
        first, expected, seen = out.splitlines()
        self.assertEqual(first, "FAIL  script.pkt:5: ack is 1, not 2")
        self.assertRegex(expected, r"^\texpected  > S\. 0:0\(0\) ack 2 <\.\.\.>  at 0\.100000$")
        self.assertRegex(seen, r"^\tseen      > S\. 0:0\(0\) ack 1 win \d+ <mss 1460>  at 0\.100000 \(\+0\.000 ms\)$")

    def test_nothing_left(self):
        out, _ = self.drill(LISTEN + "+.1 > . 1:1(0) ack 1\n", want=1)
        self.assertIn("script.pkt:4: the segment did not leave", out)
        self.assertIn("seen      nothing", out)

    def test_time(self):
        script = LISTEN + "+.1 < S 0:0(0) win 9 <mss 500>\n+.5 > S. 0:0(0) ack 1 <...>\n"
        out, _ = self.drill(script, want=1)
        self.assertIn("script.pkt:5: the segment left too early", out)
        self.assertIn("(-500.000 ms)", out)
        self.drill(script, "--tolerance", "500ms", want=0)

    def test_results(self):
        out, _ = self.drill(LISTEN + "+0 close(3) = -1 EPIPE\n", want=1)
        self.assertIn("script.pkt:4: close: returned 0, not -1 EPIPE", out)
        out, _ = self.drill(LISTEN + "+0 read(9, ..., 5) = 0\n", want=1)
        self.assertIn("script.pkt:4: read: returned -1 EBADF, not 0", out)
        out, _ = self.drill(LISTEN + "+0...0.5 accept(3, ..., ...) = 4\n", want=1)
        self.assertIn("script.pkt:4: accept never returned", out)

    def test_code(self):
        out, _ = self.drill(LISTEN + "+0 %{ a = 5\nassert a == 6, 'a=%d' % a }%\n", want=1)
        self.assertIn("script.pkt:5: assert a == 6: a = 5: a=5", out)

    def test_bad_scripts(self):
        out, _ = self.drill("0 socket(\n", want=3)
        self.assertRegex(out, r"^BAD   script\.pkt:2: ")
        self.assertEqual(len(out.splitlines()), 1)
        out, _ = self.drill(LISTEN + "+0 open(\"x\", 0) = 4\n", want=3)
        self.assertIn("BAD   script.pkt:4: open: there is no such call", out)
        self.assertIn("--weather: no such option", self.drill("--weather=fine\n" + LISTEN, want=3)[0])
        self.drill("", want=3)

    def test_defines_and_settings(self):
        script = LISTEN + "+.1 < S 0:0(0) win 9 <mss 500,sackOK>\n+0 > S. 0:0(0) ack ONE <...>\n"
        self.drill(script, want=3)
        script = LISTEN + "+0 close(FD) = 0\n"
        self.drill(script, want=3)
        self.drill(script, "-D", "FD=3", want=0)
        script = LISTEN + "+.1 < S 0:0(0) win 9 <mss 500,sackOK>\n+0 > S. 0:0(0) ack 1 <mss 1460>\n"
        self.drill(script, want=1)
        self.drill(script, "--set", "net.ipv4.tcp_sack=0", want=0)

    def test_json(self):
        out, _ = self.drill(LISTEN + "+0 close(3) = 0\n", "--json", want=0)
        said = json.loads(out)
        self.assertEqual((said["schema"], said["passed"], said["failed"]), ("strata.packetdrill/1", 1, 0))
        (script,) = said["scripts"]
        self.assertEqual((script["outcome"], script["events"], script["events_run"]), ("passed", 4, 4))
        out, _ = self.drill(LISTEN + "+7 close(3) = 5\n", "--json", want=1)
        (script,) = json.loads(out)["scripts"]
        self.assertEqual((script["outcome"], script["line"], script["virtual_ns"]), ("failed", 4, 7_000_000_000))

    def test_words_that_make_no_sense(self):
        self.assertEqual(cli.run("packetdrill").returncode, 2)
        self.assertEqual(cli.run("packetdrill", "--set", "nothing", SCRIPTS).returncode, 2)
        self.assertEqual(cli.run("packetdrill", "/nowhere").returncode, 4)
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(cli.run("packetdrill", folder).returncode, 3)


if __name__ == "__main__":
    unittest.main()
