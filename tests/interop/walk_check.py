"""Recomputes a walk (strata get --json) from its capture, with tshark reading every byte.

Nothing here looks at how Strata counts: times, numbers, lengths and flags are tshark's, and phases and round
trips are worked out anew from these by their definitions in the manual page.
"""
import json
import subprocess

FIELDS = {
    "frame.number": int, "frame.time_epoch": str, "frame.len": int, "frame.comment": str,
    "frame.packet_flags_direction": str, "frame.interface_name": str,
    "eth.dst": str, "eth.src": str, "eth.type": str, "eth.padding": str,
    "arp.opcode": int, "arp.src.proto_ipv4": str, "arp.dst.proto_ipv4": str, "arp.src.hw_mac": str,
    "ip.src": str, "ip.dst": str, "ip.len": int, "ip.hdr_len": int, "ip.ttl": int, "ip.id": str,
    "ip.checksum": str, "ip.proto": int,
    "ipv6.src": str, "ipv6.dst": str, "ipv6.plen": int, "ipv6.hlim": int, "ipv6.nxt": int,
    "icmp.type": int, "icmpv6.type": int, "icmpv6.nd.ns.target_address": str,
    "icmpv6.nd.na.target_address": str,
    "udp.srcport": int, "udp.dstport": int, "udp.length": int, "udp.checksum": str,
    "tcp.stream": int, "tcp.srcport": int, "tcp.dstport": int, "tcp.seq_raw": int, "tcp.ack_raw": int,
    "tcp.seq": int, "tcp.ack": int, "tcp.len": int, "tcp.hdr_len": int, "tcp.flags": str,
    "tcp.window_size_value": int, "tcp.window_size": int, "tcp.checksum": str,
    "tcp.options.mss_val": int, "tcp.options.wscale.shift": int,
    "dns.id": str, "dns.flags.response": str, "dns.qry.name": str, "dns.qry.type": int, "dns.flags.rcode": int,
    "dns.a": str, "dns.aaaa": str, "dns.time": str, "tcp.analysis.ack_rtt": str,
}
# Headers of the walk, with tshark's name for each value that is compared.
HEADERS = {
    "eth": {"destination": "eth.dst", "source": "eth.src", "type": "eth.type"},
    "arp": {"operation": "arp.opcode", "sender": "arp.src.proto_ipv4", "target": "arp.dst.proto_ipv4",
            "sender_mac": "arp.src.hw_mac"},
    "ip4": {"source": "ip.src", "destination": "ip.dst", "total_length": "ip.len", "ttl": "ip.ttl",
            "id": "ip.id", "checksum": "ip.checksum", "protocol": "ip.proto"},
    "ip6": {"source": "ipv6.src", "destination": "ipv6.dst", "payload_length": "ipv6.plen",
            "hop_limit": "ipv6.hlim", "next_header": "ipv6.nxt"},
    "icmp4": {"type": "icmp.type"},
    "icmp6": {"type": "icmpv6.type"},
    "nd_solicit": {"target": "icmpv6.nd.ns.target_address"},
    "nd_advert": {"target": "icmpv6.nd.na.target_address"},
    "udp": {"source_port": "udp.srcport", "destination_port": "udp.dstport", "length": "udp.length",
            "checksum": "udp.checksum"},
    "tcp": {"source_port": "tcp.srcport", "destination_port": "tcp.dstport", "seq": "tcp.seq_raw",
            "ack": "tcp.ack_raw", "window": "tcp.window_size_value", "checksum": "tcp.checksum",
            "flags": "tcp.flags"},
    "dns": {"id": "dns.id", "rcode": "dns.flags.rcode"},
}
LAYERS = {"Ethernet": 1, "ARP": 1, "IPv4": 2, "IPv6": 2, "ICMP": 2, "ICMPv6": 2, "UDP": 3, "TCP": 3,
          "DNS": 4, "HTTP": 4, "data": 4}


def nanoseconds(text):
    """A decimal number of seconds without going through a float."""
    whole, _, part = text.partition(".")
    return int(whole) * 10**9 + int((part + "0" * 9)[:9])


