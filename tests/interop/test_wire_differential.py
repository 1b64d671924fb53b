#!/usr/bin/python3
"""The header codecs against tshark: every field of every header, and the verdict on every frame.

Thousands of generated frames (wire_frames.py), at least a fifth of them broken, go through wire_dump
(our codecs) and through tshark. Compared are

  fields    each value that a codec parsed, and each that a field table reads, with tshark's; for a
            frame that we accept, also that tshark has no further value of a field that we know
  verdicts  where we refuse a frame, tshark must complain of that very defect, and where tshark
            complains, we must refuse; the classes in which the two rightly differ are listed below,
            one by one, each with the clause that says so and with a condition on what tshark read

A complaint of tshark that this file does not know fails the test, and so does a reason to drop, or a
class of differences, that no frame came by.

    STRATA_SEED=n STRATA_FRAMES=n tests/interop/test_wire_differential.py
"""
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import wire_frames
import wire_tshark
from wire_tshark import COMPARED, STATUSES

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("STRATA_BUILD", ROOT / "build"))
SEED = int(os.environ.get("STRATA_SEED", "20240817"))
FRAMES = int(os.environ.get("STRATA_FRAMES", "12000"))
MALFORMED_OPTION = 1 << 12  # TCP_HAS_MALFORMED
SHOWN = 20

# Complaints about a header's form, each with a short name.
DEFECTS = [(re.compile(pattern), defect) for pattern, defect in [
    (r"^Length field value goes past the end", "eth length"),
    (r"^Invalid length/type", "eth undefined"),
    (r"^Bogus IPv4 version", "ip4 version"),
    (r"^Bogus IP header length", "ip4 header length"),
    (r"^(Bogus IP length|IPv4 total length exceeds)", "ip4 length"),
    (r"^Bogus IPv6 version", "ip6 version"),
    (r"^Bogus IP version", "tunnel"),
    (r"^IPv6 header must be exactly 40", "ip6 short"),
    (r"^IPv6 payload length exceeds", "ip6 length"),
    (r"^IPv6 payload length equals 0", "ip6 empty"),
    (r"^IPv6 Hop-by-Hop extension header must", "ip6 order"),
    (r"^[\w -]+: Invalid [Ll]ength \(\d+ bytes?\)", "ip6 option"),
    (r"Jumbo Payload option must not be present", "jumbo"),
    (r"Routing Header segments left", "routing"),
    (r"option length = \d+ bytes? says option goes past end", "option"),
    (r"(with too-short option length|length byte past end of options)", "option"),
    (r"option length = \d+ bytes?; should be", "option"),
    (r"^option length (should be|\d+ smaller than|\d+ greater)", "option"),
    (r"^[Ss]uboption would go past end of option", "option"),
    (r"^Pointer points (to|before)", "option pointer"),
    (r"^Non-zero header padding", "option padding"),
    (r"^Bogus TCP header length", "tcp offset"),
    (r"^Short segment", "tcp offset"),
    (r"^Bad length value \d+ < 8|^Length is zero but payload", "udp length"),
    (r"^Bad length value \d+ > IP", "udp length"),
    (r"^Illegal checksum value \(0\)", "udp zero"),
    (r"^Invalid option length|^Code must be 0", "nd option"),
    (r"^Unknown Data", "unknown data"),
    (r"^Bad checksum", "sum"),
    (r"failed assertion", "cut MPTCP"),
    (r"^Malformed Packet", "cut"),
]]

# Remarks on what is well formed: not the codecs' business, and whose instead.
REMARKS = [re.compile(pattern) for pattern in [
    r"^Didn't find padding of zeros",                # padding may be anything (IEEE 802.3 3.2.8)
    r"^Source MAC must not be a group address",      # access/ drops it, reason ETH_SOURCE
    r"^\"Time To Live\" (only \d+|!= 255)",          # a host takes any (RFC 1122 3.2.1.7)
    r"^This frame (initiates|undergoes) the connection clos",
    r"^Connection (finish|reset|establish)",         # transport/ acts on flags
    r"^The (acknowledgment number|urgent pointer) field is nonzero while",
    r"^The (SYN|non-SYN) packet does (not |)contain a MSS option",
    r"^TCP SYN with TFO Cookie",
    r"^D-SACK Sequence",                             # RFC 2883
    r"^\d+ NOP in a row",
    r"^Trailing stray characters",                   # in the text that a RST may carry (RFC 9293 3.5.3)
    r"^Unreassembled fragment",
    r"^Undecoded IPv6 routing header field",         # RFC 3692's experimental types
    r"^Routing header type is deprecated",           # with segments left we drop it, else it is skipped
    r"must use a (hop-by-hop|destination) options header",  # RFC 2711 2.1 asks it of the sender
    r"^Dissector for ICMPv6 (Option|Type) \(\d+\) code not implemented",
    r"^Possible traceroute",
    r"^This field MUST be set to zero",              # reserved fields are not looked at
    r"^(Unsupported algorithm|No crypto algorithm specified)",  # of MPTCP
    r"^Window scale shift exceeds 14",               # it is read as 14 (RFC 7323 2.3), by transport/
    r"^Option type is deprecated",
    r"^Extraneous data in option",                   # the rest of an IPv6 option that we step over
    r"^Seed ID is the IPv6 Source Address",
]]

