#!/usr/bin/python3
"""What a user can do wrong with a TAP device, and the one line that each mistake is answered with."""
import ctypes
import os
import pathlib
import unittest

import netspace
from strata_lib import Error, Net

NOBODY = 65534
NEW_MOUNTS = 0x20000  # CLONE_NEWNS
ADDRESS = "192.0.2.2/24"


class Errors(unittest.TestCase):
    def refused(self, name, *words, **options):
        """Opening fails with this error, and a line that holds these words."""
        options.setdefault("address", ADDRESS)
        with self.assertRaises(Error) as caught:
            Net(**options).close()
        self.assertEqual(caught.exception.name, name, caught.exception)
        message = str(caught.exception)
        for word in words:
            self.assertIn(word, message)
        self.assertNotIn("\n", message)

    def in_child(self, function):
        """Runs a function in a process of its own; what it raises comes back as a failure."""
        child = os.fork()
        if child == 0:
            try:
                function()
            except BaseException as problem:  # whatever it is, the parent must hear of it
                print(problem, flush=True)
                os._exit(1)
            os._exit(0)
        self.assertEqual(os.waitpid(child, 0)[1], 0)

    def with_devices(self, function, mode=None):
        """In a child that sees its own /dev/net: empty, or with a tun device of that mode."""
        def hidden():
            self.assertEqual(ctypes.CDLL(None).unshare(NEW_MOUNTS), 0)
            netspace.run("mount --make-rprivate / && mount -t tmpfs none /dev/net")
            if mode:
                netspace.run(f"mknod -m {mode} /dev/net/tun c 10 200")
            function()

        self.in_child(hidden)

    def as_nobody(self, function, mode="666"):
        """In a child without privileges, on a system whose /dev/net/tun has that mode."""
        def unprivileged():
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            function()

        self.with_devices(unprivileged, mode)

    def test_words(self):
        self.refused("ARGUMENT", "no link")
        self.refused("ARGUMENT", "tap:NAME", link="wire:eth0")
        self.refused("ARGUMENT", "tap:NAME", link="tap:")
        self.refused("ARGUMENT", "no name of a network device", link="tap:a/b")
        self.refused("ARGUMENT", "no name of a network device", link="tap:sixteen_letters_")
        self.refused("ARGUMENT", "mtu=", link="tap:tap0?speed=1")
        self.refused("ARGUMENT", "mtu=", link="tap:tap0?mtu=100")
        self.refused("ARGUMENT", "an address is needed", link="tap:tap0", address=None)
        self.refused("ARGUMENT", "192.0.2.2/24", link="tap:tap0", address="192.0.2.2")
        self.refused("ARGUMENT", "192.0.2.2/24", link="tap:tap0", address="192.0.2.2/33")
        self.refused("ARGUMENT", "192.0.2.2/24", link="tap:tap0", address="192.0.2.256/24")
        self.refused("ARGUMENT", "gateway", link="tap:tap0", gateway="router")
        self.refused("NO_ROUTE", "must be a neighbour", link="tap:tap0", gateway="198.51.100.1")
        self.refused("ARGUMENT", "name server", link="tap:tap0", dns="192.0.2.1,dns")
        self.refused("ARGUMENT", "link address", link="tap:tap0", mac="01:00:5e:00:00:01")

    def test_another_program_is_attached(self):
        with Net(link="tap:tapbusy", address=ADDRESS):
            self.refused("IN_USE", "another program", link="tap:tapbusy")
        Net(link="tap:tapbusy", address=ADDRESS).close()

    def test_no_tap_device(self):
        self.refused("ARGUMENT", "is no TAP device", link="tap:lo")

    def test_mtu(self):
        netspace.tap("tapsmall", mtu=500)
        self.refused("ARGUMENT", "MTU is 500", link="tap:tapsmall")

    def test_no_permission(self):
        netspace.run("ip tuntap add dev taproot mode tap user root")
        self.as_nobody(lambda: self.refused("PERMISSION", "run as root", "ip tuntap add dev taproot",
                                            link="tap:taproot"))
        self.as_nobody(lambda: self.refused("PERMISSION", "run as root", link="tap:tapnew"))
        self.as_nobody(lambda: self.refused("PERMISSION", "chmod 666 /dev/net/tun", link="tap:tapnew"), "600")

    def test_device_of_an_ordinary_user(self):
        """Made for a user, and up: then no privilege is needed; down: root must bring it up."""
        netspace.run(f"ip tuntap add dev tapours mode tap user {NOBODY} && ip link set tapours up")
        self.as_nobody(lambda: Net(link="tap:tapours", address=ADDRESS).close())
        netspace.run("ip link set tapours down")
        self.as_nobody(lambda: self.refused("PERMISSION", "ip link set tapours up", link="tap:tapours"))

    def test_device_is_made_and_removed(self):
        with Net(link="tap:tapmade", address=ADDRESS):
            self.assertIn(",UP", netspace.run("ip link show tapmade"))
        self.assertFalse(pathlib.Path("/proc/sys/net/ipv4/conf/tapmade").exists())

    def test_capture_cannot_be_written(self):
        self.refused("SYSTEM", "cannot write the capture", link="tap:tap0", pcap="/no/such/folder/x.pcapng")

    def test_no_tun_module(self):
        self.with_devices(lambda: self.refused("NO_DEVICE", "/dev/net/tun is missing", "modprobe tun",
                                               link="tap:tap0"))

    def test_device_is_deleted(self):
        """Calls that wait end with an error, and the net can be closed."""
        with Net(link="tap:tapgone", address=ADDRESS) as net:
            listener = net.listen("tcp://:7")
            netspace.run("ip link del tapgone")
            with self.assertRaises(Error) as caught:
                listener.accept()
            self.assertEqual(caught.exception.name, "NO_DEVICE")
            self.assertIn("deleted", str(caught.exception))


if __name__ == "__main__":
    netspace.enter()
    unittest.main(verbosity=2)