def read_capture(path):
    """The capture's packets, each a dict of what tshark found in it (outer headers only)."""
    command = ["tshark", "-n", "-r", str(path), "-T", "json", "-o", "tcp.relative_sequence_numbers:TRUE",
               "-o", "tcp.analyze_sequence_numbers:TRUE"]
    for field in FIELDS:
        command += ["-e", field]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    packets = []
    for raw in json.loads(out):
        layers = raw["_source"]["layers"]
        packet = {"all": layers}
        for field, kind in FIELDS.items():
            if field in layers:
                first = layers[field][0]  # a quoted packet within an ICMP error comes second
                packet[field] = kind(first)
        packet["time"] = nanoseconds(packet["frame.time_epoch"])
        # EPB flags: 1 inbound, 2 outbound
        packet["sent"] = int(packet["frame.packet_flags_direction"], 0) == 2
        packets.append(packet)
    return packets


def number(value):
    """tshark prints numbers in decimal or hexadecimal."""
    return int(value, 0) if isinstance(value, str) and value[:2] == "0x" else value


class Walk:
    """One exchange as the program told it, and the packets that it has to agree with."""

    def __init__(self, case, walk, packets, exact=True):
        self.case, self.walk, self.exact = case, walk, exact
        self.frames = [step for step in walk["steps"] if "frame" in step]
        self.packets = packets[:len(self.frames)] if not exact else packets
        self.start = walk["started_epoch_ns"]
        if not exact:  # two clocks of one host were read at slightly different times
            self.start = self.packets[0]["time"] - self.frames[0]["time_ns"]

    def same(self, ours, theirs, what):
        self.case.assertEqual(ours, theirs, what)

    def pairs(self):
        for step, packet in zip(self.frames, self.packets):
            yield step, packet, f"step {step['step']}, frame {step['frame']}"

    def check(self):
        self.same(len(self.frames), len(self.packets), "frames")
        self.check_frames()
        self.check_layers()
        # What has nothing to do with the exchange counts for nothing below.
        pairs = [(s, p) for s, p, _ in self.pairs() if not s["background"]]
        self.background = [p for s, p, _ in self.pairs() if s["background"]]
        self.frames, self.packets = [s for s, _ in pairs], [p for _, p in pairs]
        self.check_segments()
        self.check_questions()
        self.check_connections()
        self.check_hosts()
        self.check_bytes()
        self.check_phases()
        self.check_round_trips()

    # ---- each frame ----

    def check_frames(self):
        for step, packet, what in self.pairs():
            self.same(step["frame"], packet["frame.number"], what)
            self.same(step["time_ns"], packet["time"] - self.start, what + ": time")
            self.same(step["bytes"], packet["frame.len"], what + ": bytes")
            self.same(step["direction"] == "sent", packet["sent"], what + ": direction")
            for header, fields in step["headers"].items():
                for key, tshark in HEADERS[header].items():
                    if key in fields and (tshark in packet or key != "rcode"):  # of answers only
                        self.same(fields[key], number(packet[tshark]), f"{what}: {header}.{key}")
            if step["direction"] == "sent":
                comment = f"sent {step['why_name']}: {step['why']}"
                self.case.assertTrue(packet["frame.comment"].startswith(comment), what)
            elif "drop_name" in step:
                self.same(packet["frame.comment"], step["why"], what)

    def check_layers(self):
        """What each layer weighs, from the lengths that stand in the headers."""
        for step, packet, what in self.pairs():
            if step["background"]:
                continue
            theirs = {}
            if "arp.opcode" in packet:
                theirs["ARP"] = 28
            if "ip.len" in packet:
                theirs["IPv4"] = packet["ip.hdr_len"]
                body = packet["ip.len"] - packet["ip.hdr_len"]
            if "ipv6.plen" in packet:
                theirs["IPv6"] = 40
                body = packet["ipv6.plen"]
            if "icmp.type" in packet:
                theirs["ICMP"] = body
            elif "icmpv6.type" in packet:
                theirs["ICMPv6"] = body
            elif "tcp.len" in packet:
                theirs["TCP"] = packet["tcp.hdr_len"]
                if packet["tcp.len"]:
                    dns = 53 in (packet["tcp.srcport"], packet["tcp.dstport"])
                    theirs["DNS" if dns else "HTTP"] = packet["tcp.len"]
            elif "udp.length" in packet:
                theirs["UDP"] = 8
                theirs["DNS" if "dns.id" in packet else "data"] = packet["udp.length"] - 8
            theirs["Ethernet"] = packet["frame.len"] - sum(theirs.values())
            if "eth.padding" not in packet:
                self.same(theirs["Ethernet"], 14, what + ": nothing left over")
            ours = {layer["name"]: layer["bytes"] for layer in step["layers"]}
            self.same(ours, theirs, what + ": layers")
            order = [layer["layer"] for layer in step["layers"]]
            self.same(order, sorted(order, reverse=step["direction"] == "sent"), what + ": order")
            for layer in step["layers"]:
                self.same(layer["layer"], LAYERS[layer["name"]], what)

    def check_segments(self):
        highest, expected = {}, {}
        for step, packet, what in self.pairs():
            if "segment" not in step:
                continue
            segment = step["segment"]
            flags = int(packet["tcp.flags"], 0)
            self.same(segment["seq"], packet["tcp.seq_raw"], what)
            known = self.walk["connections"][segment["connection"]]["remote_initial_sequence"] is not None
            if packet["sent"] or known:  # a reset in answer to SYN counts from nothing
                self.same(segment["seq_relative"], packet["tcp.seq"], what + ": relative seq")
            self.same(segment["bytes"], packet["tcp.len"], what)
            self.same(segment["window"], packet["tcp.window_size"], what + ": window")
            if flags & 0x10:
                self.same(segment["ack"], packet["tcp.ack_raw"], what)
                self.same(segment["ack_relative"], packet["tcp.ack"], what + ": relative ack")
            names = [name for bit, name in ((1, "FIN"), (2, "SYN"), (4, "RST"), (8, "PSH"), (16, "ACK"))
                     if flags & bit]
            self.same(sorted(segment["flags"].split(", ")), sorted(names), what + ": flags")
            # What repeats, and what leaves a gap, by the numbers that went before.
            way = (packet["tcp.stream"], packet["sent"])
            length = packet["tcp.len"] + bool(flags & 2) + bool(flags & 1)
            end = packet["tcp.seq"] + length
            if packet["sent"]:
                again = length > 0 and end <= highest.get(way, 0)
                self.same(segment["again"], again, what + ": again")
                highest[way] = max(highest.get(way, 0), end)
                if flags & 0x10:  # what we acknowledge has come in order
                    other = (packet["tcp.stream"], False)
                    expected[other] = max(expected.get(other, 0), packet["tcp.ack"])
            else:
                early = length > 0 and packet["tcp.seq"] > expected.get(way, 0)
                self.same(segment["early"], early, what + ": early")
                self.same(segment["again"], length > 0 and end <= expected.get(way, 0), what + ": again")
                if length > 0 and not early:
                    expected[way] = max(expected.get(way, 0), end)

    # ---- who, and what was said ----

    def check_questions(self):
        asked = [p for p in self.packets if p.get("dns.flags.response") in ("False", "0") and "udp.length" in p]
        self.same(len(self.walk["questions"]), len(asked), "questions")
        kinds = {"A": 1, "AAAA": 28}
        for question, packet in zip(self.walk["questions"], asked):
            self.same(question["name"], packet["dns.qry.name"].lower(), "name asked for")
            self.same(question["id"], int(packet["dns.id"], 0), "id")
            self.same(kinds[question["type"]], packet["dns.qry.type"], "type")
            answer = next((p for p in self.packets if not p["sent"] and p.get("dns.id") == packet["dns.id"]
                           and p.get("udp.dstport") == packet["udp.srcport"]), None)
            if answer is None:
                self.same(question["answered"], None, "no answer")
                continue
            step = self.walk["steps"][question["answered"] - 1]
            self.same(step["frame"], answer["frame.number"], "answer's frame")
            field = "dns.a" if question["type"] == "A" else "dns.aaaa"
            ours = [record["data"] for record in question["answers"] if record["type"] == question["type"]]
            self.same(ours, answer["all"].get(field, []), "addresses")

    def streams(self):
        """TCP streams that we opened, in their order, each with its packets."""
        streams = {}
        for packet in self.packets:
            if "tcp.stream" in packet and ("icmp.type" not in packet and "icmpv6.type" not in packet):
                streams.setdefault(packet["tcp.stream"], []).append(packet)
        return [packets for _, packets in sorted(streams.items())]

    def check_connections(self):
        streams = self.streams()
        self.same(len(self.walk["connections"]), len(streams), "connections")
        for ours, packets in zip(self.walk["connections"], streams):
            syn = packets[0]
            answer = next((p for p in packets if not p["sent"] and int(p["tcp.flags"], 0) & 2), None)
            self.same(ours["initial_sequence"], syn["tcp.seq_raw"], "ISN")
            self.same(ours["local_port"], syn["tcp.srcport"], "port")
            self.same(ours["remote_port"], syn["tcp.dstport"], "port")
            self.same(ours["mss"], syn["tcp.options.mss_val"], "MSS")
            self.same(ours["window_scale"], syn["tcp.options.wscale.shift"], "window scale")
            self.same(ours["remote_address"], syn.get("ip.dst") or syn["ipv6.dst"], "address")
            self.same(ours["remote_initial_sequence"], answer and answer["tcp.seq_raw"], "peer's ISN")
            if answer:
                self.same(ours["remote_mss"], answer["tcp.options.mss_val"], "peer's MSS")
            last = max((p["tcp.seq"] + p["tcp.len"] for p in packets if p["sent"] and p["tcp.len"]), default=1)
            self.same(ours["bytes_sent"], max(last - 1, 0), "bytes sent")
            acked = max((p["tcp.ack"] for p in packets if p["sent"] and "tcp.ack" in p), default=0)
            fin = any(not p["sent"] and int(p["tcp.flags"], 0) & 1 and p["tcp.seq"] + p["tcp.len"] < acked
                      for p in packets)
            self.same(ours["bytes_received"], max(acked - 1 - fin, 0), "bytes received")

    def shortest(self):
        """The shortest answer time of each address, by tshark's own analysis."""
        times = {}
        for packet in self.packets:
            if packet["sent"] or ("tcp.analysis.ack_rtt" not in packet and "dns.time" not in packet):
                continue
            address = packet.get("ip.src") or packet["ipv6.src"]
            text = packet.get("tcp.analysis.ack_rtt") or packet["dns.time"]
            times[address] = min(times.get(address, 1 << 62), nanoseconds(text))
        return times

    def check_hosts(self):
        theirs = self.shortest()
        ours = {a["address"]: a["shortest_answer_ns"] for host in self.walk["hosts"][1:]
                for a in host["addresses"] if a["shortest_answer_ns"] is not None}
        if self.walk["summary"]["retransmissions"] == 0:
            self.same(ours, theirs, "shortest answers")
        for host in self.walk["hosts"]:
            if host["mac"]:
                macs = {p["eth.src"] for p in self.packets} | {p["eth.dst"] for p in self.packets}
                self.case.assertIn(host["mac"], macs)

    # ---- sums ----

    def check_bytes(self):
        sums = self.walk["summary"]
        for key, sent in (("sent", True), ("received", False)):
            mine = [(s, p) for s, p, _ in self.pairs() if p["sent"] == sent]
            self.same(sums[key]["frames"], len(mine), key)
            self.same(sums[key]["bytes"], sum(p["frame.len"] for _, p in mine), key)
            application = sum(p.get("tcp.len", 0) + (p["udp.length"] - 8 if "udp.length" in p else 0)
                              for _, p in mine if "icmp.type" not in p and "icmpv6.type" not in p)
            transport = sum(p.get("tcp.hdr_len", 0) + (8 if "udp.length" in p else 0)
                            for _, p in mine if "icmp.type" not in p and "icmpv6.type" not in p)
            internet = sum(p.get("ip.len", 0) + (p["ipv6.plen"] + 40 if "ipv6.plen" in p else 0)
                           for _, p in mine) - application - transport
            access = sums[key]["bytes"] - application - transport - internet
            for layer, value in (("access", access), ("internet", internet), ("transport", transport),
                                 ("application", application)):
                self.same(sums[key][layer], value, f"{key}: {layer}")
        self.same(sums["background"]["frames"], len(self.background), "background")
        self.same(sums["background"]["bytes"], sum(p["frame.len"] for p in self.background), "background")
        self.same(sums["bytes"], sums["sent"]["bytes"] + sums["received"]["bytes"], "all bytes")
        self.same(sums["overhead_bytes"], sums["bytes"] - sums["page_bytes"], "overhead")

    def marks(self):
        """When the phases end, from the packets alone (one hop)."""
        marks = {"start": self.start}
        syns = [p for p in self.packets if p["sent"] and "tcp.flags" in p and int(p["tcp.flags"], 0) & 0x12 == 2
                and p["tcp.dstport"] != 53]
        first_syn = syns[0]["frame.number"] if syns else 1 << 62
        answers = [p for p in self.packets if not p["sent"] and "dns.id" in p and p["frame.number"] < first_syn]
        if answers:
            marks["lookup"] = answers[-1]["time"]
        page = next((s for s in self.streams() if s[0]["tcp.dstport"] != 53
                     and any(p["sent"] and p["tcp.len"] for p in s)), None)
        if page is None:
            return marks, None
        marks["connect"] = next(p["time"] for p in page if not p["sent"] and int(p["tcp.flags"], 0) & 2)
        back = [p for p in page if not p["sent"] and p["tcp.len"]]
        until = back[0]["frame.number"] if back else 1 << 62
        marks["request"] = [p["time"] for p in page if p["sent"] and p["tcp.len"]
                            and p["frame.number"] < until][-1]
        if back:
            marks["wait"], marks["response"] = back[0]["time"], back[-1]["time"]
        if back and any(int(p["tcp.flags"], 0) & 5 for p in page):
            marks["close"] = page[-1]["time"]
        return marks, back[-1] if back else None

    def check_phases(self):
        marks, last = self.marks()
        ours = {p["phase"]: p for p in self.walk["summary"]["phases"]}
        at = marks.pop("start")
        for name, end in marks.items():
            self.same(ours[name]["from_ns"], at - self.start, f"{name}: from")
            self.same(ours[name]["to_ns"], max(end, at) - self.start, f"{name}: to")
            self.same(ours[name]["duration_ns"], max(end, at) - at, f"{name}: duration")
            at = max(end, at)
        if last is not None:
            self.same(self.walk["summary"]["page_ns"], last["time"] - self.start, "page complete")

    def check_round_trips(self):
        """The chain of send and answer that ends with the page's last byte."""
        nearest = self.shortest()
        if self.walk["summary"]["retransmissions"]:
            nearest = {a["address"]: a["shortest_answer_ns"] for host in self.walk["hosts"][1:]
                       for a in host["addresses"]}
        far = [p for p in self.packets if "tcp.len" in p or "dns.id" in p]
        far = [p for p in far if "icmp.type" not in p and "icmpv6.type" not in p]
        _, end = self.marks()
        if end is None:
            end = next((p for p in reversed(far) if not p["sent"]), None)
        trips, distance = 0, 0
        while end is not None:
            peer = end.get("ip.src") or end["ipv6.src"]
            if nearest.get(peer) is None:
                break
            causes = [p for p in far if p["sent"] and p["frame.number"] < end["frame.number"]
                      and peer == (p.get("ip.dst") or p.get("ipv6.dst"))
                      and p["time"] <= end["time"] - nearest[peer]]
            if not causes:
                break
            trips, distance = trips + 1, distance + nearest[peer]
            end = next((p for p in reversed(far) if not p["sent"]
                        and p["frame.number"] < causes[-1]["frame.number"]), None)
        self.same(self.walk["summary"]["round_trips"], trips, "round trips")
        self.same(self.walk["summary"]["distance_ns"], distance, "their distance")
        self.same(sum(p["round_trips"] for p in self.walk["summary"]["phases"]), trips, "by phase")
