#!/usr/bin/python3
"""Streams over a TAP device with the kernel as the peer: orderly ones, and those that misbehave.

A peer that vanishes is made with TCP_REPAIR: a socket closed in that mode is forgotten by the kernel
without a segment (tcp(7)), as after a crash.
"""
import pathlib
import re
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

import netspace
import strata_lib
from strata_lib import Error
from tapcase import OURS, OURS6, THEIRS, THEIRS6, TapCase

TCP_REPAIR = 19
LINGER_RESET = struct.pack("ii", 1, 0)


def tcp_info(peer, offset):
    """A number of the kernel's struct tcp_info."""
    return struct.unpack_from("I", peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), offset)[0]


def unacknowledged(peer):
    """tcpi_unacked: segments that the kernel has sent and heard nothing of."""
    return tcp_info(peer, 24)


def total_retransmits(peer):
    """tcpi_total_retrans: segments that the kernel sent again."""
    return tcp_info(peer, 100)


def loss_probes():
    """How many tail loss probes (RFC 8985 7) the kernel has sent in this namespace. They come some milliseconds
    after the last segment, and so on a busy machine now and then before the acknowledgment that is on its way."""
    names, values = [line.split() for line in pathlib.Path("/proc/self/net/netstat").read_text().splitlines()
                     if line.startswith("TcpExt:")]
    return int(values[names.index("TCPLossProbes")])


def forget(peer):
    """The kernel forgets the connection and tells nobody."""
    peer.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    peer.close()


