"""What tshark reads in a capture file, for the differential test of the codecs."""
import ipaddress
import os
import re
import struct
import subprocess

import wire_frames

# Only these dissectors run, so that nothing is said about payloads.
PROTOCOLS = re.compile(r"^(_ws|eth|ethertype|vlan|ieee8021ad|llc|arp|ip|ipv6|icmp|icmpv6|tcp|mptcp|udp|"
                       r"data|frame)(\..*|)$")
PREFERENCES = ["ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE",
               "ip.defragment:FALSE", "ipv6.defragment:FALSE", "ip.tso_support:FALSE",
               "tcp.relative_sequence_numbers:FALSE", "tcp.analyze_sequence_numbers:FALSE",
               "tcp.desegment_tcp_streams:FALSE", "eth.fcs:Never", "vlan.qinq_ethertype:0x8100"]

NUMBERS = """
    eth.type eth.len vlan.priority vlan.dei vlan.id vlan.etype vlan.len ieee8021ad.priority
    ieee8021ad.dei ieee8021ad.id ieee8021ah.etype llc.dsap llc.ssap llc.control llc.oui llc.type
    arp.hw.type arp.proto.type arp.hw.size arp.proto.size arp.opcode
    ip.version ip.hdr_len ip.dsfield ip.dsfield.dscp ip.dsfield.ecn ip.len ip.id ip.flags ip.flags.rb
    ip.flags.df ip.flags.mf ip.frag_offset ip.ttl ip.proto ip.checksum ip.opt.type ip.opt.len
    ipv6.version ipv6.tclass ipv6.tclass.dscp ipv6.tclass.ecn ipv6.flow ipv6.plen ipv6.nxt ipv6.hlim
    ipv6.hopopts.nxt ipv6.hopopts.len ipv6.dstopts.nxt ipv6.dstopts.len ipv6.routing.nxt
    ipv6.routing.len ipv6.routing.type ipv6.routing.segleft ipv6.fraghdr.nxt
    ipv6.fraghdr.reserved_octet ipv6.fraghdr.offset ipv6.fraghdr.reserved_bits ipv6.fraghdr.more
    ipv6.fraghdr.ident
    icmp.type icmp.code icmp.checksum icmp.ident icmp.seq icmp.mtu icmp.pointer
    icmpv6.type icmpv6.code icmpv6.checksum icmpv6.echo.identifier icmpv6.echo.sequence_number
    icmpv6.mtu icmpv6.pointer icmpv6.nd.ra.cur_hop_limit icmpv6.nd.ra.flag.m icmpv6.nd.ra.flag.o
    icmpv6.nd.ra.router_lifetime icmpv6.nd.ra.reachable_time icmpv6.nd.ra.retrans_timer
    icmpv6.nd.na.flag.r icmpv6.nd.na.flag.s icmpv6.nd.na.flag.o icmpv6.opt.mtu
    icmpv6.opt.prefix.length icmpv6.opt.prefix.flag.l icmpv6.opt.prefix.flag.a
    icmpv6.opt.prefix.valid_lifetime icmpv6.opt.prefix.preferred_lifetime
    udp.srcport udp.dstport udp.length udp.checksum
    tcp.srcport tcp.dstport tcp.seq_raw tcp.ack_raw tcp.hdr_len tcp.flags tcp.flags.res
    tcp.window_size_value tcp.checksum tcp.urgent_pointer tcp.option_kind tcp.option_len
    tcp.options.mss_val tcp.options.wscale.shift tcp.options.timestamp.tsval
    tcp.options.timestamp.tsecr tcp.options.sack_le tcp.options.sack_re
    tcp.options.user_to_granularity tcp.options.user_to_val tcp.options.acc_ecn.ee0b
    tcp.options.acc_ecn.eceb tcp.options.acc_ecn.ee1b
""".split()
MACS = ["eth.dst", "eth.src", "arp.src.hw_mac", "arp.dst.hw_mac", "icmpv6.opt.src_linkaddr",
        "icmpv6.opt.target_linkaddr"]
