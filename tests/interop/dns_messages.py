"""DNS messages for the differential test: well-formed ones of every kind, and broken ones.

A Messages is a seeded source; next() returns (kind, bytes). Nothing here knows the codec: the bytes are
put together by struct alone. Names are compressed at random against names written before.
"""
import random
import struct

A, NS, CNAME, SOA, PTR, HINFO, MX, TXT, AAAA = 1, 2, 5, 6, 12, 13, 15, 16, 28
SRV, NAPTR, DNAME, OPT, SVCB, HTTPS, CAA = 33, 35, 39, 41, 64, 65, 257
TYPES = [A, NS, CNAME, SOA, PTR, HINFO, MX, TXT, AAAA, SRV, NAPTR, DNAME, SVCB, HTTPS, CAA, 65280]
LABELS = ["www", "mail", "a", "B", "example", "Example", "test", "x" * 63, "_tcp", "xn--p1ai", "0-9", "host"]
PRINTABLE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:/.=+ "


class Writer:
    """A message as it grows, with the places of the names in it."""

    def __init__(self, source):
        self.random, self.bytes, self.names = source, b"", {}

    def pack(self, form, *values):
        self.bytes += struct.pack("!" + form, *values)

    def name(self, labels, compress=True):
        labels = tuple(labels)
        for i in range(len(labels)):
            suffix = labels[i:]
            if compress and suffix in self.names and self.random.random() < 0.8:
                self.pack("H", 0xC000 | self.names[suffix])
                return
            if len(self.bytes) < 0x4000:
                self.names.setdefault(suffix, len(self.bytes))
            self.bytes += bytes([len(labels[i])]) + labels[i]
        self.bytes += b"\0"


