#!/usr/bin/python3
"""A program that runs the stack itself (drive_self), in an event loop of its own that waits for strata_fd."""
import ctypes
import select
import socket
import threading
import time
import unittest

import netspace
import strata_lib
from strata_lib import Error, checked, lib
from tapcase import OURS, THEIRS, TapCase


class Drive(TapCase):
    options = {"drive_self": True}

    def drive(self, timeout=0):
        return checked(lib().strata_drive(self.net.handle, timeout))

    def test_own_loop(self):
        """One thread: sleeps in poll(2) on strata_fd, drives, and serves what is ready without waiting."""
        listener = self.net.listen("tcp://:7")
        lib().strata_listener_set_timeout(listener.handle, 0)
        done = []

        def client(number):
            with socket.create_connection((OURS, 7), timeout=20) as peer:
                data = bytes([number]) * 50_000
                writer = threading.Thread(target=peer.sendall, args=(data,))
                writer.start()
                got = b""
                while len(got) < len(data):
                    got += peer.recv(65536)
                writer.join()
                done.append(got == data)

        clients = [threading.Thread(target=client, args=(i,)) for i in range(10)]
        for thread in clients:
            thread.start()
        poller = select.poll()
        poller.register(checked(lib().strata_fd(self.net.handle)), select.POLLIN)
        streams, end = {}, time.monotonic() + 60
        while len(done) < 10 and time.monotonic() < end:
            poller.poll(100)
            self.drive()
            while handle := lib().strata_accept(listener.handle):
                lib().strata_stream_set_timeout(handle, 0)
                streams[handle] = b""
            for handle in list(streams):
                self.serve(handle, streams)
        for thread in clients:
            thread.join()
        self.assertEqual(done, [True] * 10)

    def serve(self, handle, streams):
        """Echoes what is there, and keeps what does not fit."""
        buffer = ctypes.create_string_buffer(65536)
        while len(streams[handle]) < 65536:
            got = lib().strata_read(handle, buffer, 65536)
            if got <= 0:
                break
            streams[handle] += ctypes.string_at(buffer, got)
        while streams[handle]:
            put = lib().strata_write(handle, streams[handle], len(streams[handle]))
            if put <= 0:
                break
            streams[handle] = streams[handle][put:]
        if got == 0 and not streams[handle]:
            lib().strata_stream_close(handle)
            del streams[handle]

    def test_nothing_runs_between_calls(self):
        """Without a thread a peer's SYN waits until the program calls."""
        listener = self.net.listen("tcp://:7")
        with socket.socket() as peer:
            peer.setblocking(False)
            self.assertNotEqual(peer.connect_ex((OURS, 7)), 0)
            self.assertEqual(select.select([], [peer], [], 0.3)[1], [])
            stream = listener.accept()
            self.assertEqual(select.select([], [peer], [], 10)[1], [peer])
            stream.close()

    def test_calls_that_wait_run_the_stack(self):
        with socket.socket() as server:
            server.bind((THEIRS, 0))
            server.listen()
            stream = self.net.connect(f"tcp://{THEIRS}:{server.getsockname()[1]}")
            peer = server.accept()[0]
        stream.write(b"hello")
        self.assertEqual(peer.recv(5), b"hello")
        peer.sendall(b"world")
        self.assertEqual(stream.read(5), b"world")
        stream.limit(0.2)
        self.refused("TIMEOUT", stream.read)
        peer.close()
        stream.close()

    def test_deadline_wakes_the_loop(self):
        """strata_fd becomes readable by itself when a timer is due: here, that of an unanswered SYN."""
        netspace.run("nft add table t; nft add chain t i '{ type filter hook input priority 0; }';"
                     "nft add rule t i tcp dport 10 drop")
        self.addCleanup(netspace.run, "nft delete table t")
        poller = select.poll()
        poller.register(checked(lib().strata_fd(self.net.handle)), select.POLLIN)
        handle = lib().strata_connect_start(self.net.handle, f"tcp://{THEIRS}:10".encode())
        self.assertTrue(handle)
        before, end = self.net.counters(), time.monotonic() + 20
        while self.net.counters().retransmits < 2 and time.monotonic() < end:
            self.assertTrue(poller.poll(10_000), "the timer rings")
            self.drive()
        self.assertGreaterEqual(self.net.counters().retransmits - before.retransmits, 2)

    def test_only_here(self):
        """A net with a thread of its own is not driven from outside."""
        self.net.close()
        type(self).options, options = {}, type(self).options
        try:
            self.net = self.open(pcap=self.pcap)
            self.addCleanup(self.net.close)
        finally:
            type(self).options = options
        self.assertEqual(lib().strata_drive(self.net.handle, 0), -3)
        self.assertEqual(lib().strata_fd(self.net.handle), -3)
        with self.assertRaises(Error) as caught:
            self.drive()
        self.assertEqual(caught.exception.name, "STATE")


if __name__ == "__main__":
    netspace.enter()
    strata_lib.lib()
    unittest.main(verbosity=2)