# For each reason: the complaints of tshark that mean the same.
AGREE = {
    "ETH_SHORT": {"cut Ethernet"},
    "ETH_LENGTH": {"eth length"},
    "ETH_UNDEFINED": {"eth undefined"},
    "VLAN_SHORT": {"cut VLAN", "cut IEEE 802.1AD"},
    "LLC_SHORT": {"cut LLC"},
    "ARP_SHORT": {"cut ARP/RARP"},
    "ARP_KIND": set(),
    "ARP_OPERATION": set(),
    "IP4_SHORT": {"cut IPv4"},
    "IP4_VERSION": {"ip4 version"},
    "IP4_HEADER_LENGTH": {"ip4 header length", "ip4 length"},
    "IP4_TOTAL_LENGTH": {"ip4 length"},
    "IP4_CHECKSUM": {"sum ip", "ip4 length"},  # we sum first; tshark stops at an impossible length
    "IP4_OPTION": {"option", "cut IPv4"},
    "IP4_SOURCE_ROUTE": set(),
    "IP6_SHORT": {"ip6 short", "cut IPv6"},
    "IP6_VERSION": {"ip6 version"},
    "IP6_PAYLOAD_LENGTH": {"ip6 length"},
    "IP6_EMPTY": {"ip6 empty"},
    "IP6_EXTENSION": {"ip6 option", "cut IPv6 Hop-by-Hop", "cut IPv6 Destination", "cut IPv6 Routing",
                      "cut IPv6 Fragment", "cut IPv6"},
    "IP6_EXTENSION_ORDER": {"ip6 order"},
    "IP6_EXTENSION_COUNT": set(),
    "IP6_OPTION": {"jumbo"},
    "IP6_ROUTING": {"routing"},
    "IP6_NO_NEXT": set(),
    "IP_SOURCE": set(),
    "IP_DESTINATION": set(),
    "ICMP_SHORT": {"cut ICMP", "cut ICMPv6"},
    "ICMP_CHECKSUM": {"sum icmp", "sum icmpv6"},
    "ND_FORMAT": {"nd option", "unknown data", "cut ICMPv6"},
    "UDP_SHORT": {"cut UDP"},
    "UDP_LENGTH": {"udp length"},
    "UDP_CHECKSUM": {"sum udp"},
    "UDP_ZERO_CHECKSUM": {"udp zero"},
    "TCP_SHORT": {"cut TCP"},
    "TCP_OFFSET": {"tcp offset", "option", "cut TCP"},  # or what lies past the end looks malformed
    "TCP_CHECKSUM": {"sum tcp"},
    "TCP_OPTION": {"option", "cut TCP"},  # no reason to drop (MUST-7): the segment is taken without it
}