ADDRESSES = ["arp.src.proto_ipv4", "arp.dst.proto_ipv4", "ip.src", "ip.dst", "icmp.redir_gw",
             "ipv6.src", "ipv6.dst", "icmpv6.nd.ns.target_address", "icmpv6.nd.na.target_address",
             "icmpv6.nd.rd.target_address", "icmpv6.rd.na.destination_address", "icmpv6.opt.prefix"]
BYTES = ["tcp.options.tfo.cookie"]
COMPARED = NUMBERS + MACS + ADDRESSES + BYTES

# Read for the conditions below only.
STATUSES = [f"{name}.checksum.status" for name in ("ip", "tcp", "udp", "icmp", "icmpv6")]
WITNESSES = STATUSES + ["ipv6.opt.type", "ipv6.opt.length", "icmpv6.opt.type", "icmpv6.opt.length"]
COMPLAINTS = ["_ws.expert.message", "_ws.malformed"]


class Reading:
    """What tshark read in one frame, lists of values by field, and what it complained of."""

    def __init__(self, values, complaints):
        self.values = values
        self.complaints = complaints

    def all(self, name):
        return self.values.get(name, [])

    def first(self, name, default=None):
        return self.values.get(name, [default])[0]

    def payload4(self):
        return self.first("ip.len", 0) - self.first("ip.hdr_len", 0)

    def extensions(self):
        return sum(len(self.all(f"ipv6.{kind}.nxt")) for kind in ("hopopts", "dstopts", "routing",
                                                                  "fraghdr"))

    def extension_bytes(self):
        units = sum(n + 1 for kind in ("hopopts", "dstopts", "routing") for n in
                    self.all(f"ipv6.{kind}.len"))
        return 8 * (units + len(self.all("ipv6.fraghdr.nxt")))

    def payload6(self):
        return self.first("ipv6.plen", 0) - self.extension_bytes()

    def option_room(self):
        return sum(8 * (n + 1) - 2 for kind in ("hopopts", "dstopts") for n in
                   self.all(f"ipv6.{kind}.len"))

    def option_bytes(self):
        kinds = self.all("ipv6.opt.type")
        return sum(self.all("ipv6.opt.length")) + 2 * len(kinds) - kinds.count(0)

    def padding_run(self):
        """The longest run of bytes of padding; Pad1 has no length."""
        lengths = iter(self.all("ipv6.opt.length"))
        run = longest = 0
        for kind in self.all("ipv6.opt.type"):
            size = 1 if kind == 0 else 2 + next(lengths, 0)
            run = run + size if kind <= 1 else 0
            longest = max(longest, run)
        return longest

    def options6(self):
        return [kind for kind in self.all("ipv6.opt.type") if kind > 1]

    def nd_options(self):
        return list(zip(self.all("icmpv6.opt.type"), self.all("icmpv6.opt.length")))

    def is_mapped(self, name):
        return ipaddress.ip_address(self.first(name, "::")).ipv4_mapped is not None

    def is_group(self, name):
        return ipaddress.ip_address(self.first(name, "::")).is_multicast

    def bad_redirect(self):
        target = ipaddress.ip_address(self.first("icmpv6.nd.rd.target_address", "::"))
        destination = ipaddress.ip_address(self.first("icmpv6.rd.na.destination_address", "::"))
        return not target.is_link_local and target != destination

    def lengths(self):
        """tcp.option_len, with a 1 for the kinds that have no length."""
        lengths = iter(self.all("tcp.option_len"))
        return [1 if kind <= 1 else next(lengths, None) for kind in self.all("tcp.option_kind")]

    def illegal_cookie(self):
        options = zip(self.all("tcp.option_kind"), self.lengths())
        return any(kind == 34 and n not in (2, 6, 8, 10, 12, 14, 16, 18) for kind, n in options)

    def repeats_options(self):
        kinds = [172 if kind == 174 else kind for kind in self.all("tcp.option_kind") if kind != 1]
        return len(kinds) > len(set(kinds))

    def obsolete_options(self):
        return set(self.all("tcp.option_kind")) & {6, 7, *range(9, 19), *range(20, 28), 76, 78}

    def protocols6(self):
        return sum((self.all(f"ipv6.{kind}nxt") for kind in ("", "hopopts.", "dstopts.", "routing.",
                                                            "fraghdr.")), [])

    def foreign(self):
        """tshark goes on into what is an unknown protocol to us."""
        return self.tunnels() or self.other_family()

    def tunnels(self):
        return {4, 41}.intersection(self.all("ip.proto") + self.protocols6())

    def other_family(self):
        """ICMPv6 or extension headers in IPv4, ICMPv4 in IPv6."""
        return {0, 43, 44, 58, 60}.intersection(self.all("ip.proto")) or 1 in self.protocols6()

    def length_after_service_tag(self):
        return any(value < 0x0600 for value in self.all("ieee8021ah.etype"))

    def deeper_tags(self):
        """A third tag, or a service tag that is not the outermost: to us a type nobody understands."""
        services, tags = len(self.all("ieee8021ad.id")), len(self.all("vlan.id"))
        return services + tags > 2 or services > (self.first("eth.type") == wire_frames.QINQ)

    def plain_llc(self):
        """IP behind LLC without SNAP, or Novell's frames of 0xffff, which tshark takes for no LLC."""
        return self.first("llc.dsap") == 6 or (self.all("eth.len") and not self.all("llc.dsap"))

    def quotes(self):
        return self.first("icmp.type") in (3, 4, 5, 11, 12) or self.first("icmpv6.type", 255) < 128

    def sound_outside(self):
        """Are the outermost sums right? Then a complaint is about what is inside."""
        return all(self.first(name, 1) == 1 for name in STATUSES if "udp" not in name and
                   "tcp" not in name)

    def later_fragment(self):
        return self.first("ip.frag_offset", 0) > 0 or self.first("ipv6.fraghdr.offset", 0) > 0

    def stops_in_option(self):
        """tshark gives up within an option that we step over: multipath TCP's, at times by an
        assertion of its own, or a vendor's."""
        vendor = {76, 78}.intersection(self.all("tcp.option_kind"))
        return any(text.startswith("[Malformed Packet: MPTCP") or "failed assertion" in text or
                   (vendor and text.startswith("[Malformed Packet: TCP")) for text in self.complaints)

    def beyond(self):
        """Does tshark see other headers than we do, by one of the classes above?"""
        return self.foreign() or self.length_after_service_tag() or self.deeper_tags() or \
            self.plain_llc() or self.stops_in_option()

    def nd_overrun(self):
        fixed = {133: 8, 134: 16, 135: 24, 136: 24, 137: 40}.get(self.first("icmpv6.type"), 0)
        return fixed + 8 * sum(self.all("icmpv6.opt.length")) > self.payload6()


