"""Two networks and a router between them: our TAP device, this namespace as the router, and a namespace
with servers behind it. What the router forwards may be lost at random, by nft, and is counted."""
import json
import os
import shutil
import subprocess

import netspace

OURS, GATEWAY, SERVER = "192.0.2.2", "192.0.2.1", "198.51.100.2"
OURS6, GATEWAY6, SERVER6 = "2001:db8:1::2", "2001:db8:1::1", "2001:db8:2::2"
FAR, FAR6 = "198.51.100.1", "2001:db8:2::1"


def program(name):
    """The path of a peer, which may have been unpacked beside the build; skips where it is missing."""
    root = os.environ.get("STRATA_BUILD") or os.path.join(os.path.dirname(__file__), "../../build")
    path = shutil.which(name, path=os.path.join(root, "peers/bin") + ":" + os.environ["PATH"] + ":/usr/sbin")
    if not path:
        netspace.skip(f"{name} is not installed")
    return path


class Router:
    """Made in this process's namespace, after netspace.enter()."""

    def __init__(self):
        netspace.tap("tap0", f"{GATEWAY}/24", f"{GATEWAY6}/64")
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        netspace.until(self.has_left, "the server's namespace")
        self.inside = ["nsenter", "-t", str(self.holder.pid), "-n"]
        netspace.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1;"
                     f"ip link add veth0 type veth peer name veth1 netns {self.holder.pid};"
                     f"ip addr add {FAR}/24 dev veth0; ip addr add {FAR6}/64 dev veth0 nodad;"
                     "ip link set veth0 up")
        for command in ("ip link set lo up", f"ip addr add {SERVER}/24 dev veth1",
                        f"ip addr add {SERVER6}/64 dev veth1 nodad", "ip link set veth1 up",
                        f"ip route add default via {FAR}", f"ip -6 route add default via {FAR6}"):
            self.run(command.split())
        # No super-frame may cross the router: its loss would be one of many segments at once.
        for where, device in ((None, "veth0"), (self.inside, "veth1")):
            subprocess.run((where or []) + ["ethtool", "-K", device, "tso", "off", "gso", "off", "gro", "off",
                                            "tx", "off", "rx", "off"], check=True, stdout=subprocess.DEVNULL)

    def has_left(self):
        """Is the holder in a network namespace of its own by now?"""
        return os.readlink(f"/proc/{self.holder.pid}/ns/net") != os.readlink("/proc/self/ns/net")

    def run(self, command, **options):
        return subprocess.run(self.inside + command, check=True, **options)

    def start(self, command, **options):
        """Starts a server in its namespace; ends with `stop`."""
        return subprocess.Popen(self.inside + command, **options)

    def lose(self, percent):
        """From now on so many of a hundred forwarded packets are lost, each way."""
        netspace.run("nft add table inet loss; nft add chain inet loss f '{ type filter hook forward priority 0; }';"
                     "nft add rule inet loss f counter;"
                     f"nft add rule inet loss f numgen random mod 1000 lt {int(percent * 10)} counter drop")

    def lost(self):
        """The share of forwarded packets that fell, in percent, and how many there were."""
        rules = json.loads(netspace.run("nft -j list table inet loss"))["nftables"]
        counts = [part["counter"]["packets"] for rule in rules if "rule" in rule
                  for part in rule["rule"]["expr"] if "counter" in part]
        return 100 * counts[1] / max(counts[0], 1), counts[0]

    def heal(self):
        netspace.run("nft delete table inet loss")

    def close(self):
        self.holder.kill()
        self.holder.wait()
        netspace.run("ip link del tap0")
