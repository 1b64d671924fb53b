"""A test case with a TAP device, a net on it, and a capture that tshark judges in the end."""
import pathlib
import socket
import tempfile
import unittest

import capture
import netspace
from strata_lib import Error, Net

OURS, THEIRS = "192.0.2.2", "192.0.2.1"
OURS6, THEIRS6 = "2001:db8::2", "2001:db8::1"


class TapCase(unittest.TestCase):
    count = 0
    options = {}
    link = ""  # what follows the device's name

    def setUp(self):
        TapCase.count += 1
        self.device = f"tap{TapCase.count}"
        netspace.tap(self.device, f"{THEIRS}/24", f"{THEIRS6}/64")
        self.addCleanup(netspace.run, f"ip link del {self.device}")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.pcap = self.folder / "ours.pcapng"
        self.addCleanup(capture.check, self.pcap)
        self.net = self.open(pcap=self.pcap)
        self.addCleanup(self.net.close)

    def open(self, **options):
        """A net on the test's device."""
        return Net(link=f"tap:{self.device}{self.link}", address=f"{OURS}/24", address6=f"{OURS6}/64", **self.options, **options)

    def accepted(self, address=OURS):
        """A connection that the kernel opened to us: its end and ours."""
        listener = self.net.listen("tcp://:7")
        peer = socket.create_connection((address, 7), timeout=20)
        stream = listener.accept()
        listener.close()
        return peer, stream

    def connected(self, address=THEIRS):
        """A connection that we opened to the kernel: its end and ours."""
        six = ":" in address
        with socket.socket(socket.AF_INET6 if six else socket.AF_INET) as server:
            server.bind((address, 0))
            server.listen()
            port = server.getsockname()[1]
            stream = self.net.connect(f"tcp://[{address}]:{port}" if six else f"tcp://{address}:{port}")
            peer = server.accept()[0]
        peer.settimeout(20)
        return peer, stream

    def refused(self, name, call, *arguments, **options):
        """The call fails with that error; its message."""
        with self.assertRaises(Error) as caught:
            call(*arguments, **options)
        self.assertEqual(caught.exception.name, name, caught.exception)
        return str(caught.exception)
