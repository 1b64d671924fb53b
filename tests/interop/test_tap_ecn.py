#!/usr/bin/python3
"""ECN with the kernel as the peer, in both directions: what is agreed on, what is marked, and what marks do.

Marks are set by the kernel's packet filter, on what it is about to send or has just received.
"""
import pathlib
import platform
import socket
import struct
import threading
import unittest

import capture
import netspace
import strata_lib
from tapcase import OURS, OURS6, THEIRS, THEIRS6, TapCase

SYSCTLS = pathlib.Path("/proc/sys/net/ipv4")
OFF, ASK, ACCEPT, ACCURATE, ACCURATE_ACCEPT = 1, 2, 3, 4, 6  # enum strata_ecn
DELIVERED_CE = 196  # offset of tcpi_delivered_ce
FIELDS = ("ip.src", "ipv6.src", "ip.dsfield.ecn", "ipv6.tclass.ecn", "tcp.len", "tcp.flags", "tcp.options")
SYN, ACK, ECE, CWR, AE = 0x02, 0x10, 0x40, 0x80, 0x100
ACCECN_KINDS = ("ac", "ae")


def kernel_uses(value):
    (SYSCTLS / "tcp_ecn").write_text(f"{value}\n")


def has_option(packet, kinds):
    """Does a segment have a TCP option of one of these kinds (two hexadecimal digits)?"""
    raw = bytes.fromhex("".join(packet["tcp.options"]).replace(":", ""))
    at = 0
    while at < len(raw) and raw[at]:
        if f"{raw[at]:02x}" in kinds:
            return True
        at += 1 if raw[at] == 1 else max(raw[at + 1], 2)
    return False


class Ecn(TapCase):
    options = {"ecn": ASK}
    kernel = 1

    def setUp(self):
        kernel_uses(self.kernel)
        super().setUp()

    def exchange(self, peer, stream, size=400_000):
        """So much in each direction, one after the other."""
        data = bytes(range(256)) * (size // 256)
        writer = threading.Thread(target=peer.sendall, args=(data,))
        writer.start()
        got = b""
        while len(got) < len(data):
            got += stream.read()
        writer.join()
        self.assertEqual(got, data)
        writer = threading.Thread(target=stream.write, args=(data,))
        writer.start()
        got = b""
        while len(got) < len(data):
            got += peer.recv(1 << 16)
        writer.join()
        self.assertEqual(got, data)

    def marked_by_kernel(self, hook, where):
        """The packet filter marks what is ECN-capable and passes there."""
        netspace.run("nft add table inet marks;"
                     f"nft add chain inet marks c '{{ type filter hook {hook} priority -300; }}';"
                     f"nft add rule inet marks c {where} {self.device} ip ecn != not-ect tcp dport != 0 ip ecn set ce;"
                     f"nft add rule inet marks c {where} {self.device} ip6 ecn != not-ect ip6 ecn set ce")
        self.addCleanup(netspace.run, "nft delete table inet marks")

    def finish(self, peer, stream):
        """Ends both, and reads the capture: packets as dicts with numbers."""
        info = stream.info()
        peer.close()
        stream.close()
        self.net.close()
        rows = []
        for packet in capture.packets(self.pcap, "tcp", *FIELDS):
            source = (packet["ip.src"] + packet["ipv6.src"])[0]
            ecn = (packet["ip.dsfield.ecn"] + packet["ipv6.tclass.ecn"])[0]
            rows.append({"ours": source in (OURS, OURS6), "ecn": int(ecn, 0), "len": int(packet["tcp.len"][0]),
                         "flags": int(packet["tcp.flags"][0], 16), "tcp.options": packet["tcp.options"]})
        return info, rows

    def flags_of(self, rows, mask, value):
        """The ECN flags of the first segment whose other flags are these."""
        return next(row["flags"] & (AE | CWR | ECE) for row in rows if row["flags"] & mask == value)

    def agreed(self, rows, syn, syn_ack):
        self.assertEqual(self.flags_of(rows, SYN | ACK, SYN), syn)
        self.assertEqual(self.flags_of(rows, SYN | ACK, SYN | ACK), syn_ack)

    def marks_are_right(self, rows, on=True):
        """Of ours, data is ECT(0) where ECN is on, and nothing else is."""
        ours = [row for row in rows if row["ours"]]
        self.assertEqual({row["ecn"] for row in ours if not row["len"]}, {0})
        self.assertIn(2 if on else 0, {row["ecn"] for row in ours if row["len"]})
        self.assertLessEqual({row["ecn"] for row in ours if row["len"]}, {0, 2} if on else {0})


class Classic(Ecn):
    """RFC 3168 on both sides."""

    def check(self, peer, stream):
        self.exchange(peer, stream)
        info, rows = self.finish(peer, stream)
        self.assertTrue(info.ecn and not info.ecn_accurate)
        self.agreed(rows, ECE | CWR, ECE)
        self.marks_are_right(rows)
        self.assertIn(2, {row["ecn"] for row in rows if not row["ours"] and row["len"]})

    def test_we_ask(self):
        self.check(*self.connected())

    def test_we_ask_ip6(self):
        self.check(*self.connected(THEIRS6))

    def test_kernel_asks(self):
        self.check(*self.accepted())

    def test_kernel_asks_ip6(self):
        self.check(*self.accepted(OURS6))

    def test_kernel_does_not(self):
        kernel_uses(0)
        peer, stream = self.connected()
        self.exchange(peer, stream)
        info, rows = self.finish(peer, stream)
        self.assertFalse(info.ecn)
        self.agreed(rows, ECE | CWR, 0)
        self.marks_are_right(rows, on=False)

    def test_our_data_is_marked(self):
        """The kernel echoes until we say CWR; we reduce the window, and lose nothing."""
        self.marked_by_kernel("prerouting", "iifname")
        peer, stream = self.accepted()
        self.exchange(peer, stream)
        info, rows = self.finish(peer, stream)
        self.assertGreater(info.ce_delivered, 0)
        self.assertEqual(info.bytes_retransmitted, 0)
        self.assertTrue(any(row["flags"] & ECE and not row["flags"] & SYN for row in rows if not row["ours"]))
        ours = [row for row in rows if row["ours"] and row["flags"] & CWR and not row["flags"] & SYN]
        self.assertTrue(ours)
        self.assertTrue(all(row["len"] and row["ecn"] == 2 for row in ours))

    def test_their_data_is_marked(self):
        """We echo, and the kernel answers with CWR."""
        self.marked_by_kernel("output", "oifname")
        peer, stream = self.connected()
        self.exchange(peer, stream)
        delivered = struct.unpack_from("I", peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), DELIVERED_CE)[0]
        self.assertGreater(delivered, 0)
        info, rows = self.finish(peer, stream)
        self.assertGreater(info.ce_received, 0)
        self.assertTrue(any(row["flags"] & ECE and not row["flags"] & SYN for row in rows if row["ours"]))
        self.assertTrue(any(row["flags"] & CWR and not row["flags"] & SYN for row in rows if not row["ours"]))