def receive_all(peer):
    pieces = []
    while piece := peer.recv(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


def pattern(size):
    """Bytes in which a lost, doubled or moved block shows."""
    return b"".join(i.to_bytes(4, "big") for i in range(size // 4))


class Peers(TapCase):
    def setUp(self):
        super().setUp()
        self.probes = loss_probes()

    def nothing_was_repeated(self, peer):
        """But for what the kernel's impatience explains: neither its timer nor duplicates made it repeat anything."""
        self.assertLessEqual(total_retransmits(peer), loss_probes() - self.probes)

    # ---- orderly ----

    def exchange(self, peer, stream):
        data = pattern(300_000)
        writer = threading.Thread(target=lambda: (peer.sendall(data), peer.shutdown(socket.SHUT_WR)))
        writer.start()
        self.assertEqual(stream.read_to_end(), data)
        writer.join()
        sender = threading.Thread(target=lambda: (stream.write(data), stream.shutdown()))
        sender.start()
        self.assertEqual(receive_all(peer), data)
        sender.join()
        self.nothing_was_repeated(peer)
        peer.close()
        stream.close()

    def test_accept_ip4(self):
        self.exchange(*self.accepted(OURS))

    def test_accept_ip6(self):
        self.exchange(*self.accepted(OURS6))

    def test_connect_ip4(self):
        self.exchange(*self.connected())

    def test_connect_ip6(self):
        self.exchange(*self.connected(THEIRS6))

    def test_close_brings_the_rest_across(self):
        """What was written before close and the net's close arrives, and the end after it."""
        peer, stream = self.accepted()
        data = pattern(200_000)
        stream.write(data[:100_000])
        got = []
        reader = threading.Thread(target=lambda: got.append(receive_all(peer)))
        reader.start()
        stream.write(data[100_000:])
        stream.close()
        self.net.close()
        reader.join()
        self.assertEqual(got[0], data)
        peer.close()

    def test_many_peers_at_once(self):
        """Threads of the program, one a stream, all on one net."""
        listener = self.net.listen("tcp://:7")

        def echo(stream):
            while data := stream.read():
                stream.write(data)
            stream.close()

        def accept():
            for _ in range(50):
                threads.append(threading.Thread(target=echo, args=(listener.accept(),)))
                threads[-1].start()

        threads = [threading.Thread(target=accept)]
        threads[0].start()
        peers = [socket.create_connection((OURS, 7), timeout=20) for _ in range(50)]
        for i, peer in enumerate(peers):
            peer.sendall(pattern(4 * (i + 1)) * 10)
            peer.shutdown(socket.SHUT_WR)
        for i, peer in enumerate(peers):
            self.assertEqual(receive_all(peer), pattern(4 * (i + 1)) * 10)
            peer.close()
        for thread in threads:
            thread.join()
        listener.close()

    def test_connections_that_fail(self):
        self.refused("REFUSED", self.net.connect, f"tcp://{THEIRS}:9")
        self.refused("REFUSED", self.net.connect, f"tcp://[{THEIRS6}]:9")
        self.refused("HOST_UNREACHABLE", self.net.connect, "tcp://192.0.2.77:9")
        self.refused("NO_ROUTE", self.net.connect, "tcp://198.51.100.1:9")
        self.refused("ARGUMENT", self.net.connect, "tcp://192.0.2.1")
        self.refused("ARGUMENT", self.net.connect, "http://192.0.2.1:80")
        self.refused("STATE", self.net.connect, "tcp://www.example.test:80")
        netspace.run(f"nft add table t; nft add chain t i '{{ type filter hook input priority 0; }}';"
                     "nft add rule t i tcp dport 10 drop")
        self.refused("TIMEOUT", self.net.connect, f"tcp://{THEIRS}:10", 1)
        netspace.run("nft delete table t")

    def test_idle_costs_nothing(self):
        """A quiet connection: the stack's thread sleeps until a frame comes."""
        peer, stream = self.accepted()
        stream.write(b"x")
        self.assertEqual(peer.recv(1), b"x")
        time.sleep(1)  # until the delayed acknowledgment and the like are over
        before, frames = self.wake_ups(), self.net.counters().frames_in
        time.sleep(3)
        woken = self.wake_ups() - before
        frames = self.net.counters().frames_in - frames
        self.assertLessEqual(woken, 3 + 3 * frames, f"{frames} frames came")
        stream.close()
        peer.close()

    def wake_ups(self):
        """How often the stack's threads have gone to sleep so far."""
        count = 0
        for task in pathlib.Path("/proc/self/task").iterdir():
            status = (task / "status").read_text()
            if status.startswith("Name:\tstrata\n"):
                count += int(re.search(r"^voluntary_ctxt_switches:\t(\d+)", status, re.M)[1])
        self.assertGreater(count, 0)
        return count

    # ---- misbehaving ----

    def test_peer_that_resets(self):
        peer, stream = self.accepted()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
        peer.close()
        self.refused("RESET", stream.read)
        self.refused("RESET", stream.write, b"anybody there?")
        stream.close()

    def test_we_reset(self):
        peer, stream = self.accepted()
        stream.abort()
        self.assertRaises(ConnectionResetError, peer.recv, 1)
        peer.close()
        # RFC 2525 2.17: closed with data that nobody read.
        peer, stream = self.accepted()
        peer.sendall(b"never read")
        netspace.until(lambda: stream.info().unread == 10, "the data is here")
        stream.close()
        self.assertRaises(ConnectionResetError, peer.recv, 1)
        peer.close()

    def test_half_open_peer(self):
        """The peer has lost its half (RFC 9293 3.5.1): our next segment is answered with a reset."""
        peer, stream = self.accepted()
        stream.write(b"before")
        self.assertEqual(peer.recv(6), b"before")
        forget(peer)
        stream.write(b"after")
        self.refused("RESET", stream.read)
        stream.close()

    def test_we_lost_our_half(self):
        """The same the other way: a program that was killed and runs again answers with a reset."""
        self.net.close()
        program = [strata_lib.BUILD / "examples/echo", f"tap:{self.device}", f"{OURS}/24"]
        with subprocess.Popen(program) as first:
            peer = netspace.until(self.try_connect, "the first server answers")
            peer.sendall(b"one")
            self.assertEqual(peer.recv(3), b"one")
            first.kill()
        with subprocess.Popen(program) as second:
            other = netspace.until(self.try_connect, "the second server answers")
            peer.sendall(b"two")
            self.assertRaises(ConnectionResetError, peer.recv, 3)
            other.sendall(b"three")
            self.assertEqual(other.recv(5), b"three")
            other.close()
            peer.close()
            second.send_signal(signal.SIGTERM)

    def try_connect(self):
        try:
            return socket.create_connection((OURS, 7), timeout=1)
        except OSError:
            return None

    def test_peer_that_never_reads(self):
        """Its window closes; our writer waits, others are served, and nothing is lost when it reads again."""
        peer, stream = self.accepted()
        stream.limit(1)
        data = pattern(1 << 20)
        queued = 0
        with self.assertRaises(Error) as caught:
            while True:
                piece = data[queued % len(data):][:65536]
                queued += strata_lib.checked(strata_lib.lib().strata_write(stream.handle, piece, len(piece)))
        self.assertEqual(caught.exception.name, "TIMEOUT", caught.exception)
        netspace.until(lambda: stream.info().send_window < stream.info().mss, "its window is closed")
        self.assertEqual(stream.info().wait.decode(), "receiver's window is full")
        self.exchange(*self.accepted())
        stream.limit(20)
        closer = threading.Thread(target=lambda: (stream.flush(), stream.shutdown()))
        closer.start()
        got = receive_all(peer)
        closer.join()
        self.assertEqual(len(got), queued)
        self.assertEqual(got, (data * (queued // len(data) + 1))[:queued])
        stream.close()
        peer.close()

    def test_application_that_sleeps(self):
        """Our program computes for 5 s in mid-transfer: the stack goes on, and the peer repeats nothing."""
        data = pattern(200_000)
        peer, stream = self.accepted()
        peer.sendall(data)
        self.assertEqual(stream.read(1000), data[:1000])
        stream.write(data)
        got = []
        reader = threading.Thread(target=lambda: got.append(receive_all(peer)))
        reader.start()
        time.sleep(5)
        netspace.until(lambda: unacknowledged(peer) == 0, "all is acknowledged, while the program does not read")
        self.nothing_was_repeated(peer)
        self.assertEqual(stream.info().bytes_received, len(data))
        rest = b""
        while len(rest) < len(data) - 1000:
            rest += stream.read()
        self.assertEqual(rest, data[1000:])
        stream.shutdown()
        reader.join()
        self.assertEqual(got[0], data)
        self.nothing_was_repeated(peer)
        self.assertEqual(stream.info().retransmits, 0)
        stream.close()
        peer.close()

    def test_application_that_sleeps_with_a_full_window(self):
        """More than our buffer holds: the peer waits and probes, and nothing that it sent is repeated."""
        data = pattern(4_000_000)
        peer, stream = self.accepted()
        writer = threading.Thread(target=lambda: (peer.sendall(data), peer.shutdown(socket.SHUT_WR)))
        writer.start()
        self.assertEqual(stream.read(1000), data[:1000])
        time.sleep(5)
        # A stack that slept with its program would leave what came unacknowledged.
        netspace.until(lambda: unacknowledged(peer) == 0, "all is acknowledged, while the program does not read")
        self.assertTrue(writer.is_alive(), "the peer has more than our window takes")
        self.assertGreater(stream.info().unread, 0)
        self.nothing_was_repeated(peer)
        self.assertEqual(data[1000:], stream.read_to_end())
        writer.join()
        self.nothing_was_repeated(peer)
        stream.close()
        peer.close()


class PeersWithOffload(Peers):
    """The same with super-frames and checksums left to the kernel."""
    link = "?offload=1"


if __name__ == "__main__":
    netspace.enter()
    unittest.main(verbosity=2)