# Frames that we refuse and tshark does not: (reason, condition on tshark's reading, clause and why).
WE_REFUSE = [
    ("ETH_UNDEFINED", lambda r: any(1500 < n < 1536 for n in r.all("vlan.len") + r.all("vlan.etype") +
                                    r.all("ieee8021ah.etype")),
     "IEEE 802.3 3.2.6: 1501..1535 is neither a length nor a type; tshark checks it outside tags only"),
    ("ETH_LENGTH", lambda r: r.length_after_service_tag(),
     "IEEE 802.1Q 9.6: what follows a tag may be a length; tshark knows that of customer tags only"),
    ("LLC_SHORT", lambda r: r.length_after_service_tag(),
     "IEEE 802.1Q 9.6: what follows a tag may be a length; tshark knows that of customer tags only"),
    ("LLC_SHORT", lambda r: 0 in r.all("eth.type") + r.all("vlan.etype") + r.all("ieee8021ah.etype"),
     "IEEE 802.3 3.2.6: 0 is a length, and LLC has three bytes; tshark takes it for an unknown type"),
    ("ARP_KIND", lambda r: (r.first("arp.hw.type"), r.first("arp.proto.type"), r.first("arp.hw.size"),
                            r.first("arp.proto.size")) != (1, 0x0800, 6, 4),
     "RFC 826, packet reception: other hardware and protocol types are for those who speak them"),
    ("ARP_OPERATION", lambda r: r.first("arp.opcode") not in (1, 2),
     "RFC 826: requests and replies; RARP (RFC 903) and its kin are no part of a host"),
    ("IP4_SOURCE_ROUTE", lambda r: {131, 137}.intersection(r.all("ip.opt.type")),
     "RFC 7126 4.3, 4.4: packets with source routes should be dropped"),
    ("IP_SOURCE", lambda r: r.is_mapped("ipv6.src"),
     "RFC 4942 2.2: mapped addresses do not belong on the wire"),
    ("IP_DESTINATION", lambda r: r.is_mapped("ipv6.dst"),
     "RFC 4942 2.2: mapped addresses do not belong on the wire"),
    ("IP6_NO_NEXT", lambda r: wire_frames.NONE in r.protocols6(),
     "RFC 8200 4.7: what follows is to be ignored, so the packet ends here"),
    ("IP6_ROUTING", lambda r: any(r.all("ipv6.routing.segleft")),
     "RFC 8200 4.4, RFC 5095 3: an unrecognized type with segments left is discarded"),
    ("IP6_OPTION", lambda r: any(kind >= 0x40 for kind in r.options6()),
     "RFC 8200 4.2: the type's high bits ask who doesn't know the option to discard the packet"),
    ("IP6_EXTENSION_COUNT", lambda r: r.extensions() > 8 or r.extension_bytes() > 2048 or
     r.padding_run() > 7 or len(r.options6()) > 8,
     "RFC 8504 5.3: hosts may limit headers, options and padding, to stop floods"),
    ("IP6_EXTENSION", lambda r: r.first("ipv6.fraghdr.more") == 1 and r.payload6() < 20,
     "RFC 8200 4.5, RFC 7112 5: a first fragment holds the whole header chain"),
    ("IP6_EXTENSION", lambda r: r.option_bytes() > r.option_room(),
     "RFC 8200 4.2: options end with their header; tshark lets PadN run on into what follows"),
    ("IP6_EXTENSION_ORDER", lambda r: len(r.all("ipv6.fraghdr.nxt")) > 1,
     "RFC 8200 4.1: each extension header occurs once; nested fragments evade reassembly"),
    ("ICMP_SHORT", lambda r: 0 <= r.payload4() < 8 if r.all("ip.len") else 0 <= r.payload6() < 8,
     "RFC 792, RFC 4443 2.1: every message has eight bytes; tshark takes four, or none at all"),
    ("ND_FORMAT", lambda r: r.first("icmpv6.code") != 0,
     "RFC 4861 6.1, 7.1, 8.1: the code is 0"),
    ("ND_FORMAT", lambda r: r.is_group("icmpv6.nd.ns.target_address") or
     r.is_group("icmpv6.nd.na.target_address"),
     "RFC 4861 7.1.1, 7.1.2: the target is no multicast address"),
    ("ND_FORMAT", lambda r: any((kind in (1, 2, 5) and units != 1) or (kind == 3 and units != 4)
                                for kind, units in r.nd_options()),
     "RFC 4861 4.6: the option's length is fixed (and RFC 2464 6 for Ethernet addresses)"),
    ("ND_FORMAT", lambda r: any(n > 128 for n in r.all("icmpv6.opt.prefix.length")),
     "RFC 4861 4.6.2: a prefix has 0 to 128 bits"),
    ("ND_FORMAT", lambda r: r.nd_overrun(),
     "RFC 4861 6.1, 7.1: all options lie within the message; tshark shows some without looking"),
    ("ND_FORMAT", lambda r: r.bad_redirect(),
     "RFC 4861 8.1: a redirect's target is link-local or the destination itself"),
    ("TCP_OPTION", lambda r: r.stops_in_option(),
     "RFC 9293 MUST-6: we step over multipath TCP, within which tshark gives up, and go on to the defect"),
    ("TCP_OPTION", lambda r: (5, 2) in zip(r.all("tcp.option_kind"), r.lengths()),
     "RFC 2018 3: n blocks take 8n+2 bytes, and an option of none says nothing"),
    ("TCP_SHORT", lambda r: 0 <= (r.payload4() if r.all("ip.len") else r.payload6()) < 20,
     "RFC 9293 3.1: a header has 20 bytes; tshark may name the offset, which lies past them, instead"),
    ("UDP_SHORT", lambda r: 0 <= (r.payload4() if r.all("ip.len") else r.payload6()) < 8,
     "RFC 768: a header has eight bytes; tshark does not look into an empty payload"),
]

