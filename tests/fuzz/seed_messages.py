#!/usr/bin/python3
"""Writes the corpora of DNS, HTTP/1.1 and capture files: one small input for each form worth starting from.

    tests/fuzz/seed_messages.py        writes tests/fuzz/corpus/{dns,http1,pcapng}/*

The files are committed; this script says what each of them is. (An HTTP/1.1 input begins with a byte for
the target: the high bit for a response, the rest the size of the pieces.)
"""
import pathlib
import struct

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def record(owner, kind, data, ttl=300, family=1, length=None):
    return owner + struct.pack("!HHIH", kind, family, ttl, len(data) if length is None else length) + data


def message(questions=(), answers=(), authority=(), additional=(), flags=0x8180, counts=None):
    sections = (questions, answers, authority, additional)
    counts = counts or [len(section) for section in sections]
    return (struct.pack("!HHHHHH", 0xBEEF, flags, *counts) +
            b"".join(b"".join(section) for section in sections))


def question(text="www.example.test", kind=1):
    return name(text) + struct.pack("!HH", kind, 1)


def dns():
    www = b"\xc0\x0c"  # the question's name
    example = b"\xc0\x10"
    opt = record(b"\0", 41, b"\0\x0a\0\x08cookie..", ttl=0x8000, family=1232)
    one = lambda kind, data, **more: message([question(kind=kind)], [record(www, kind, data, **more)])
    return {
        "query": message([question()], flags=0x0100),
        "query-edns": message([question(kind=28)], additional=[opt], flags=0x0120),
        "a": one(1, b"\xc0\0\2\1"),
        "aaaa": one(28, bytes.fromhex("20010db8000000000000000000000001")),
        "cname": message([question()], [record(www, 5, b"\1w" + example),
                                        record(b"\xc0\x2e", 1, b"\xc0\0\2\2")]),
        "mx": one(15, b"\0\x0a\4mail" + example),
        "soa": message([question()], authority=[
            record(example, 6, b"\2ns" + example + b"\4host" + example + struct.pack("!5I", 1, 2, 3, 4, 5))],
            flags=0x8583),
        "txt": one(16, b"\5hello\0\3\"\\\n"),
        "hinfo": one(13, b"\1a\1b"),
        "ptr": message([question("1.2.0.192.in-addr.arpa", 12)], [record(www, 12, name("host.test"))]),
        "srv": one(33, b"\0\1\0\2\0\x50" + name("srv.test")),
        "naptr": one(35, b"\0\1\0\2\1U\7E2U+sip\0" + name("a.test")),
        "dname": one(39, name("other.test")),
        "https": one(65, b"\0\1\0" + b"\0\1\0\6\2h3\2h2" + b"\0\3\0\2\x20\xfb" + b"\0\4\0\4\xc0\0\2\1" +
                     b"\0\5\0\3ech" + b"\0\6\0\x10" + bytes(16) + b"\xff\0\0\1x"),
        "svcb-alias": one(64, b"\0\0" + name("alias.test")),
        "caa": one(257, b"\x80\5issueca.test"),
        "unknown": one(65280, b"\1\2\3"),
        "chaos": message([name("version.bind") + b"\0\x10\0\3"], [record(b"\xc0\x0c", 16, b"\3one", family=3)]),
        "opt-twice": message(additional=[opt, opt]),
        "update": message([question(kind=6)], [record(www, 1, b"", family=255)], flags=0x2800),
        "pointer-to-itself": message([b"\xc0\x0c\0\1\0\1"]),
        "pointer-forward": message([b"\xc0\x14\0\1\0\1"], [name("a")]),
        "pointer-chain": message([name("a") + b"\0\1\0\1"], [record(b"\xc0\x0c", 2, b"\xc0\x0c"),
                                                          record(b"\xc0\x1f", 2, b"\xc0\x1f")]),
        "label-64": message([b"\x40" + bytes(64) + b"\0\0\1\0\1"]),
        "name-256": message([(b"\x3f" + b"x" * 63) * 3 + b"\x3e" + b"x" * 62 + b"\0\0\1\0\1"]),
        "rdlength-short": one(5, b"\1b\xc0\x0c", length=2),
        "rdlength-65535": one(1, b"\xc0\0\2\1", length=65535),
        "a-3": one(1, b"\xc0\0\2"),
        "aaaa-17": one(28, bytes(17)),
        "counts-lie": message([question()], counts=[65535] * 4),
        "trailing": message([question()]) + b"behind",
        "header": message(),
        "short": b"\0\1\2",
    }


