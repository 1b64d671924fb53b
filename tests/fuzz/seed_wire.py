#!/usr/bin/python3
"""Writes the corpora of the header codecs: one small file for each form worth starting from.

    tests/fuzz/seed_wire.py        writes tests/fuzz/corpus/{eth,arp,ip4,ip6,icmp,nd,udp,tcp}/*

The files are committed; this script says what each of them is.
"""
import pathlib
import struct

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
A = bytes.fromhex("aabbccddeeff")
B = bytes.fromhex("001122334455")
LOCAL = bytes.fromhex("fe80000000000000020000fffe000001")
ROUTER = bytes.fromhex("fe80000000000000020000fffe0000fe")
GLOBAL = bytes.fromhex("20010db8000000000000000000000001")
GROUP = bytes.fromhex("ff0200000000000000000001ff000001")
MAPPED = bytes.fromhex("00000000000000000000ffffc0000201")


def ones(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet():
    head = B + A
    tag = lambda tpid, tci: struct.pack("!HH", tpid, tci)
    snap = b"\xaa\xaa\x03\0\0\0"
    return {
        "ip4": head + b"\x08\0" + b"E" + bytes(45),
        "ip6": head + b"\x86\xdd" + b"`" + bytes(45),
        "arp": head + b"\x08\x06" + bytes(46),
        "broadcast": b"\xff" * 6 + A + b"\x08\x06" + bytes(46),
        "vlan": head + tag(0x8100, 0x2005) + b"\x08\0" + bytes(46),
        "qinq": head + tag(0x88A8, 7) + tag(0x8100, 9) + b"\x08\0" + bytes(46),
        "vlan-vlan": head + tag(0x8100, 7) + tag(0x8100, 9) + b"\x86\xdd" + bytes(46),
        "vlan-cut": head + b"\x81\0\0\1",
        "three-tags": head + tag(0x8100, 1) * 3 + b"\x08\0",
        "inner-qinq": head + tag(0x8100, 1) + tag(0x88A8, 2) + b"\x08\0",
        "llc": head + b"\0\3\x42\x42\3" + bytes(43),
        "snap": head + b"\0\x0a" + snap + b"\x08\0" + b"EE" + bytes(36),
        "snap-vlan": head + tag(0x8100, 3) + b"\0\x0a" + snap + b"\x08\0" + bytes(40),
        "snap-other": head + b"\0\x0a\xaa\xaa\3\0\0\x0c\x20\0" + bytes(40),
        "snap-cut": head + b"\0\5\xaa\xaa\3\0\0" + bytes(41),
        "length-past-end": head + b"\x05\xdc" + bytes(46),
        "undefined": head + b"\x05\xdd" + bytes(46),
        "runt": head,
        "short": head[:13],
        "empty": b"",
    }


def arp():
    def packet(operation, head=b"\0\1\x08\0\6\4"):
        return (head + struct.pack("!H", operation) + A + bytes([192, 0, 2, 1]) + B +
                bytes([192, 0, 2, 2]))

    return {
        "request": packet(1),
        "reply": packet(2),
        "padded": packet(1) + bytes(18),
        "operation-3": packet(3),
        "lengths-255": packet(1, b"\0\1\x08\0\xff\xff"),
        "wifi": packet(1, b"\0\6\x08\0\6\4"),
        "ip6": packet(1, b"\0\1\x86\xdd\6\4"),
        "cut": packet(1)[:27],
        "fixed-part": packet(1)[:8],
        "empty": b"",
    }


def ip4():
    def packet(options=b"", payload=bytes(20), version=4, ihl=None, length=None, fragment=0x4000,
               protocol=6, checksum=None):
        ihl = 5 + len(options) // 4 if ihl is None else ihl
        length = 20 + len(options) + len(payload) if length is None else length
        head = struct.pack("!BBHHHBBH", version << 4 | ihl, 0, length, 1, fragment, 64, protocol, 0)
        head += bytes([192, 0, 2, 1, 198, 51, 100, 2]) + options
        total = ones(head) if checksum is None else checksum
        return head[:10] + struct.pack("!H", total) + head[12:] + payload

    return {
        "tcp": packet(),
        "udp": packet(protocol=17, payload=bytes(8)),
        "fragment-first": packet(fragment=0x2000),
        "fragment-last": packet(fragment=0x0003),
        "reserved-bit": packet(fragment=0x8000),
        "router-alert": packet(b"\x94\4\0\0"),
        "record-route": packet(b"\7\x0b\4" + bytes(8) + b"\0"),
        "timestamp": packet(b"\x44\x0c\5\0" + bytes(8)),
        "all-options": packet(b"\1" * 39 + b"\0"),
        "loose-route": packet(b"\x83\7\4\xc0\0\2\3\0"),
        "strict-route": packet(b"\x89\7\4\xc0\0\2\3\0"),
        "option-length-0": packet(b"\7\0\4\0"),
        "option-length-1": packet(b"\7\1\4\0"),
        "option-past-end": packet(b"\7\xff\4\0"),
        "option-no-length": packet(b"\1\1\1\7"),
        "version-6": packet(version=6),
        "ihl-4": packet(ihl=4),
        "ihl-15": packet(ihl=15),
        "total-0": packet(length=0),
        "total-19": packet(length=19),
        "total-past-end": packet(length=1500),
        "bad-checksum": packet(checksum=0x1234),
        "second-zero": packet(checksum=0xFFFF),
        "padding": packet(length=20),
        "cut": packet()[:19],
        "empty": b"",
    }


def ip6():
    def packet(following, payload, length=None, version=6, source=GLOBAL, destination=LOCAL):
        length = len(payload) if length is None else length
        return (struct.pack("!IHBB", version << 28 | 0x0AB12345, length, following, 64) + source +
                destination + payload)

    def options(following, body):
        return bytes([following, (len(body) + 2) // 8 - 1]) + body

    def fragment(following, offset, more, ident=0x1234):
        return struct.pack("!BBHI", following, 0, offset | more, ident)

    pad = b"\1\4\0\0\0\0"
    upper = bytes(20)
    return {
        "tcp": packet(6, upper),
        "no-next": packet(59, b""),
        "no-next-data": packet(59, b"data"),
        "hop-by-hop": packet(0, options(6, b"\5\2\0\0\1\0") + upper),
        "destination": packet(60, options(6, pad) + upper),
        "routing-done": packet(43, bytes([6, 2, 4, 0]) + bytes(20) + upper),
        "routing-0": packet(43, bytes([6, 2, 0, 1]) + bytes(20) + upper),
        "routing-200": packet(43, bytes([6, 2, 200, 255]) + bytes(20) + upper),
        "fragment-first": packet(44, fragment(6, 0, 1) + upper),
        "fragment-tiny": packet(44, fragment(6, 0, 1) + bytes(8)),
        "fragment-middle": packet(44, fragment(0, 8, 1) + bytes(8)),
        "fragment-atomic": packet(44, fragment(17, 0, 0) + bytes(8)),
        "fragment-twice": packet(44, fragment(44, 0, 0) + fragment(6, 0, 0) + upper),
        "everything": packet(0, options(60, pad) + options(43, pad) + bytes([44, 0, 4, 0]) + bytes(4)
                             + fragment(60, 0, 0) + options(6, pad) + upper),
        "authentication": packet(51, bytes([6, 4]) + bytes(22) + upper),
        "esp": packet(50, bytes(24)),
        "option-skip": packet(60, options(6, b"\x1e\4\0\0\0\0") + upper),
        "option-discard": packet(60, options(6, b"\x5e\4\0\0\0\0") + upper),
        "option-report": packet(60, options(6, b"\x9e\4\0\0\0\0") + upper),
        "option-report-unicast": packet(60, options(6, b"\xde\4\0\0\0\0") + upper),
        "option-past-end": packet(60, options(6, b"\x1e\x40\0\0\0\0") + upper),
        "jumbo": packet(0, options(6, b"\xc2\4\0\1\0\0") + upper, length=0),
        "nine-headers": packet(60, b"".join(options(60 if i < 8 else 6, pad) for i in range(9)) + upper),
        "nine-options": packet(60, options(6, b"\x1e\0" * 9 + b"\1\2\0\0") + upper),
        "padding-run": packet(60, options(6, b"\0" * 14) + upper),
        "hop-by-hop-second": packet(60, options(0, pad) + options(6, pad) + upper),
        "length-255": packet(60, b"\6\xff" + bytes(62)),
        "chain-cut": packet(60, b"\6\1" + pad),
        "mapped-source": packet(6, upper, source=MAPPED),
        "mapped-destination": packet(6, upper, destination=MAPPED),
        "version-4": packet(6, upper, version=4),
        "length-past-end": packet(6, upper, length=21),
        "cut": packet(6, b"")[:39],
        "empty": b"",
    }


def icmp():
    def message(kind, code, rest=b"\x12\x34\0\1", body=b"ping"):
        return bytes([kind, code, 0xAB, 0xCD]) + rest + body

    return {
        "echo": message(8, 0),
        "echo-reply": message(0, 0),
        "port-unreachable": message(3, 3, bytes(4), bytes(28)),
        "fragmentation-needed": message(3, 4, b"\0\0\5\0", bytes(28)),
        "redirect": message(5, 1, bytes([192, 0, 2, 9]), bytes(28)),
        "time-exceeded": message(11, 0, bytes(4), bytes(28)),
        "parameter": message(12, 0, b"\x14\0\0\0", bytes(28)),
        "echo6": message(128, 0),
        "too-big": message(2, 0, b"\0\0\5\0", bytes(48)),
        "parameter6": message(4, 1, b"\0\0\0\6", bytes(48)),
        "unknown": message(255, 255),
        "cut": message(8, 0)[:7],
        "empty": b"",
    }


def nd():
    mac = lambda kind, address: bytes([kind, 1]) + address
    prefix = lambda length: bytes([3, 4, length, 0xC0]) + struct.pack("!III", 86400, 14400, 0) + GLOBAL
    mtu = b"\5\1\0\0" + struct.pack("!I", 1500)
    head = lambda kind, rest=bytes(4): bytes([kind, 0, 0, 0]) + rest
    router = head(134, b"\x40\xc0\x07\x08") + struct.pack("!II", 30000, 1000)
    return {
        "rs": head(133),
        "rs-mac": head(133) + mac(1, A),
        "ra": router,
        "ra-full": router + mac(1, A) + mtu + prefix(64) + prefix(48),
        "ra-nine-prefixes": router + prefix(64) * 9,
        "ra-prefix-129": router + prefix(129),
        "ra-order": router + prefix(64) + mtu + mac(1, A),
        "ra-rdnss": router + b"\x19\3\0\0\0\0\x0e\x10" + GLOBAL,
        "ns": head(135) + LOCAL + mac(1, A),
        "ns-dad": head(135) + LOCAL,
        "ns-group": head(135) + GROUP,
        "ns-mapped": head(135) + MAPPED,
        "na": head(136, b"\xe0\0\0\0") + LOCAL + mac(2, A),
        "redirect": head(137) + ROUTER + GLOBAL + mac(2, A) + bytes([4, 2]) + bytes(14),
        "redirect-self": head(137) + GLOBAL + GLOBAL,
        "redirect-off-link": head(137) + GLOBAL + LOCAL,
        "option-length-0": head(133) + b"\1\0" + A,
        "option-past-end": head(133) + b"\1\2" + A,
        "option-cut": head(133) + b"\1\1" + A[:5],
        "code-1": b"\x87\1\0\0" + bytes(4) + LOCAL,
        "cut": head(135) + LOCAL[:15],
        "empty": b"",
    }


def udp():
    def datagram(length, payload=b"hello"):
        return struct.pack("!HHHH", 54321, 53, length, 0x1234) + payload

    return {
        "plain": datagram(13),
        "no-data": datagram(8, b""),
        "padding": datagram(8),
        "length-0": datagram(0),
        "length-7": datagram(7),
        "length-past-end": datagram(14),
        "length-65535": datagram(65535),
        "cut": datagram(8)[:7],
        "empty": b"",
    }


def tcp():
    def segment(options=b"", flags=0x10, offset=None, payload=b""):
        options += b"\0" * (-len(options) % 4)
        offset = 5 + len(options) // 4 if offset is None else offset
        return struct.pack("!HHIIHHHH", 54321, 80, 0x01020304, 0x05060708, offset << 12 | flags,
                           502, 0xBEEF, 0) + options + payload

    stamps = b"\x08\x0a\0\0\0\1\0\0\0\2"
    sack = lambda n: bytes([5, 2 + 8 * n]) + bytes(range(8 * n))
    return {
        "plain": segment(),
        "data": segment(b"\1\1" + stamps, 0x18, payload=b"GET / HTTP/1.1\r\n"),
        "syn-linux": segment(b"\2\4\5\xb4\4\2" + stamps + b"\1\3\3\7", 2),
        "syn-windows": segment(b"\2\4\5\xb4\1\3\3\x08\1\1\4\2", 2),
        "syn-macos": segment(b"\2\4\5\xb4\1\3\3\6\1\1" + stamps + b"\4\2\0\0", 0xC2),
        "sack-1": segment(b"\1\1" + stamps + b"\1\1" + sack(1)),
        "sack-3": segment(b"\1\1" + stamps + b"\1\1" + sack(3)),
        "sack-4": segment(b"\1\1" + sack(4)),
        "fast-open": segment(b"\x22\x0a" + bytes(8), 2),
        "fast-open-request": segment(b"\x22\2", 2),
        "fast-open-odd": segment(b"\x22\5\1\2\3", 2),
        "fast-open-experiment": segment(b"\xfe\x0c\xf9\x89" + bytes(8), 2),
        "md5": segment(b"\x13\x12" + bytes(16)),
        "ao": segment(b"\x1d\x10\1\1" + bytes(12)),
        "mptcp": segment(b"\x1e\x0c\1\x81" + bytes(8), 2),
        "user-timeout": segment(b"\x1c\4\x80\x0a"),
        "accecn-0": segment(b"\xac\x0b" + bytes(9)),
        "accecn-1": segment(b"\xae\5\0\0\1"),
        "unknown": segment(b"\x45\6\1\2\3\4"),
        "length-0": segment(b"\2\0\5\xb4"),
        "length-1": segment(b"\2\1\5\xb4"),
        "mss-cut": segment(b"\1\1\1\2"),
        "stamps-9": segment(b"\x08\x09" + bytes(10)),
        "past-end": segment(b"\1\1\x08\x0a"),
        "xmas": segment(flags=0xFFF),
        "urgent": segment(flags=0x30),
        "offset-4": segment(offset=4),
        "offset-15": segment(offset=15),
        "all-nops": segment(b"\1" * 40),
        "crowded": segment(b"\2\4\5\xb4\3\3\7\4\2" + stamps + b"\x1c\4\0\1\xae\x0b" + bytes(9)),
        "cut": segment()[:19],
        "empty": b"",
    }


def main():
    corpora = {"eth": ethernet, "arp": arp, "ip4": ip4, "ip6": ip6, "icmp": icmp, "nd": nd, "udp": udp,
               "tcp": tcp}
    for noun, make in corpora.items():
        folder = CORPUS / noun
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in make().items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