ANY = "any complaint"

# Frames that tshark complains of and we accept: (complaint, condition, clause and why).
WE_ACCEPT = [
    ("ip6 option", lambda r: r.options6() and all(kind < 0x40 for kind in r.options6()),
     "RFC 8200 4.2: an option whose type says skip is skipped, whatever its own RFC wants of it"),
    ("cut MPTCP", lambda r: r.stops_in_option(),
     "RFC 9293 MUST-6: who does not speak multipath TCP steps over its options, whatever they hold"),
    ("cut TCP", lambda r: r.stops_in_option() or r.later_fragment(),
     "RFC 9293 MUST-6: unknown options are stepped over; RFC 8200 4.5: a later fragment holds no header"),
    ("unknown data", lambda r: r.options6() and all(kind < 0x40 for kind in r.options6()),
     "RFC 8200 4.2: an option whose type says skip is skipped, whatever its own RFC wants of it"),
    ("option pointer", lambda r: {7, 68}.intersection(r.all("ip.opt.type")),
     "RFC 7126 4.5, 4.7: a host may ignore recorded routes and timestamps, and so never follows them"),
    ("option padding", lambda r: bool(r.all("tcp.option_kind")),
     "RFC 9293 3.1, MUST-69 binds the sender; what follows the end of the options is not looked at"),
    ("option", lambda r: r.obsolete_options(),
     "RFC 9293 MUST-6, MUST-68, RFC 6247: options that nobody acts on are stepped over, by any length"),
    (ANY, lambda r: r.quotes() and r.sound_outside(),
     "RFC 792, RFC 4443 2.4 (c): a quoted packet is as it came and cut anywhere (and RFC 4884's length "
     "is not used); transport/ looks at its ports and sequence number"),
    (ANY, lambda r: r.first("ip.checksum.status", 1) == 1 and r.tunnels(),
     "RFC 2003, RFC 2473: tunnels are a protocol that nobody here understands, so what they carry is "
     "not judged"),
    (ANY, lambda r: r.first("ip.checksum.status", 1) == 1 and r.other_family(),
     "RFC 8200 4, RFC 4443 1: the other family's headers are protocols that nobody here understands"),
    (ANY, lambda r: r.plain_llc(),
     "RFC 1042: IP on IEEE 802 networks stands behind SNAP; LLC's own SAP 6 is not for hosts"),
    (ANY, lambda r: r.deeper_tags(),
     "IEEE 802.1Q 9.6: a service tag is outermost, and two are read; the rest is an unknown type"),
]


def fail(text):
    print(f"FAILED (STRATA_SEED={SEED}): {text}")
    sys.exit(1)


def skip(text):
    print(f"SKIPPED: {text}")
    sys.exit(77)


def defects_of(number, reading):
    """tshark's verdict: the names of what is wrong with the frame."""
    defects = set()
    for text in reading.complaints:
        cut = re.match(r"\[Malformed Packet: ([^:\]]*)", text)
        if cut:
            defects.add(f"cut {cut[1]}")
        elif not text.startswith(("_ws.malformed", "[Dissector bug")) and not any(p.search(text) for p in REMARKS):
            found = next((name for pattern, name in DEFECTS if pattern.search(text)), None)
            if not found:
                fail(f"frame {number}: tshark says what this test does not know: {text}")
            if found not in ("cut", "sum"):
                defects.add(found)
    for name in STATUSES:
        if 0 in reading.all(name):
            defects.add(f"sum {name.split('.')[0]}")
    return defects


def our_verdict(ours):
    has = next((value for _, name, value in ours["fields"] if name == "has"), 0)
    if ours["drop"] == "NONE" and has & MALFORMED_OPTION:
        return "TCP_OPTION"
    return ours["drop"]