class Messages:
    def __init__(self, seed, broken=0.4):
        self.random = random.Random(seed)
        self.broken = broken
        self.bad = [self.truncated, self.flipped, self.noisy, self.rdlength, self.pointer, self.label, self.long_name,
                    self.counts, self.two_opts, self.short_address, self.bad_string, self.garbage]

    def next(self):
        if self.random.random() < self.broken:
            maker = self.random.choice(self.bad)
            return maker.__name__, maker()
        return "good", self.good()

    # Parts.

    def number(self, bits):
        return self.random.choice([0, (1 << bits) - 1] + [self.random.getrandbits(bits)] * 6)

    def labels(self):
        count = self.random.choice([0, 1, 1, 2, 2, 3, 3, 4, 6])
        labels = [self.random.choice(LABELS).encode() for _ in range(count)]
        return labels if sum(map(len, labels)) + count < 250 else labels[:2]

    def text(self, longest):
        return "".join(self.random.choices(PRINTABLE, k=self.random.randrange(1, longest))).encode()

    def string(self, longest=60):
        text = self.text(longest)
        return bytes([len(text)]) + text

    def parameters(self):
        every = [(1, b"\2h2" + b"\5http/"), (3, struct.pack("!H", self.number(16))),
                 (4, self.random.randbytes(4 * self.random.randrange(1, 4))),
                 (6, self.random.randbytes(16 * self.random.randrange(1, 3))), (667, self.text(20))]
        chosen = [p for p in every if self.random.random() < 0.6]
        if chosen and self.random.random() < 0.3:
            key = self.random.choice(chosen)[0]
            chosen.insert(0, (0, struct.pack("!H", key)))
        return b"".join(struct.pack("!HH", key, len(value)) + value for key, value in chosen)

    def rdata(self, w, kind):
        if kind == A:
            w.bytes += self.random.randbytes(4)
        elif kind == AAAA:
            w.bytes += self.random.randbytes(16)
        elif kind in (NS, CNAME, PTR, DNAME):
            w.name(self.labels(), kind != DNAME)
        elif kind == SOA:
            w.name(self.labels())
            w.name(self.labels())
            w.pack("5I", *(self.number(32) for _ in range(5)))
        elif kind == MX:
            w.pack("H", self.number(16))
            w.name(self.labels())
        elif kind == TXT:
            w.bytes += b"".join(self.string() for _ in range(self.random.randrange(1, 4)))
        elif kind == HINFO:
            w.bytes += self.string() + self.string()
        elif kind == SRV:
            w.pack("HHH", self.number(16), self.number(16), self.number(16))
            w.name(self.labels(), False)
        elif kind == NAPTR:
            w.pack("HH", self.number(16), self.number(16))
            w.bytes += self.string(3) + self.string(20) + self.string()
            w.name(self.labels(), False)
        elif kind in (SVCB, HTTPS):
            w.pack("H", self.random.randrange(1, 65536))
            w.name(self.labels(), False)
            w.bytes += self.parameters()
        elif kind == CAA:
            tag = self.random.choice([b"issue", b"issuewild", b"iodef", b"contactemail"])
            w.bytes += bytes([self.random.choice([0, 128]), len(tag)]) + tag + self.text(40)
        elif kind == OPT:
            for code in self.random.sample([3, 12, 65001, 65002], self.random.randrange(3)):
                data = bytes(self.random.randrange(9)) if code == 12 else self.text(9)
                w.pack("HH", code, len(data))
                w.bytes += data
        else:
            w.bytes += self.random.randbytes(self.random.randrange(1, 40))

    def record(self, w, kind, change=0):
        w.name([] if kind == OPT else self.labels())
        if kind == OPT:
            w.pack("HHBBH", kind, self.number(16), self.number(8), 0, self.random.choice([0, 0x8000]))
        else:
            family = 1 if kind == TXT and self.random.random() < 0.9 or kind != TXT else 3
            w.pack("HHI", kind, family, self.random.choice([0, 300, 2**31 - 1, self.random.getrandbits(31)]))
        at = len(w.bytes)
        w.pack("H", 0)
        self.rdata(w, kind)
        length = len(w.bytes) - at - 2
        w.bytes = w.bytes[:at] + struct.pack("!H", max(0, length + change) & 0xFFFF) + w.bytes[at + 2:]

    def build(self, kinds=None, opts=None, counts=None, change=0):
        """`kinds`: three lists of types; `change` is added to the last record's RDLENGTH."""
        if kinds is None:
            kinds = [[self.random.choice(TYPES) for _ in range(self.random.choice([0, 1, 1, 2, 4]))] for _ in range(3)]
        opts = self.random.randrange(2) if opts is None else opts
        kinds[2] += [OPT] * opts
        flags = self.random.getrandbits(16) & 0x87BF  # plain queries: opcode 0; Z is 0
        w = Writer(self.random)
        questions = self.random.choice([1] * 9 + [0, 2])
        w.pack("HHHHHH", self.number(16), flags, *(counts or [questions] + [len(k) for k in kinds]))
        for _ in range(questions):
            w.name(self.labels())
            w.pack("HH", self.random.choice(TYPES + [255]), 1)
        left = sum(map(len, kinds))
        for section in kinds:
            for kind in section:
                left -= 1
                self.record(w, kind, change if left == 0 else 0)
        return w

    def good(self):
        return self.build().bytes

    # Broken ones.

    def truncated(self):
        data = self.good()
        return data[:self.random.randrange(len(data))]

    def flipped(self):
        data = bytearray(self.good())
        for _ in range(self.random.randrange(1, 4)):
            at = self.random.randrange(12, len(data)) if len(data) > 12 else 0
            data[at] ^= 1 << self.random.randrange(8)
        return bytes(data)

    def noisy(self):
        data = bytearray(self.good())
        at = self.random.randrange(12, len(data)) if len(data) > 12 else 0
        data[at] = self.random.choice([0, 0x3F, 0x40, 0x80, 0xC0, 0xFF, self.random.getrandbits(8)])
        return bytes(data)

    def rdlength(self):
        kind = self.random.choice([k for k in TYPES if k != 65280])
        change = self.random.choice([-40, -3, -2, -1, 1, 2, 40, 60000])
        return self.build([[kind], [], []], 0, change=change).bytes

    def pointer(self):
        w = Writer(self.random)
        w.pack("HHHHHH", 1, 0x8180, 1, 1, 0, 0)
        at = len(w.bytes) + 2
        target = self.random.choice([at - 2, at, at + 2, at + 40, 0x3FFF, at - 1])
        w.bytes += b"\1a" + struct.pack("!HHH", 0xC000 | target, 1, 1)
        w.pack("HHHIH", 0xC00C, 1, 1, 300, 4)
        w.bytes += b"\1\2\3\4" + bytes(self.random.randrange(50))
        return w.bytes

    def label(self):
        w = Writer(self.random)
        w.pack("HHHHHH", 1, 0x8180, 1, 0, 0, 0)
        length = self.random.randrange(64, 192)
        w.bytes += bytes([length]) + b"x" * length + b"\0\0\1\0\1"
        return w.bytes

    def long_name(self):
        w = Writer(self.random)
        w.pack("HHHHHH", 1, 0x8180, 1, 1, 0, 0)
        w.bytes += (b"\x3f" + b"y" * 63) * 3 + b"\x3d" + b"z" * 61 + b"\0\0\1\0\1"
        w.bytes += b"\1a\xc0\x0c" + struct.pack("!HHIH", 1, 1, 300, 4) + b"\1\2\3\4"
        return w.bytes

    def counts(self):
        kinds = [[A], [NS], [TXT]]
        counts = [1, 1, 1, 1]
        counts[self.random.randrange(1, 4)] += self.random.choice([1, 7, 65534])
        return self.build(kinds, 0, counts).bytes

    def two_opts(self):
        return self.build(None, 2).bytes

    def short_address(self):
        kind, size = self.random.choice([(A, 3), (A, 5), (A, 0), (AAAA, 15), (AAAA, 17), (AAAA, 4)])
        w = Writer(self.random)
        w.pack("HHHHHH", 1, 0x8180, 0, 1, 0, 0)
        w.bytes += b"\1a\0" + struct.pack("!HHIH", kind, 1, 300, size) + bytes(size)
        return w.bytes

    def bad_string(self):
        w = Writer(self.random)
        w.pack("HHHHHH", 1, 0x8180, 0, 1, 0, 0)
        kind, data = self.random.choice([(TXT, b"\x09abc"), (HINFO, b"\1a"), (HINFO, b"\1a\1b\1c"), (CAA, b"\0\x20issue"),
                                         (NAPTR, b"\0\1\0\1\1U\x40"), (SRV, b"\0\1\0\2\0"), (MX, b"\0\1")])
        w.bytes += b"\1a\0" + struct.pack("!HHIH", kind, 1, 300, len(data)) + data
        return w.bytes

    def garbage(self):
        return struct.pack("!HHHHHH", 1, 0x8180, 1, 1, 1, 1) + self.random.randbytes(self.random.randrange(1, 200))
