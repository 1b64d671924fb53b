#!/usr/bin/python3
"""ping across a router of the kernel's whose far link has a smaller MTU: the one line that names it is right."""
import json
import pathlib
import tempfile
import unittest

import capture
import cli
import netspace
import router

MTU = 1400
TAP = ("--link", "tap:tap0", "--address", f"{router.OURS}/24", "--address", f"{router.OURS6}/64",
       "--gateway", router.GATEWAY, "--gateway", router.GATEWAY6)
# The server, the router that speaks, and what fits: without 20 or 40 bytes of IP and 8 of ICMP
PATHS = ((router.SERVER, router.GATEWAY, MTU - 28), (router.SERVER6, router.GATEWAY6, MTU - 48))


class PathMtu(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        netspace.enter()
        cls.router = router.Router()
        cls.addClassCleanup(cls.router.close)
        netspace.run(f"ip link set veth0 mtu {MTU}")
        cls.router.run(f"ip link set veth1 mtu {MTU}".split())

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.pcap = pathlib.Path(folder.name) / "ping.pcapng"

    def ping(self, *arguments, code):
        done = cli.run("ping", *TAP, "-c", "2", "-i", "50ms", "--pcap", self.pcap, *arguments)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        capture.check(self.pcap)
        return done.stdout

    def test_too_big_for_the_path(self):
        for server, speaker, fits in PATHS:
            text = self.ping("-M", "do", "-s", fits + 1, server, code=1)
            lines = [line for line in text.splitlines() if line.startswith(f"From {speaker}: icmp_seq=")]
            self.assertGreaterEqual(len(lines), 1, text)
            for line in lines:
                self.assertTrue(line.endswith(f": the path's MTU is {MTU}, '-s {fits}' fits"), line)
            self.assertIn("2 received", self.ping("-M", "do", "-s", fits, server, code=0))

    def test_json(self):
        for server, speaker, fits in PATHS:
            told = json.loads(self.ping("--json", "-M", "do", "-s", "1452", server, code=1))
            errors = [answer for answer in told["answers"] if answer["kind"] == "error"]
            self.assertGreaterEqual(len(errors), 1, told)
            for answer in errors:
                self.assertEqual((answer["from"], answer["mtu"], answer["fitting_size"]), (speaker, MTU, fits))

    def test_too_big_for_our_link(self):
        for server, _, _ in PATHS:
            text = self.ping("-M", "do", "-s", "2000", server, code=1)
            self.assertRegex(text, r"(?m)^icmp_seq=0 could not be sent: .*: the link's MTU is 1500, '-s 14[57]2' fits$")


if __name__ == "__main__":
    unittest.main()