class Verdicts:
    def __init__(self):
        self.mismatches = []
        self.reasons = collections.Counter()
        self.classes = collections.Counter()
        self.broken = 0

    def compare(self, number, kind, ours, reading):
        defects = defects_of(number, reading)
        verdict = our_verdict(ours)
        self.reasons[verdict] += 1
        self.broken += verdict != "NONE" or bool(defects)
        if verdict == "NONE":
            for defect in sorted(defects):
                self.classify(number, kind, WE_ACCEPT, defect, reading, "accepted, but tshark says")
        elif not defects & AGREE[verdict]:
            self.classify(number, kind, WE_REFUSE, verdict, reading, f"tshark says {sorted(defects)}, we")

    def classify(self, number, kind, classes, what, reading, text):
        for name, condition, why in classes:
            if name in (what, ANY) and condition(reading):
                self.classes[(name, why)] += 1
                return
        self.mismatches.append(f"frame {number} ({kind}): {text} {what}")

    def unseen(self):
        reasons = set(AGREE) - set(self.reasons)
        classes = {(name, why) for name, _, why in WE_REFUSE + WE_ACCEPT} - set(self.classes)
        return [f"no frame had the verdict {name}" for name in sorted(reasons)] + \
            [f"no frame was of the class {name}: {why}" for name, why in sorted(classes)]


# A table's raw bits, where tshark shows the field in another unit.
UNITS = {"tcp.hdr_len": 4, "ip.hdr_len": 4}

# What both sides can show of a field.
SEEN = {
    "llc.control": lambda v: v & 0xFF,  # tshark shows two bytes of a frame that is not unnumbered
    "tcp.flags": lambda v: v & 0x1FF,   # with the reserved bits, which the parser ignores
    "tcp.flags.res": bool,              # whether any of the three is set
}


class Fields:
    def __init__(self):
        self.mismatches = []
        self.compared = collections.Counter()
        self.known = set()
        self.more = []

    def normal(self, kind, name, value):
        if kind == "table" and name in UNITS:
            return value * UNITS[name]
        return wire_tshark.convert(name, value) if isinstance(value, str) else value

    def name_of(self, name, value):
        """tshark calls the two bytes after the addresses, or after a tag, by what they mean."""
        if name in ("eth.type", "vlan.etype") and 0 < value <= 1500:
            return name.split(".")[0] + ".len"
        return name

    def compare(self, number, kind, ours, reading):
        values = {"codec": collections.defaultdict(list), "table": collections.defaultdict(list)}
        quoted = collections.Counter()
        for source, name, value in ours["fields"]:
            name = self.name_of(name, value)
            row = "table" if source == "table" else "codec"
            values[row][name].append(self.normal(source, name, value))
            quoted[name] += source == "quote"
        where = f"frame {number} ({kind})"
        accepted = ours["drop"] == "NONE" and not reading.beyond()
        has = values["codec"].pop("has", [0])[0]
        if not quoted["has"] and not reading.stops_in_option():
            self.compare_has(where, has, reading)
        for row in values:
            for name, mine in values[row].items():
                if name == "ip.dst" and ours["drop"] == "IP4_SOURCE_ROUTE":
                    continue  # tshark shows the last stop of the route instead of the field
                if name.startswith("llc.") and (reading.length_after_service_tag() or
                                                not reading.all("llc.dsap")):
                    continue
                if name == "tcp.options.tfo.cookie" and reading.illegal_cookie():
                    continue  # tshark shows it too
                if name.startswith("tcp.option") and reading.stops_in_option():
                    continue  # tshark stops there, we step over it
                walks_on = name.startswith("tcp.option_") and has & MALFORMED_OPTION
                self.compare_field(where, row, name, mine, quoted[name], reading,
                                   accepted and not walks_on)
        if accepted:
            self.known.update(values["codec"])
            # Of a repeated option the parser keeps the last, of a malformed rest nothing, and a cookie
            # of an illegal length is ignored (RFC 7413 4.1.1).
            ours_alone = reading.repeats_options() or has & MALFORMED_OPTION
            more = {name for name in COMPARED if reading.all(name) and not
                    (name.startswith("tcp.option") and ours_alone)}
            if reading.quotes():
                more = set()  # what is left of a quoted header is in the tables at most
            if any(value < 0x0600 for value in reading.all("llc.type")):
                more.discard("llc.type")  # SNAP without an EtherType is plain LLC to us (RFC 1042)
            if reading.illegal_cookie():
                more.discard("tcp.options.tfo.cookie")
            self.more.append((where, more - set(values["codec"]) - set(values["table"])))

    def compare_field(self, where, row, name, mine, quoted, reading, accepted):
        """Value by value. Of a quoted header tshark shows less than we do, and the tables also read
        headers that neither side believes. Of an option that comes twice the last one counts."""
        theirs = reading.all(name)
        if name == "tcp.option_kind" and 0 in theirs:
            theirs = theirs[:theirs.index(0) + 1]  # what follows the end are no options
        if name.startswith("tcp.options.") and reading.repeats_options():
            theirs = theirs[-len(mine):]
            if "acc_ecn" in name and len(theirs) < len(reading.all(name)):
                return  # the last one may have fewer counters, and tshark's list does not say whose
        least = len(mine) - quoted if row == "codec" else 0
        refused_quote = reading.quotes() and not quoted
        most = len(mine) if row == "codec" and accepted and not refused_quote else len(theirs)
        if not least <= len(theirs) <= most:
            self.mismatches.append(f"{where}: tshark has {theirs} of {name}, our {row} {mine}")
        seen = SEEN.get(name, lambda value: value)
        for at, (other, value) in enumerate(zip(theirs, mine)):
            self.compared[name] += 1
            if seen(other) != seen(value):
                self.mismatches.append(f"{where}: {row} {name} #{at} is {value}, tshark's {other}")

    def compare_has(self, where, has, reading):
        """Each option that the parser believes is one that tshark met, and the other way round."""
        bits = {2: 0, 3: 1, 4: 2, 5: 3, 8: 4, 19: 6, 29: 7, 28: 8, 30: 10}
        if not has or has & MALFORMED_OPTION:
            return
        kinds = set(reading.all("tcp.option_kind"))
        for kind, bit in bits.items():
            self.compared["tcp.option_kind"] += 1
            if bool(has >> bit & 1) != (kind in kinds):
                self.mismatches.append(f"{where}: option {kind} is in `has` or in tshark only")