def write_pcap(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i, (_, frame) in enumerate(frames):
            file.write(struct.pack("<IIII", i, 0, len(frame), len(frame)) + frame)


def convert(name, text):
    if name in MACS or name in BYTES:
        return text.replace(":", "").lower()
    if name in ADDRESSES:
        return str(ipaddress.ip_address(text))
    if text in ("True", "False"):
        return int(text == "True")
    return int(text, 0)


def run_tshark(pcap, scratch):
    """A Reading for each frame."""
    environment = dict(os.environ, WIRESHARK_CONFIG_DIR=str(scratch), LC_ALL="C.UTF-8")
    known = subprocess.run(["tshark", "-G", "protocols"], env=environment, text=True,
                           capture_output=True, check=True).stdout
    names = [line.split("\t")[2] for line in known.splitlines()]
    (scratch / "disabled_protos").write_text("".join(f"{name}\n" for name in names
                                                     if not PROTOCOLS.match(name)))
    command = ["tshark", "-r", str(pcap), "-n", "-T", "fields", "-E", "separator=/t", "-E",
               "occurrence=a", "-E", "aggregator=|"]
    for preference in PREFERENCES:
        command += ["-o", preference]
    names = COMPARED + WITNESSES
    for name in names + COMPLAINTS:
        command += ["-e", name]
    out = subprocess.run(command, env=environment, text=True, errors="replace", capture_output=True)
    if out.returncode:
        raise RuntimeError(f"tshark: {out.stderr}")
    readings = []
    for line in out.stdout.splitlines():
        cells = line.split("\t")
        values = {name: [convert(name, text) for text in cell.split("|")]
                  for name, cell in zip(names, cells) if cell}
        complaints = [text for cell in cells[len(names):] for text in cell.split("|") if text]
        readings.append(Reading(values, complaints))
    return readings
