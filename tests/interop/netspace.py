"""A network namespace of the test's own, with a TAP device in it. It ends with the test's process."""
import contextlib
import ctypes
import os
import subprocess
import sys
import time

NEW_NETWORK = 0x40000000  # CLONE_NEWNET


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(77)


def run(command, **options):
    """Runs a command line; its output."""
    return subprocess.run(command, shell=True, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def enter():
    """Moves this process into a new network namespace with a loopback interface; skips where it can't."""
    if os.geteuid() != 0:
        skip("network namespaces need root")
    if not os.path.exists("/dev/net/tun"):
        skip("there is no /dev/net/tun")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_NETWORK):
        skip(f"no network namespace: {os.strerror(ctypes.get_errno())}")
    run("ip link set lo up")
    # A busy machine must not look like a slow peer: the kernel's probes come after a few milliseconds.
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def tap(name="tap0", *addresses, mtu=1500):
    """Makes a TAP device with addresses of the kernel's; IPv6 without duplicate detection."""
    run(f"ip tuntap add dev {name} mode tap && ip link set {name} up mtu {mtu}")
    for address in addresses:
        run(f"ip addr add {address} dev {name}" + (" nodad" if ":" in address else ""))


def until(condition, what, seconds=10):
    """Waits until a condition holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError(f"{what}: not within {seconds} s")
