#!/usr/bin/python3
# timeout: 120
"""strata lab link: two devices of the kernel's, joined by a simulated link in real time."""
import contextlib
import ctypes
import fcntl
import json
import os
import re
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import unittest

import cli
import netspace

NEAR, FAR = "192.0.2.1", "192.0.2.2"
FAR_SPACE = f"far-{os.getpid()}"


class Cable:
    """The program, with its second device moved to the other namespace."""

    def __init__(self, *options):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([cli.STRATA, "lab", "link", "--tap", "near", "--tap", "far", "--json",
                                         *options], stdout=subprocess.PIPE, stderr=self.log, text=True)
        netspace.until(self.ready, "the link is not joined")
        netspace.run(f"ip link set far netns {FAR_SPACE}")
        for space, device, address in (("", "near", NEAR), (f"-n {FAR_SPACE}", "far", FAR)):
            netspace.run(f"ip {space} addr add {address}/24 dev {device} && ip {space} link set {device} up")
        self.introduce("near", FAR, "", f"-n {FAR_SPACE}", "far")
        self.introduce("far", NEAR, f"-n {FAR_SPACE}", "", "near")

    def introduce(self, device, peer, space, peer_space, peer_device):
        """So that no look-up can be lost."""
        mac = json.loads(netspace.run(f"ip {peer_space} -j link show {peer_device}"))[0]["address"]
        netspace.run(f"ip {space} neigh replace {peer} lladdr {mac} dev {device} nud permanent")

    def ready(self):
        self.log.seek(0)
        return "joined" in self.log.read() or self.process.poll() is not None

    def end(self):
        self.process.send_signal(signal.SIGINT)
        out, _ = self.process.communicate(timeout=20)
        assert self.process.returncode == 0, self.process.returncode
        return json.loads(out)


def ping(count, *options):
    out = subprocess.run(["ping", "-q", "-c", str(count), "-i", "0.01", "-W", "1", *options, FAR],
                         stdout=subprocess.PIPE, text=True).stdout
    received = int(re.search(r"(\d+) received", out)[1])
    times = re.search(r"= ([\d.]+)/([\d.]+)/([\d.]+)", out)
    return received, [float(t) for t in times.groups()] if times else None


