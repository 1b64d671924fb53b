"""Frames for the differential test of the codecs: well-formed ones of every kind, and broken ones.

A Frames is a seeded source; next() returns (kind, bytes). Nothing here knows the codecs: the bytes
are put together by struct alone, so that a mistake in a codec can't hide in its own tests.
"""
import random
import struct

TCP, UDP, ICMP, ICMP6, NONE = 6, 17, 1, 58, 59
HOP, ROUTING, FRAGMENT, DESTINATION = 0, 43, 44, 60
IP4, ARP, IP6, VLAN, QINQ = 0x0800, 0x0806, 0x86DD, 0x8100, 0x88A8


def ones_sum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def put16(data, at, value):
    return data[:at] + struct.pack("!H", value & 0xFFFF) + data[at + 2:]


class Frames:
    def __init__(self, seed, broken=0.4):
        self.random = random.Random(seed)
        self.broken = broken
        self.good = [self.arp, self.llc, self.tcp4, self.tcp6, self.udp4, self.udp6, self.icmp4,
                     self.icmp6, self.error4, self.error6, self.neighbour, self.fragment4,
                     self.fragment6, self.extensions, self.options4, self.other4, self.other6]
        self.bad = [self.bad_eth, self.bad_llc, self.bad_arp, self.bad_ip4, self.bad_options4,
                    self.bad_ip6, self.bad_extensions, self.bad_routing, self.bad_fragment6,
                    self.bad_icmp, self.bad_neighbour, self.bad_udp, self.bad_tcp,
                    self.bad_tcp_options, self.truncated, self.flipped, self.flipped_and_summed,
                    self.garbage]

    def next(self):
        maker = self.random.choice(self.bad if self.random.random() < self.broken else self.good)
        return maker.__name__, maker()

    # Values.

    def number(self, bits):
        """So many bits, and now and then none, one or all ones."""
        if self.chance(0.13):
            return self.random.choice([0, 1, (1 << bits) - 1])
        return self.random.getrandbits(bits)

    def bytes(self, n):
        return self.random.randbytes(n)

    def chance(self, p):
        return self.random.random() < p

    def below(self, n):
        return self.random.randrange(n)

    def payload(self):
        return self.bytes(self.random.choice([0, 1, 2, 3, 7, 20, 33, 100, 255]))

    def address4(self):
        return bytes([self.random.choice([10, 172, 192, 198, 203])]) + self.bytes(3)

    def off_link(self):
        return bytes.fromhex("20010db8") + self.bytes(12)

    def address6(self):
        if self.chance(0.33):
            return bytes.fromhex("fe80000000000000") + self.bytes(8)
        return self.off_link()

    # Layers. Each takes what it carries and, by name, values that differ from the right ones.

    def ethernet(self, kind, payload):
        head = bytes([self.below(256) & 0xFE]) + self.bytes(5) + bytes([self.below(128) * 2])
        head += self.bytes(5)
        form = self.below(10)
        for _ in range({5: 1, 6: 1, 7: 2}.get(form, 0)):
            head += struct.pack("!HH", VLAN, self.number(16))
        if form == 8:
            head += struct.pack("!HH", QINQ, self.number(16))
            if self.chance(0.5):
                head += struct.pack("!HH", VLAN, self.number(16))
        if form in (6, 9) and len(payload) <= 1492:
            head += struct.pack("!H", len(payload) + 8) + b"\xaa\xaa\3\0\0\0" + struct.pack("!H", kind)
        else:
            head += struct.pack("!H", kind)
        frame = head + payload
        if len(frame) < 60 and self.chance(0.8):
            frame += self.bytes(60 - len(frame))
        return frame

    def header4(self, protocol, payload, options=b"", version=4, ihl=None, length=None, flags=None,
                offset=0, checksum=None):
        options += b"\0" * (-len(options) % 4)
        ihl = 5 + len(options) // 4 if ihl is None else ihl
        length = 20 + len(options) + len(payload) if length is None else length
        flags = self.below(2) * 2 if flags is None else flags
        head = struct.pack("!BBHHHBBH", version << 4 | ihl, self.number(8), length & 0xFFFF,
                           self.number(16), flags << 13 | offset, self.number(8), protocol, 0)
        source, destination = self.address4(), self.address4()
        head += source + destination + options
        right = ~ones_sum(head[:ihl * 4]) & 0xFFFF
        return put16(head, 10, right if checksum is None else checksum(right)) + payload

    def ip4(self, protocol, carried, **changed):
        """`carried` is bytes, or a function of the pseudo-header's sum."""
        packet = self.header4(protocol, b"", **changed)
        if callable(carried):
            addresses = packet[12:20]
            carried = carried(lambda n: ones_sum(addresses + struct.pack("!HH", protocol, n)))
        packet = self.relength4(packet, carried, changed)
        return packet

    def relength4(self, packet, carried, changed):
        if "length" in changed:
            return packet + carried
        head = put16(put16(packet, 2, len(packet) + len(carried)), 10, 0)
        words = (head[0] & 15) * 4
        right = ~ones_sum(head[:words]) & 0xFFFF
        checksum = changed.get("checksum")
        return put16(head, 10, checksum(right) if checksum else right) + carried

    def ip6(self, protocol, carried, chain=b"", first=None, version=6, length=None, source=None,
            destination=None):
        source = source or self.address6()
        destination = destination or self.address6()
        if callable(carried):
            carried = carried(lambda n: ones_sum(source + destination + struct.pack("!II", n, protocol)))
        body = chain + carried
        first = protocol if first is None else first
        length = len(body) if length is None else length
        word = version << 28 | self.number(8) << 20 | self.number(20)
        return struct.pack("!IHBB", word, length & 0xFFFF, first, self.number(8)) + source + \
            destination + body

    def segment(self, options=b"", offset=None, flags=None, payload=None, checksum=None):
        payload = self.payload() if payload is None else payload
        options += b"\0" * (-len(options) % 4)
        offset = 5 + len(options) // 4 if offset is None else offset
        flags = self.number(12) if flags is None else flags
        head = struct.pack("!HHIIHHHH", self.port(), self.port(), self.number(32), self.number(32),
                           offset << 12 | flags, self.number(16), 0, self.number(16)) + options

        def summed(pseudo):
            total = ones_sum(head + payload) + pseudo(len(head + payload))
            right = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
            return put16(head, 16, checksum(right) if checksum else right) + payload

        return summed

    def datagram(self, length=None, payload=None, checksum=None):
        payload = self.payload() if payload is None else payload
        real = 8 + len(payload)
        head = struct.pack("!HHHH", self.port(), self.port(), real if length is None else length, 0)

        def summed(pseudo):
            total = ones_sum(head + payload) + pseudo(real)
            right = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF or 0xFFFF
            return put16(head, 6, checksum(right) if checksum else right) + payload

        return summed

    def message(self, kind, code, rest, six, checksum=None):
        body = bytes([kind, code, 0, 0]) + rest

        def summed(pseudo):
            total = ones_sum(body) + (pseudo(len(body)) if six else 0)
            right = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
            return put16(body, 2, checksum(right) if checksum else right)

        return summed

    def port(self):
        """Not those on which tshark looks for LLC, 12000 to 12004."""
        return self.random.choice([1, 65535, self.below(12000), 12005 + self.below(53531)])

    # TCP options.

    def tcp_option(self):
        n = self.below(4)
        return self.random.choice([
            lambda: b"\2\4" + self.bytes(2),
            lambda: b"\3\3" + bytes([self.below(15)]),
            lambda: b"\4\2",
            lambda: bytes([5, 10 + 8 * (n % 3)]) + self.bytes(8 + 8 * (n % 3)),
            lambda: b"\x08\x0a" + self.bytes(8),
            lambda: b"\1\1\x08\x0a" + self.bytes(8),
            lambda: bytes([34, 6 + 2 * n]) + self.bytes(4 + 2 * n),
            lambda: b"\x1c\4" + self.bytes(2),
            lambda: bytes([172, 2 + 3 * n]) + self.bytes(3 * n),
            lambda: bytes([174, 2 + 3 * n]) + self.bytes(3 * n),
            lambda: bytes([254, 4 + n]) + b"\x12\x34" + self.bytes(n),
            lambda: b"\x13\x12" + self.bytes(16),
            lambda: b"\x63" + bytes([2 + n]) + self.bytes(n),
            lambda: b"\x1e\x0c\1\x81" + self.bytes(8),
            lambda: b"\x0c" + bytes([3 + n]) + self.bytes(1 + n),
            lambda: b"\1",
        ])()

    def tcp_options(self):
        if self.chance(0.2):
            return b""
        if self.chance(0.3):
            return b"\1\1\x08\x0a" + self.bytes(8)
        options = b""
        while self.chance(0.7):
            one = self.tcp_option()
            if len(options) + len(one) <= 40:
                options += one
        if self.chance(0.05) and len(options) % 4 == 0 and len(options) < 40:
            options += b"\0" + self.bytes(3)
        return options

    # Well-formed frames.

    def arp(self):
        packet = struct.pack("!HHBBH", 1, IP4, 6, 4, 1 + self.below(2)) + self.bytes(20)
        return self.ethernet(ARP, packet)

    def llc(self):
        body = b"\x90" + self.bytes(self.below(60))
        head = bytes([self.random.choice([0x42, 0xFE, 0xF0, 6]), self.random.choice([0x42, 0xFE]), 3])
        if self.chance(0.1):
            head = b"\xff\xff" + self.bytes(1)
        frame = self.bytes(12) + struct.pack("!H", len(head + body)) + head + body
        return frame + self.bytes(max(0, 60 - len(frame)))

    def tcp4(self):
        return self.ethernet(IP4, self.ip4(TCP, self.segment(self.tcp_options())))

    def tcp6(self):
        return self.ethernet(IP6, self.ip6(TCP, self.segment(self.tcp_options())))

    def udp4(self):
        checksum = (lambda right: 0) if self.chance(0.2) else None
        return self.ethernet(IP4, self.ip4(UDP, self.datagram(checksum=checksum)))

    def udp6(self):
        return self.ethernet(IP6, self.ip6(UDP, self.datagram()))

    def icmp4(self):
        kind = self.random.choice([0, 8])
        rest = self.bytes(4) + self.payload()
        return self.ethernet(IP4, self.ip4(ICMP, self.message(kind, 0, rest, False)))

    def icmp6(self):
        kind = self.random.choice([128, 129])
        rest = self.bytes(4) + self.payload()
        return self.ethernet(IP6, self.ip6(ICMP6, self.message(kind, 0, rest, True)))

    def quoted(self):
        """A transport header in an error; now and then a damaged one."""
        checksum = (lambda right: right ^ 0x1000) if self.chance(0.1) else None
        return self.random.choice([(TCP, self.segment(b"", payload=b"", checksum=checksum)),
                                   (UDP, self.datagram(checksum=checksum))])

    def error4(self):
        kind, codes = self.random.choice([(3, 16), (4, 1), (5, 4), (11, 2), (12, 3)])
        quoted = self.ip4(*self.quoted())
        quoted = quoted[:self.random.choice([28, len(quoted)])]
        rest = self.bytes(4)
        if kind in (3, 11):
            rest = b"\0\0" + rest[2:]
        if kind == 12:
            rest = rest[:1] + b"\0\0\0"
        code = self.below(codes)
        return self.ethernet(IP4, self.ip4(ICMP, self.message(kind, code, rest + quoted, False)))

    def error6(self):
        kind, codes = self.random.choice([(1, 7), (2, 1), (3, 2), (4, 3)])
        quoted = self.ip6(*self.quoted())
        quoted = quoted[:self.random.choice([48, len(quoted)])]
        rest = self.bytes(4) if kind in (2, 4) else bytes(4)
        if self.chance(0.05):
            rest, quoted = b"\xff" + bytes(3), self.bytes(7)
        message = self.message(kind, self.below(codes), rest + quoted, True)
        return self.ethernet(IP6, self.ip6(ICMP6, message))

    def mac_option(self, kind, units=1):
        return bytes([kind, units]) + self.bytes(8 * units - 2)

    def prefix_option(self, length=None):
        length = self.below(129) if length is None else length
        flags = self.below(4) << 6
        return struct.pack("!BBBBIII", 3, 4, length, flags, self.number(32), self.number(32), 0) + \
            self.address6()

    def neighbour_message(self, kind):
        link = bytes.fromhex("fe80000000000000") + self.bytes(8)
        if kind == 133:
            return bytes(4), self.mac_option(1) if self.chance(0.5) else b""
        if kind == 134:
            fixed = struct.pack("!BBHII", self.number(8), self.below(4) << 6, self.number(16),
                                self.number(32), self.number(32))
            options = self.mac_option(1) if self.chance(0.5) else b""
            options += b"\5\1\0\0" + struct.pack("!I", self.number(32)) if self.chance(0.5) else b""
            for _ in range(self.below(4)):
                options += self.prefix_option()
            return fixed, options
        if kind == 135:
            return bytes(4) + self.address6(), self.mac_option(1) if self.chance(0.5) else b""
        if kind == 136:
            fixed = bytes([self.below(8) << 5, 0, 0, 0]) + self.address6()
            return fixed, self.mac_option(2) if self.chance(0.5) else b""
        target = self.address6()
        if self.chance(0.5):
            return bytes(4) + link + target, self.mac_option(2)
        return bytes(4) + target + target, b""

    def neighbour(self):
        kind = 133 + self.below(5)
        fixed, options = self.neighbour_message(kind)
        message = self.message(kind, 0, fixed + options, True)
        return self.ethernet(IP6, self.ip6(ICMP6, message))

    def fragment4(self):
        offset = self.random.choice([0, 0, 1, 5, 1000, 8100])
        flags = 1 if offset == 0 or self.chance(0.5) else 0
        segment = self.segment(self.tcp_options(), payload=self.bytes(40))
        carried = segment(lambda n: 0) if offset == 0 else self.bytes(8 * (1 + self.below(9)))
        carried = carried[:len(carried) // 8 * 8]
        return self.ethernet(IP4, self.ip4(TCP, carried, flags=flags, offset=offset))

    def fragment_header(self, following, offset, more):
        return struct.pack("!BBHI", following, 0, offset << 3 | more, self.number(32))

    def fragment6(self):
        offset = self.random.choice([0, 0, 1, 5, 1000, 8100])
        more = self.below(2)
        if offset == 0 and more == 0:
            carried = self.segment(self.tcp_options())
        elif offset == 0:
            whole = self.segment(self.tcp_options(), payload=self.bytes(40))(lambda n: 0)
            carried = whole[:len(whole) // 8 * 8]
        else:
            carried = self.bytes(8 * self.below(9))
        return self.ethernet(IP6, self.ip6(TCP, carried, self.fragment_header(TCP, offset, more),
                                           FRAGMENT))

    def options6(self, kind, following):
        body = b"\5\2\0\0" if kind == HOP and self.chance(0.5) else b""
        if self.chance(0.3):
            body += b"\x1e\3" + self.bytes(3)
        if self.chance(0.05):
            body += b"\x26\3" + self.bytes(3)  # Quick-Start of a wrong length, to be skipped
        short = -(len(body) + 2) % 8
        body += b"\0" if short == 1 else bytes([1, short - 2]) + bytes(short - 2) if short else b""
        return bytes([following, (len(body) + 2) // 8 - 1]) + body

    def chain(self, kinds, last):
        out = b""
        for i, kind in enumerate(kinds):
            following = kinds[i + 1] if i + 1 < len(kinds) else last
            if kind in (HOP, DESTINATION):
                out += self.options6(kind, following)
            elif kind == ROUTING:
                out += bytes([following, 0, 253, 0]) + self.bytes(4)
            else:
                out += self.fragment_header(following, 0, 0)
        return out

    def extensions(self):
        kinds = [HOP] if self.chance(0.5) else []
        kinds += [DESTINATION] if self.chance(0.5) else []
        kinds += [ROUTING] if self.chance(0.3) else []
        kinds += [FRAGMENT] if self.chance(0.3) else []
        kinds += [DESTINATION] if self.chance(0.3) else []
        protocol, carried = self.random.choice([(TCP, self.segment(self.tcp_options())),
                                                (UDP, self.datagram())])
        first = kinds[0] if kinds else protocol
        return self.ethernet(IP6, self.ip6(protocol, carried, self.chain(kinds, protocol), first))

    def pointer(self, right):
        return self.random.choice([right, right, right, 1, right + 1, 255])

    def options4(self):
        options = b""
        for _ in range(self.below(4)):
            n = self.below(3)
            options += self.random.choice([
                b"\1", b"\x94\4\0\0", bytes([7, 3 + 4 * n, self.pointer(4)]) + bytes(4 * n),
                bytes([68, 4 + 4 * n, self.pointer(5), 0]) + bytes(4 * n), b"\x88\4" + self.bytes(2)])
        return self.ethernet(IP4, self.ip4(UDP, self.datagram(), options=options[:40]
                                           if len(options) <= 40 else b""))

    def other4(self):
        if self.chance(0.1):
            return self.ethernet(IP4, self.ip4(self.random.choice([4, 41]), b"\x90" + self.bytes(30)))
        return self.ethernet(IP4, self.ip4(self.random.choice([61, 99, 200, 253]), self.payload()))

    def other6(self):
        if self.chance(0.3):
            return self.ethernet(IP6, self.ip6(NONE, self.payload()))
        if self.chance(0.1):
            return self.ethernet(IP6, self.ip6(ICMP, b"\x08" + self.bytes(30)))
        kind = self.random.choice([61, 99, 253])
        return self.ethernet(IP6, self.ip6(kind, self.bytes(1 + self.below(40))))

    # Broken frames: one defect each, the rest of the frame is as it should be.

    def bad_eth(self):
        head = self.bytes(12)
        return self.random.choice([
            lambda: self.bytes(self.below(14)),
            lambda: head + struct.pack("!H", 1501 + self.below(35)) + self.bytes(46),
            lambda: head + struct.pack("!H", 100 + self.below(1400)) + b"\x42\x42\3" + self.bytes(43),
            lambda: head + struct.pack("!HHH", QINQ, 7, 100 + self.below(1400)) + b"\x42\x42\3",
            lambda: head + struct.pack("!H", VLAN) + self.bytes(self.below(4)),
            lambda: head + struct.pack("!HHH", VLAN, self.number(16), 1501 + self.below(35)) + bytes(42),
        ])()

    def bad_llc(self):
        head = self.bytes(12)
        n = self.below(3)
        return self.random.choice([
            lambda: head + struct.pack("!H", n) + b"\x42\x42\3"[:n] + bytes(46),
            lambda: head + struct.pack("!H", 3 + n) + b"\xaa\xaa\3\0\0" + bytes(41),
            lambda: head + struct.pack("!HHH", QINQ, 7, n) + b"\x42\x42\3"[:n] + bytes(46),
            lambda: head + struct.pack("!HHHHH", VLAN, 7, QINQ, 7, VLAN) + b"\0",
        ])()

    def bad_arp(self):
        head = [1, IP4, 6, 4, 1]
        what = self.below(6)
        if what < 4:
            head[what] = self.random.choice([0, 2, 255, 7]) if what != 1 else 0x8035
        elif what == 4:
            head[4] = self.random.choice([0, 3, 4, 8, 9, 65535])
        packet = struct.pack("!HHBBH", *head) + self.bytes(20)
        if what == 5:
            return self.bytes(12) + struct.pack("!H", ARP) + packet[:self.below(28)]
        return self.ethernet(ARP, packet)

    def bad_ip4(self):
        carried = self.segment(self.tcp_options())
        changed = self.random.choice([
            {"version": self.random.choice([0, 3, 5, 6, 15])},
            {"ihl": self.below(5)},
            {"ihl": 15},
            {"length": self.below(20)},
            {"length": 400 + self.below(60000)},
            {"checksum": lambda right: right ^ 1 << self.below(16)},
            {"checksum": lambda right: right + 1 + self.below(1000)},
            {"cut": 1},
        ])
        if "cut" in changed:
            packet = self.ip4(TCP, carried)
            return self.bytes(12) + struct.pack("!H", IP4) + packet[:self.below(20)]
        if changed.get("ihl") == 15:
            carried = self.bytes(self.below(30))
            changed["length"] = 20 + len(carried)
        packet = self.ip4(TCP, carried, **changed)
        return self.bytes(12) + struct.pack("!H", IP4) + packet

    def bad_options4(self):
        options = self.random.choice([
            b"\7\0\4\0", b"\7\1\4\0", b"\7\xff\4\0", b"\7\5\4\0", b"\1\1\1\7", b"\x44\3\5\0",
            b"\7\2\1\1", b"\x94\3\0\1", b"\x94\5\0\0\0", b"\x88\3\0\1", b"\x83\7\4\xc0\0\2\1\0",
            b"\x89\7\4\xc0\0\2\1\0", b"\x83\3\4\0", b"\xde\1\0\0", b"\x5e\0\0\0", b"\1\x82\x0c\0"])
        return self.ethernet(IP4, self.ip4(UDP, self.datagram(), options=options))

    def bad_ip6(self):
        carried = self.segment(b"")
        mapped = bytes(10) + b"\xff\xff" + self.address4()
        changed = self.random.choice([
            {"version": self.random.choice([0, 4, 5, 7, 15])},
            {"length": 400 + self.below(60000)},
            {"length": 0},
            {"source": mapped},
            {"destination": mapped},
            {"cut": 1},
        ])
        if "cut" in changed:
            packet = self.ip6(TCP, carried)
            return self.bytes(12) + struct.pack("!H", IP6) + packet[:self.below(40)]
        return self.bytes(12) + struct.pack("!H", IP6) + self.ip6(TCP, carried, **changed)

    def bad_extensions(self):
        def options(body):
            return bytes([TCP, (len(body) + 2) // 8 - 1]) + body

        chain, first = self.random.choice([
            (options(b"\5\5\0\0\0\0"), DESTINATION),
            (options(b"\5\xff\0\0\0\0"), HOP),
            (options(b"\1\5\0\0\0\0"), DESTINATION),
            (options(b"\0\0\0\0\0\5"), DESTINATION),
            (options(b"\x5e\4\0\0\0\0"), DESTINATION),
            (options(b"\x9e\4\0\0\0\0"), HOP),
            (options(b"\xde\4\0\0\0\0"), DESTINATION),
            (options(b"\xc2\4\0\1\0\0"), HOP),
            (options(bytes(14)), DESTINATION),
            (options(b"\1\x0c" + bytes(12)), HOP),
            (options(b"\x1e\0" * 9 + b"\1\2\0\0"), DESTINATION),
            (bytes([DESTINATION, 0, 1, 4, 0, 0, 0, 0]) * 9 + options(b"\1\4\0\0\0\0"), DESTINATION),
            (bytes([HOP, 0, 1, 4, 0, 0, 0, 0]) + options(b"\1\4\0\0\0\0"), DESTINATION),
            (bytes([HOP, 0, 1, 4, 0, 0, 0, 0]) + options(b"\1\4\0\0\0\0"), HOP),
            (bytes([TCP, 255, 1, 4, 0, 0, 0, 0]), DESTINATION),
            (bytes([TCP, 255, 253, 0, 0, 0, 0, 0]), ROUTING),
        ])
        carried = self.segment(b"", payload=self.bytes(20))
        return self.ethernet(IP6, self.ip6(TCP, carried, chain, first))

    def bad_routing(self):
        kind = self.random.choice([0, 2, 3, 4, 99, 253])
        n = self.random.choice([1, 1, 2, 255])
        chain = bytes([TCP, 2, kind, n]) + bytes(4) + self.address6()
        return self.ethernet(IP6, self.ip6(TCP, self.segment(b""), chain, ROUTING))

    def bad_fragment6(self):
        if self.chance(0.5):
            chain = self.fragment_header(FRAGMENT, 0, 0) + self.fragment_header(TCP, 0, 0)
            return self.ethernet(IP6, self.ip6(TCP, self.segment(b""), chain, FRAGMENT))
        chain = self.fragment_header(TCP, 0, 1)
        return self.ethernet(IP6, self.ip6(TCP, self.bytes(8 * self.below(3)), chain, FRAGMENT))

    def bad_icmp(self):
        wrong = lambda right: right ^ 1 << self.below(16)
        rest = self.bytes(4) + self.payload()
        return self.random.choice([
            lambda: self.ethernet(IP4, self.ip4(ICMP, self.message(8, 0, rest, False, wrong))),
            lambda: self.ethernet(IP6, self.ip6(ICMP6, self.message(128, 0, rest, True, wrong))),
            lambda: self.ethernet(IP4, self.ip4(ICMP, self.message(8, 0, rest, False)(None)[:self.below(8)])),
            lambda: self.ethernet(IP6, self.ip6(ICMP6, self.bytes(1 + self.below(7)))),
        ])()

    def bad_neighbour(self):
        kind = 133 + self.below(5)
        fixed, options = self.neighbour_message(kind)
        code = 0
        what = self.below(7)
        group = bytes.fromhex("ff020000000000000000000000000001")
        if what == 0:
            fixed, options = fixed[:self.below(len(fixed))], b""
            fixed = fixed or b"\0"
        elif what == 1:
            code = 1 + self.below(255)
        elif what == 2:
            options += bytes([self.random.choice([1, 2, 3, 5, 14, 99]), 0]) + self.bytes(6)
        elif what == 3:
            options += bytes([self.random.choice([1, 2, 5, 99]), 2 + self.below(200)]) + self.bytes(6)
        elif what == 4:
            options += self.random.choice([b"\x0a\1", self.bytes(1 + self.below(7))])
        elif what == 5 and self.chance(0.4):
            kind, fixed, options = 137, bytes(4) + self.off_link() + self.off_link(), b""
        elif what == 5:
            kind, fixed = 135 + self.below(2), bytes(4) + group
        else:
            kind, fixed = 134, self.neighbour_message(134)[0]
            options = self.random.choice([self.prefix_option(129 + self.below(127)),
                                          self.mac_option(1, 2), self.mac_option(5, 2),
                                          self.mac_option(3, 2)])
        message = self.message(kind, code, fixed + options, True)
        return self.ethernet(IP6, self.ip6(ICMP6, message))

    def bad_udp(self):
        six = self.chance(0.5)
        wrap = (lambda carried: self.ethernet(IP6, self.ip6(UDP, carried))) if six else \
            (lambda carried: self.ethernet(IP4, self.ip4(UDP, carried)))
        wrong = lambda right: right ^ 1 << self.below(16)
        what = self.below(5)
        if what == 0:
            return wrap(self.datagram(length=self.below(8)))
        if what == 1:
            return wrap(self.datagram(length=300 + self.below(60000)))
        if what == 2 and six:
            return wrap(self.datagram(checksum=lambda right: 0))
        if what == 3:
            return wrap(self.bytes(self.random.choice([0, self.below(8)])))
        return wrap(self.datagram(checksum=wrong))

    def wrap_tcp(self, carried):
        if self.chance(0.5):
            return self.ethernet(IP6, self.ip6(TCP, carried))
        return self.ethernet(IP4, self.ip4(TCP, carried))

    def bad_tcp(self):
        wrong = lambda right: right ^ 1 << self.below(16)
        return self.wrap_tcp(self.random.choice([
            lambda: self.segment(offset=self.below(5)),
            lambda: self.segment(offset=15, payload=self.bytes(self.below(40))),
            lambda: self.segment(self.tcp_options(), checksum=wrong),
            lambda: self.bytes(self.below(20)),
        ])())

    def bad_tcp_options(self):
        options = self.random.choice([
            b"\2\0\5\xb4", b"\2\1\5\xb4", b"\2\3\5\xb4", b"\2\5\5\xb4\1", b"\1\1\1\2", b"\1\1\2\4",
            b"\x08\x09" + bytes(10), b"\1\1\x08\x0a" + bytes(4), b"\3\2\7\1", b"\4\3\0\1", b"\5\2\1\1", b"\1\1\5\2",
            b"\5\7" + bytes(6), b"\5\x0b" + bytes(10), b"\5\xff\0\0", b"\x1c\3\0\1", b"\xfe\3\xf9\1",
            b"\x13\4\0\0", b"\x63\0\0\0", b"\x63\1\0\0", b"\x63\xff\0\0", b"\x22\3\1\1", b"\x22\5\1\2\3",
            b"\2\4\5\xb4\3\0\4\2", b"\x1e\3\0\1", b"\x1e\3\0\2\0\1\1\1"])
        return self.wrap_tcp(self.segment(options))

    def any_good(self):
        return self.random.choice([maker for maker in self.good if maker != self.llc])()

    def truncated(self):
        frame = self.any_good()
        return frame[:self.below(len(frame))]

    def flipped(self):
        frame = bytearray(self.any_good())
        for _ in range(1 + self.below(3)):
            bit = self.below(min(len(frame), 90) * 8)
            frame[bit // 8] ^= 1 << bit % 8
        return bytes(frame)

    def flipped_and_summed(self):
        """Bits flipped in a TCP segment over IPv4, with the sums made right again."""
        packet = bytearray(self.ip4(TCP, self.segment(self.tcp_options(), payload=self.bytes(20))))
        for _ in range(1 + self.below(3)):
            bit = self.below(min(len(packet), 60) * 8)
            packet[bit // 8] ^= 1 << bit % 8
        packet = bytes(packet)
        words = (packet[0] & 15) * 4
        if 20 <= words <= len(packet):
            packet = put16(packet, 10, 0)
            packet = put16(packet, 10, ~ones_sum(packet[:words]))
            length = struct.unpack("!H", packet[2:4])[0]
            if packet[9] == TCP and words + 20 <= length <= len(packet):
                segment = put16(packet[words:length], 16, 0)
                total = ones_sum(segment) + ones_sum(packet[12:20] + struct.pack("!HH", TCP, len(segment)))
                segment = put16(segment, 16, ~((total & 0xFFFF) + (total >> 16)))
                packet = packet[:words] + segment + packet[length:]
        return self.bytes(12) + struct.pack("!H", IP4) + packet

    def garbage(self):
        kind = self.random.choice([IP4, IP6, ARP, 20, VLAN, QINQ])
        first = {IP4: b"E", IP6: b"`"}.get(kind, b"")
        return self.bytes(12) + struct.pack("!H", kind) + first + self.bytes(self.below(100))