def main():
    dump = BUILD / "tests" / "wire_dump"
    if not shutil.which("tshark"):
        skip("tshark is not installed")
    if not dump.exists():
        fail(f"{dump} was not built")
    source = wire_frames.Frames(SEED)
    frames = [source.next() for _ in range(FRAMES)]
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        pcap = scratch / "frames.pcap"
        wire_tshark.write_pcap(pcap, frames)
        dumped = subprocess.run([dump, pcap], text=True, capture_output=True)
        if dumped.returncode:
            fail(f"wire_dump: {dumped.stderr}")
        ours = [json.loads(line) for line in dumped.stdout.splitlines()]
        theirs = wire_tshark.run_tshark(pcap, scratch)
    if len(ours) != FRAMES or len(theirs) != FRAMES:
        fail(f"{FRAMES} frames, but {len(ours)} from wire_dump and {len(theirs)} from tshark")
    fields, verdicts = Fields(), Verdicts()
    for number, ((kind, _), mine, reading) in enumerate(zip(frames, ours, theirs), 1):
        fields.compare(number, kind, mine, reading)
        verdicts.compare(number, kind, mine, reading)
    report(fields, verdicts)


def report(fields, verdicts):
    for where, names in fields.more:
        for name in sorted(names & fields.known):
            fields.mismatches.append(f"{where}: tshark has {name}, we do not")
    unseen = verdicts.unseen() + [f"never compared: {name}" for name in COMPARED
                                  if not fields.compared[name]]
    print(f"seed {SEED}: {FRAMES} frames, {verdicts.broken} malformed "
          f"({100 * verdicts.broken / FRAMES:.0f} %)")
    print(f"fields: {sum(fields.compared.values())} values of {len(fields.compared)} fields compared, "
          f"{len(fields.mismatches)} differ")
    print(f"verdicts: {FRAMES} compared, {len(verdicts.mismatches)} differ; rightly different, by class:")
    for (name, why), count in sorted(verdicts.classes.items()):
        print(f"  {count:5} {name}: {why}")
    for text in (fields.mismatches[:SHOWN] + verdicts.mismatches[:SHOWN] + unseen):
        print(f"  {text}")
    if fields.mismatches or verdicts.mismatches or unseen:
        fail("the codecs and tshark do not agree")
    if verdicts.broken * 5 < FRAMES or FRAMES < 5000:
        fail("too few frames, or too few broken ones")


if __name__ == "__main__":
    main()