class Link(unittest.TestCase):
    def cable(self, *options):
        cable = Cable(*options)
        self.addCleanup(cable.log.close)
        self.addCleanup(lambda: cable.process.poll() is None and cable.end())
        return cable

    def test_delay(self):
        cable = self.cable("--delay", "10ms,20ms")
        received, (least, mean, _) = ping(20)
        self.assertEqual(received, 20)
        self.assertGreaterEqual(least, 30)
        self.assertLess(least, 40)
        there, back = cable.end()["ways"]
        self.assertEqual((there["delay_ns"], back["delay_ns"]), (10_000_000, 20_000_000))
        self.assertGreaterEqual(there["delivered_frames"], 20)

    def test_the_seed_chooses_what_is_lost(self):
        """As many of 200 are lost as the virtual link loses by this seed, the same in each run."""
        seen = set()
        for _ in range(2):
            cable = self.cable("--loss", "20%,0%", "--seed", "5")
            received, _ = ping(200)
            there, back = cable.end()["ways"]
            self.assertEqual(sum(back["lost"].values()), 0)
            self.assertEqual(there["offered_frames"], there["delivered_frames"] + there["lost"]["LOSS"])
            self.assertEqual(there["offered_frames"], 200)
            self.assertEqual(received, 200 - there["lost"]["LOSS"])
            self.assertTrue(15 < there["lost"]["LOSS"] < 70, there)
            seen.add(there["lost"]["LOSS"])
        self.assertEqual(len(seen), 1)

    def test_duplicates(self):
        cable = self.cable("--duplicate", "100%,0%")
        ping(10)
        there = cable.end()["ways"][0]
        self.assertEqual((there["duplicated"], there["delivered_frames"]), (10, 20))

    def test_mtu(self):
        cable = self.cable("--mtu", "1000")
        self.assertEqual(ping(3, "-s", "1200", "-M", "do")[0], 0)
        self.assertEqual(ping(3, "-s", "900", "-M", "do")[0], 3)
        self.assertEqual(cable.end()["ways"][0]["lost"]["MTU"], 3)

    def transfer(self, seconds, total):
        """A connection between the kernels; bytes that arrived."""
        arrived = 0
        server = in_far_space(lambda: socket.create_server((FAR, 0)))
        with server, socket.create_connection(server.getsockname(), 5) as client:
            peer, _ = server.accept()

            def send():
                with contextlib.suppress(OSError):
                    client.sendall(bytes(total))
                    client.shutdown(socket.SHUT_WR)

            sender = threading.Thread(target=send)
            sender.start()
            with peer:
                peer.settimeout(seconds)
                while piece := peer.recv(1 << 20):
                    arrived += len(piece)
            sender.join()
        return arrived

    def test_transfer(self):
        cable = self.cable("--rate", "50Mbit", "--delay", "5ms", "--loss", "0.5%,0%", "--queue", "100kB")
        total = 5_000_000
        self.assertEqual(self.transfer(20, total), total)
        said = cable.end()
        there, back = said["ways"]
        self.assertGreater(there["lost"]["LOSS"], 0)
        self.assertLessEqual(there["queue_high_bytes"], 102400)
        self.assertGreater(there["queue_high_frames"], 0)
        # One MTU each: segmentation was not left to the link.
        self.assertLessEqual(there["offered_bytes"], there["offered_frames"] * 1514)
        self.assertGreater(there["offered_frames"], total // 1460)
        for way in (there, back):
            self.assertEqual(way["offered_frames"] + way["duplicated"],
                             way["delivered_frames"] + sum(way["lost"].values()) + way["on_the_way"])
        self.assertGreater(said["lateness"]["frames"], 0)

    def test_deleted(self):
        cable = self.cable()
        netspace.run(f"ip -n {FAR_SPACE} link del far")
        cable.process.communicate(timeout=10)
        self.assertEqual(cable.process.returncode, 4)
        cable.log.seek(0)
        self.assertIn("strata lab: far: the device was deleted", cable.log.read())


class Refused(unittest.TestCase):
    def refused(self, code, *options):
        done = cli.run("lab", *options)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        return done.stderr

    def test_usage(self):
        self.assertIn("--tap", self.refused(2, "link", "--tap", "one"))
        self.assertIn("--tap", self.refused(2, "link", "--tap", "one", "--tap", "one"))
        self.assertIn("--rate fast", self.refused(2, "link", "--tap", "a", "--tap", "b", "--rate", "fast"))
        self.assertIn("--loss", self.refused(2, "link", "--tap", "a", "--tap", "b", "--loss", "1%,200%"))
        self.assertIn("--queue", self.refused(2, "link", "--tap", "a", "--tap", "b", "--queue", "0"))
        self.assertIn("lab link", self.refused(2, "home", "--loss", "1%"))
        self.assertIn("no name of a network device", self.refused(2, "link", "--tap", "a/b", "--tap", "b"))

    def test_in_use(self):
        netspace.tap("busy")
        self.addCleanup(netspace.run, "ip link del busy")
        with open("/dev/net/tun", "r+b", 0) as holder:
            fcntl.ioctl(holder, 0x400454ca, struct.pack("16sH22x", b"busy", 0x1002))
            self.assertIn("busy", self.refused(4, "link", "--tap", "busy", "--tap", "other"))


def in_far_space(action):
    """Runs something in the other namespace; what it opens stays there."""
    result = []

    def inside():
        with open(f"/run/netns/{FAR_SPACE}") as space:
            if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), netspace.NEW_NETWORK):
                raise OSError(ctypes.get_errno(), "setns")
        result.append(action())

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    return result[0]


if __name__ == "__main__":
    netspace.enter()
    netspace.run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
    netspace.run(f"ip netns add {FAR_SPACE}")
    netspace.run(f"ip netns exec {FAR_SPACE} sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
    try:
        unittest.main()
    finally:
        netspace.run(f"ip netns del {FAR_SPACE}")