class Offload(Classic):
    """The same with super-frames: CWR stands in one segment."""
    link = "?offload=1"


class AccurateAlone(Ecn):
    """We would give accurate feedback, the kernel knows RFC 3168 only (RFC 9768 3.1.2)."""
    options = {"ecn": ACCURATE}

    def check(self, peer, stream, syn):
        self.exchange(peer, stream)
        info, rows = self.finish(peer, stream)
        self.assertTrue(info.ecn and not info.ecn_accurate)
        self.agreed(rows, syn, ECE)
        self.marks_are_right(rows)
        self.assertFalse(any(has_option(row, ACCECN_KINDS) for row in rows))

    def test_we_ask(self):
        self.check(*self.connected(), AE | CWR | ECE)

    def test_we_ask_ip6(self):
        self.check(*self.connected(THEIRS6), AE | CWR | ECE)

    def test_kernel_asks(self):
        self.check(*self.accepted(), ECE | CWR)

    def test_kernel_asks_ip6(self):
        self.check(*self.accepted(OURS6), ECE | CWR)


class Accurate(Ecn):
    """RFC 9768 on both sides. Linux marks its pure ACKs, too (RFC 8311 allows to try)."""
    options = {"ecn": ACCURATE}
    kernel = 3

    def check(self, peer, stream, ours_first):
        self.exchange(peer, stream)
        delivered = struct.unpack_from("I", peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), DELIVERED_CE)[0]
        info, rows = self.finish(peer, stream)
        self.assertTrue(info.ecn_accurate)
        self.agreed(rows, AE | CWR | ECE, CWR)
        self.marks_are_right(rows)
        self.assertEqual((info.ce_received, info.ce_delivered, delivered), (0, 0, 0))
        # The first ACK tells of the SYN-ACK; from then on nothing was counted: 5.
        plain = [row for row in rows if not row["flags"] & SYN]
        self.assertEqual(plain[0]["flags"] & (AE | CWR | ECE), CWR)
        self.assertEqual(plain[0]["ours"], ours_first)
        self.assertEqual({row["flags"] & (AE | CWR | ECE) for row in plain[1:]}, {AE | ECE})
        for side in (True, False):
            self.assertTrue(any(has_option(row, ACCECN_KINDS) for row in plain if row["ours"] == side))

    def test_we_ask(self):
        self.check(*self.connected(), True)

    def test_we_ask_ip6(self):
        self.check(*self.connected(THEIRS6), True)

    def test_kernel_asks(self):
        self.check(*self.accepted(), False)

    def test_kernel_asks_ip6(self):
        self.check(*self.accepted(OURS6), False)

    def test_our_data_is_marked(self):
        self.marked_by_kernel("prerouting", "iifname")
        peer, stream = self.accepted()
        self.exchange(peer, stream)
        info, _ = self.finish(peer, stream)
        segments = 400_000 // info.mss
        self.assertGreaterEqual(info.ce_delivered, segments // 2)
        self.assertEqual(info.bytes_retransmitted, 0)

    def test_their_data_is_marked(self):
        """The kernel counts as many marks as we."""
        self.marked_by_kernel("output", "oifname")
        peer, stream = self.connected()
        self.exchange(peer, stream)
        delivered = struct.unpack_from("I", peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), DELIVERED_CE)[0]
        info, _ = self.finish(peer, stream)
        self.assertGreater(info.ce_received, 0)
        self.assertGreater(delivered, 0)
        self.assertLessEqual(delivered, info.ce_received)


del Ecn  # tests are in its children


def kernel_is_accurate():
    try:
        kernel_uses(Accurate.kernel)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    netspace.enter()
    if not kernel_is_accurate():
        print(f"Linux {platform.release()} has no accurate ECN to be a peer with", flush=True)
        del Accurate
    strata_lib.lib()
    unittest.main(verbosity=2)
