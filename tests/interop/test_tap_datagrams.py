#!/usr/bin/python3
"""Datagrams and echo over a TAP device with the kernel as the peer, in both families."""
import socket
import subprocess
import unittest

import netspace
from tapcase import OURS, OURS6, THEIRS, THEIRS6, TapCase


class Datagrams(TapCase):
    def both_ways(self, family, theirs, where, ours):
        udp = self.net.udp("udp://:40000")
        with socket.socket(family, socket.SOCK_DGRAM) as peer:
            peer.bind((theirs, 40001))
            peer.settimeout(20)
            for size in (0, 1, 2, 1400):
                data = bytes(i & 0xff for i in range(size))
                udp.send(data, where)
                self.assertEqual(peer.recvfrom(2000)[0], data)
                peer.sendto(data[::-1], (ours, 40000))
                self.assertEqual(udp.receive(), (data[::-1], where))
        udp.send(b"x", where)
        self.refused("PORT_UNREACHABLE", udp.receive)
        udp.close()

    def test_ip4(self):
        self.both_ways(socket.AF_INET, THEIRS, f"{THEIRS}:40001", OURS)

    def test_ip6(self):
        self.both_ways(socket.AF_INET6, THEIRS6, f"[{THEIRS6}]:40001", OURS6)

    def test_port_that_nobody_has(self):
        """The kernel's socket hears from our ICMP."""
        for family, ours in ((socket.AF_INET, OURS), (socket.AF_INET6, OURS6)):
            with socket.socket(family, socket.SOCK_DGRAM) as peer:
                peer.settimeout(20)
                peer.connect((ours, 40009))
                peer.send(b"anybody?")
                self.assertRaises(ConnectionRefusedError, peer.recv, 1)

    def test_kernel_pings_us(self):
        for address in (OURS, OURS6):
            for size in (0, 1, 56, 1400):
                out = netspace.run(f"ping -c 3 -i 0.05 -W 5 -s {size} -p a55a {address}")
                self.assertIn(" 0% packet loss", out)
                self.assertNotIn("wrong data", out)

    def test_we_ping_the_kernel(self):
        for address in (THEIRS, THEIRS6):
            for size in (8, 56, 1400):
                reply = self.net.ping(address, size=size)
                self.assertEqual((reply.size, str(reply.source)), (size, address))
                self.assertEqual(reply.hop_limit, 64)
                self.assertGreater(reply.round_trip, 0)

    def test_nobody_answers(self):
        self.refused("TIMEOUT", self.net.ping, "192.0.2.99", timeout=10**9)
        subprocess.run(["sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=1"], check=True)
        self.addCleanup(subprocess.run, ["sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=0"], check=True)
        self.refused("TIMEOUT", self.net.ping, THEIRS, timeout=10**8)


if __name__ == "__main__":
    netspace.enter()
    unittest.main(verbosity=2)
