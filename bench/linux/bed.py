"""Two network namespaces with a simulated link between them, and one transfer over it.

    a: [Linux 10.9.0.1] -- bridge -- near ==== lab link ==== far -- bridge -- [Linux 10.9.0.2] :b
    a: [Strata 10.9.0.3] -- st0 --+                             +-- st0 -- [Strata 10.9.0.4] :b

The senders are in a, the receivers in b. Both stacks take the same way: through a bridge to the device
that the link reads. Segmentation is done by the kernel before that, so every frame is one segment.
Each sender looks its receiver up first, each receiver knows its senders: so the frames of all count alike, and
the n-th, which the seed loses, is the same segment. Everything is named after this process and removed with it.
"""
import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time

LINUX = {"a": "10.9.0.1", "b": "10.9.0.2"}
STRATA = {"a": "10.9.0.3", "b": "10.9.0.4"}
MAC = {"10.9.0.1": "02:00:00:09:00:01", "10.9.0.2": "02:00:00:09:00:02",
       "10.9.0.3": "02:00:00:09:00:03", "10.9.0.4": "02:00:00:09:00:04"}
HEAD_START = 2  # seconds in which flows that begin together connect
LEAD = 0.001  # of one flow over the other: longer than either takes to wake up
SYSCTL = ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1",
          "net.ipv4.tcp_no_metrics_save=1")


class Failed(Exception):
    pass


def sh(command):
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Failed(f"{command}: {done.stdout.strip()}")
    return done.stdout


def promptly():
    """A busy machine must not look like a slow stack; and the children end with this process' group."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


class Program:
    """A child in a namespace, with its output kept."""

    def __init__(self, space, command, ready=None):
        self.name = os.path.basename(command[0])
        self.out, self.err = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(["ip", "netns", "exec", space, *command], stdin=subprocess.DEVNULL,
                                        stdout=self.out, stderr=self.err, preexec_fn=promptly)
        end = time.monotonic() + 10
        while ready and ready not in self.text(self.err):
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise Failed(f"{self.name}: {self.text(self.err).strip() or 'does not begin'}")
            time.sleep(0.01)

    @staticmethod
    def text(stream):
        stream.seek(0)
        return stream.read()

    def wait(self, seconds):
        """Its JSON, or None where it said nothing in time."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return None
        said = self.text(self.out)
        return json.loads(said) if said else None

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Bed:
    """One of several at the same time, told apart by their number: they share nothing but the processor."""

    def __init__(self, strata, flow, number=0):
        self.strata, self.flow = strata, flow
        self.space = {end: f"strata-bench-{os.getpid()}-{number}{end}" for end in "ab"}

    def __enter__(self):
        try:
            for end in "ab":
                self.build(end)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for space in self.space.values():
            subprocess.run(["ip", "netns", "del", space], stderr=subprocess.DEVNULL)

    def build(self, end):
        space, own = self.space[end], LINUX[end]
        sh(f"ip netns add {space}")
        sh(f"ip netns exec {space} sysctl -qw {' '.join(SYSCTL)}")
        sh(f"ip -n {space} link set lo up")
        sh(f"ip -n {space} link add br0 address {MAC[own]} type bridge stp_state 0 forward_delay 0 mcast_snooping 0")
        sh(f"ip -n {space} tuntap add st0 mode tap")
        sh(f"ip -n {space} link set st0 master br0 up")
        sh(f"ip -n {space} addr add {own}/24 dev br0")
        sh(f"ip -n {space} link set br0 up")
        for peer in (LINUX["a"], STRATA["a"]):
            if end == "b":
                sh(f"ip -n {space} neigh replace {peer} lladdr {MAC[peer]} dev br0 nud permanent")

    def link(self, cell, seed, pcap=None, jitter_us=0):
        """Starts the link of a cell."""
        sh(f"ip -n {self.space['a']} neigh flush dev br0")
        command = [self.strata, "lab", "link", "--tap", "near", "--tap", "far", "--json", "--seed", str(seed),
                   "--rate", f"{cell.rate}bit", "--delay", f"{cell.delay_ms}ms", "--loss", f"{cell.loss}%",
                   "--queue", f"{cell.queue}B", "--jitter", f"{jitter_us}us"]
        if pcap:
            command += ["--pcap", pcap]
        link = Program(self.space["a"], command, ready="joined")
        try:
            sh(f"ip -n {self.space['a']} link set far netns {self.space['b']}")
            for end, device in (("a", "near"), ("b", "far")):
                sh(f"ip -n {self.space[end]} link set {device} master br0 up")
        except Failed:
            link.kill()
            raise
        return link

    def program(self, end, ours, seconds, port):
        command = [self.flow, "source" if end == "a" else "sink", "--seconds", str(seconds), "--port", str(port)]
        if ours:
            own = STRATA[end]
            command += ["--link", "tap:st0", "--address", f"{own}/24", "--mac", MAC[own]]
        elif end == "a":
            command += ["--congestion", "cubic"]
        return command

    def begin(self, end, ours, seconds, port, more=(), ready=None):
        return Program(self.space[end], self.program(end, ours, seconds, port) + list(more), ready)

    def transfer(self, cell, flows, seed, seconds, pcap=None, leader=0, jitter_us=0):
        """Flows at the same time, each named by its two stacks ("SL": Strata sends, Linux receives). One leads: its
        first burst is ahead of the other's, and stays so for as long as both double. For each what sink and source
        said, and what the link did."""
        programs, said = [], []
        link = self.link(cell, seed, pcap, jitter_us)
        try:
            for number, flow in enumerate(flows):
                programs.append(self.begin("b", flow[1] == "S", seconds, 5001 + number, ready="listening"))
            begin = time.monotonic() + HEAD_START if len(flows) > 1 else 0
            for number, flow in enumerate(flows):
                to = (STRATA if flow[1] == "S" else LINUX)["b"]
                own = begin + LEAD * (begin and number != leader)
                programs.append(self.begin("a", flow[0] == "S", seconds, 5001 + number,
                                           ["--to", to, "--begin", f"{own:.4f}"]))
            for sink, source in zip(programs, programs[len(flows):]):
                counted = sink.wait(seconds + 30)
                if not counted or not counted["complete"]:
                    raise Failed(f"the transfer broke off: {sink.text(sink.err)} {source.text(source.err)}".strip())
                said.append((counted, source))
            said = [(counted, source.wait(20)) for counted, source in said]
        finally:
            for program in programs:
                program.kill()
            link.interrupt()
            figures = link.wait(10)
        return said, figures