def http1():
    get = b"GET / HTTP/1.1\r\nHost: a.test\r\n"
    post = b"POST /x HTTP/1.1\r\nHost: a.test:80\r\n"
    request = lambda text, step=b"\3": step + text
    response = lambda text, step=b"\x85": step + text
    return {
        "get": request(get + b"\r\n"),
        "get-fields": request(get + b"Accept: a, \"b,\\\"\" ,c\r\nConnection: close\r\nX:\r\n\r\nGET"),
        "absolute": request(b"GET http://b.test:81/p?q HTTP/1.1\r\nHost: a.test\r\n\r\n"),
        "asterisk": request(b"OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
        "connect": request(b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n"),
        "http10": request(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
        "empty-lines": request(b"\r\n\r\n" + get + b"\r\n"),
        "length": request(post + b"Content-Length: 5, 5\r\n\r\nhello"),
        "chunked": request(post + b"Transfer-Encoding: chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"),
        "trailer-host": request(post + b"Transfer-Encoding: Chunked\r\n\r\n0\r\nHost: x\r\nA: b\r\n\r\n"),
        "both": request(post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        "coding-twice": request(post + b"Transfer-Encoding: chunked, chunked\r\n\r\n"),
        "coding-gzip": request(post + b"Transfer-Encoding: gzip, chunked\r\n\r\n"),
        "length-plus": request(post + b"Content-Length: +5\r\n\r\n"),
        "length-huge": request(post + b"Content-Length: 99999999999999999999\r\n\r\n"),
        "lengths-differ": request(post + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n"),
        "fold": request(get + b"X: a\r\n b\r\n\r\n"),
        "bare-lf": request(b"GET / HTTP/1.1\nHost: a\n\n"),
        "bare-cr": request(get + b"X: a\rb\r\n\r\n"),
        "space-colon": request(get + b"X : a\r\n\r\n"),
        "no-host": request(b"GET / HTTP/1.1\r\n\r\n"),
        "two-hosts": request(get + b"Host: b\r\n\r\n"),
        "http2": request(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        "ok": response(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
        "ok-chunked": response(b"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
        "not-modified": response(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
        "continue": response(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
        "close": response(b"HTTP/1.0 200 OK\r\n\r\nuntil the end"),
        "status-bad": response(b"HTTP/1.1 2000 OK\r\n\r\n"),
        "chunk-huge": request(b"ffffffffffffffff\r\n"),
        "chunk-end": request(b"5\r\nhelloX"),
        "url": request(b"http://a.test:8080/b%20c?d=e#f"),
        "url-literal": response(b"https://[2001:db8::1]:81/?"),
        "url-user": request(b"http://a:80@b.test/"),
        "url-bare": response(b"a.test:80/x"),
    }


class Capture:
    """A capture file in one byte order."""

    def __init__(self, order):
        self.order = order

    def pack(self, form, *values):
        return struct.pack(self.order + form, *values)

    def block(self, kind, body, length=None):
        body += bytes(-len(body) % 4)
        length = 12 + len(body) if length is None else length
        return self.pack("II", kind, length) + body + self.pack("I", length)

    def option(self, code, value):
        return self.pack("HH", code, len(value)) + value + bytes(-len(value) % 4)

    def section(self):
        return self.block(0x0A0D0D0A, self.pack("IHHq", 0x1A2B3C4D, 1, 0, -1) + self.option(4, b"seed"))

    def interface(self, link=1, snaplen=0, options=b""):
        return self.block(1, self.pack("HHI", link, 0, snaplen) + options + self.option(0, b""))

    def packet(self, data=b"frame", interface=0, time=1 << 40, options=b"", captured=None):
        captured = len(data) if captured is None else captured
        return self.block(6, self.pack("IIIII", interface, time >> 32, time & 0xFFFFFFFF, captured, 60) +
                          data + bytes(-len(data) % 4) + options)

    def classic(self, magic, link=1, records=(b"frame",)):
        return (self.pack("IHHIIII", magic, 2, 4, 0, 0, 65535, link) +
                b"".join(self.pack("IIII", 1700000000, 999, len(data), 60) + data for data in records))


def pcapng():
    little, big = Capture("<"), Capture(">")
    names = little.option(2, b"lan") + little.option(9, b"\x09") + little.option(14, struct.pack("<q", 5))
    remark = little.option(1, b"because") + little.option(2, struct.pack("<I", 2)) + \
        little.option(4, struct.pack("<Q", 7)) + little.option(0, b"")
    start = little.section() + little.interface()
    return {
        "packet": start + little.packet(),
        "options": little.section() + little.interface(101, 96, names) + little.packet(options=remark),
        "big": big.section() + big.interface(options=big.option(9, b"\x8a")) + big.packet(),
        "two-sections": start + little.packet() + big.section() + big.interface(12) + big.packet(),
        "two-interfaces": start + little.interface(101) + little.packet(interface=1) + little.packet(),
        "simple": little.section() + little.interface(snaplen=3) + little.block(3, little.pack("I", 9) + b"abc"),
        "old": start + little.block(2, little.pack("HHIIII", 0, 3, 0, 5, 3, 60) + b"old\0"),
        "unknown": start + little.block(0xBAD, b"what?") + little.packet(),
        "names": start + little.block(4, little.pack("HH", 1, 8) + b"\xc0\0\2\1abc\0" + little.option(0, b"")),
        "secrets": start + little.block(10, little.pack("II", 0x544C534B, 4) + b"keys"),
        "statistics": start + little.block(5, little.pack("III", 0, 0, 0)),
        "resolution-127": little.section() + little.interface(options=little.option(9, b"\x7f")) + little.packet(),
        "offset-huge": little.section() +
                       little.interface(options=little.option(14, struct.pack("<q", 2**63 - 1))) + little.packet(),
        "no-interface": little.section() + little.packet(),
        "captured-lies": start + little.packet(captured=4000),
        "length-lies": start + little.block(6, bytes(20), 4096),
        "length-zero": start + little.block(6, bytes(20), 0),
        "option-lies": start + little.packet(options=little.pack("HH", 1, 400)),
        "cut": (start + little.packet())[:-7],
        "classic": little.classic(0xA1B2C3D4, records=(b"one", b"", b"three")),
        "classic-big": big.classic(0xA1B2C3D4, 101),
        "classic-nano": little.classic(0xA1B23C4D, 113),
        "classic-nano-big": big.classic(0xA1B23C4D, 14),
        "classic-huge": little.classic(0xA1B2C3D4)[:24] + struct.pack("<IIII", 0, 0, 2**32 - 1, 0),
        "neither": b"\x7fELF and so on, much longer than four bytes",
        "empty": b"",
    }


def main():
    for noun, inputs in (("dns", dns()), ("http1", http1()), ("pcapng", pcapng())):
        folder = CORPUS / noun
        folder.mkdir(parents=True, exist_ok=True)
        for title, data in inputs.items():
            (folder / title).write_bytes(data)
        print(f"{noun}: {len(inputs)} inputs")


if __name__ == "__main__":
    main()
