#!/usr/bin/python3
"""Writes the corpora of the applications' fuzz targets: one small input for each form worth starting from.

    tests/fuzz/seed_application.py     writes tests/fuzz/corpus/{resolver,dns_server,http_server,http_client}/*

The files are committed; this script says what each of them is. What the first bytes of an input mean stands
at the head of each target.
"""
import pathlib
import struct

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
PASS, RAW, FRAMED, TCP_RAW, TCP_FRAMED, TCP_CLOSE, TCP_RESET = range(7)


def run(step, data):
    return bytes([step, len(data)]) + data


def framed(rest=b"", flags=0x8180, counts=(1, 0, 0, 0), step=FRAMED):
    return run(step, struct.pack("!HHHHH", flags, *counts) + rest)


def a(address=b"\xc0\x00\x02\x50", owner=b"\xc0\x0c"):
    return owner + struct.pack("!HHIH", 1, 1, 300, 4) + address


def resolver():
    cname = b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 300, 4) + b"\x01b\xc0\x10"
    soa_data = b"\x02ns\xc0\x10\x02hm\xc0\x10" + struct.pack("!IIIII", 1, 2, 3, 4, 60)
    soa = b"\xc0\x10" + struct.pack("!HHIH", 6, 1, 300, len(soa_data)) + soa_data
    answer = framed(a(), counts=(1, 1, 0, 0))
    over_tcp = framed(a(), counts=(1, 1, 0, 0), step=TCP_FRAMED)
    wait = bytes([PASS, 10])
    return {
        "answer": b"\3" + answer,
        "both": b"\x0b" + answer + answer,
        "alias": b"\3" + framed(cname + a(owner=b"\x01b\xc0\x10"), counts=(1, 2, 0, 0)),
        "alias_open": b"\3" + framed(cname, counts=(1, 1, 0, 0)) + answer,
        "no_name": b"\3" + framed(soa, flags=0x8183, counts=(1, 0, 1, 0)),
        "no_data": b"\3" + framed(soa, counts=(1, 0, 1, 0)),
        "servfail": b"\3" + framed(flags=0x8182),
        "formerr": b"\3" + framed(flags=0x8181) + answer,
        "truncated": b"\3" + framed(flags=0x8380) + wait + over_tcp,
        "truncated_reset": b"\3" + framed(flags=0x8380) + wait + bytes([TCP_RESET]),
        "truncated_closed": b"\3" + framed(flags=0x8380) + wait + bytes([TCP_CLOSE, 0]),
        "tcp": b"\7" + wait + over_tcp,
        "tcp_pieces": b"\7" + wait + run(TCP_RAW, b"\0") + run(TCP_RAW, b"\x20abc"),
        "noise": b"\3" + run(RAW, b"") + run(RAW, bytes(12)) + run(RAW, b"\xff" * 40) + answer,
        "broken": b"\3" + framed(a()[:-1], counts=(1, 1, 0, 0)) + answer,
        "silence": b"\3" + bytes([PASS, 255]) * 4 + answer,
    }


def question(name="www.example.test", kind=1, klass=1):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return labels + b"\0" + struct.pack("!HH", kind, klass)


def query(*questions, flags=0x0100, opt=b""):
    header = struct.pack("!HHHHHH", 0x1234, flags, len(questions), 0, 0, bool(opt))
    return header + b"".join(questions) + opt


def dns_server():
    opt = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0)
    return {
        "a": b"\x20" + query(question()),
        "edns": b"\x20" + query(question(), opt=opt),
        "alias": b"\x20" + query(question("alias.example.test")),
        "self": b"\xff" + query(question("self.example.test")),
        "wild": b"\x20" + query(question("x.wild.example.test")),
        "nowhere": b"\x20" + query(question("no.example.test")),
        "any": b"\x20" + query(question("example.test", 255)),
        "mx": b"\x20" + query(question("example.test", 15)),
        "srv": b"\x20" + query(question("_http._tcp.example.test", 33)),
        "chaos": b"\x20" + query(question("version.bind", 16, 3)),
        "small": b"\x01" + query(question("example.test", 16)),
        "update": b"\x20" + query(question(), flags=0x2800),
        "response": b"\x20" + query(question(), flags=0x8180),
        "two": b"\x20" + query(question(), question()),
        "version": b"\x20" + query(question(), opt=b"\0" + struct.pack("!HHIH", 41, 1232, 1 << 16, 0)),
    }


def http_server():
    get = b"GET / HTTP/1.1\r\nHost: h\r\n"
    return {
        "get": b"\0\1" + get + b"\r\n",
        "head": b"\0\1HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n",
        "old": b"\0\1GET /stream HTTP/1.0\r\n\r\n",
        "stream": b"\0\1GET /stream HTTP/1.1\r\nHost: h\r\n\r\n",
        "pipelined": b"\7\1" + (get + b"\r\n") * 5,
        "pieces": b"\1\1" + get + b"\r\n",
        "not_found": b"\0\1GET /none HTTP/1.1\r\nHost: h\r\n\r\n",
        "folder": b"\0\1GET /dir?x HTTP/1.1\r\nHost: h\r\n\r\n",
        "climb": b"\0\1GET /%2e%2e/%2E./x%00 HTTP/1.1\r\nHost: h\r\n\r\n",
        "escapes": b"\0\1GET /a%20b//c%2fd HTTP/1.1\r\nHost: h\r\n\r\n",
        "absolute": b"\0\1GET http://h/x?y HTTP/1.1\r\nHost: h\r\n\r\n",
        "range": b"\0\1" + get + b"Range: bytes=0-9,5-20,-7\r\nIf-Range: \"x\"\r\n\r\n",
        "conditions": b"\0\1" + get + b"If-None-Match: W/\"x\", \"y\"\r\n\r\n",
        "since": b"\0\1" + get + b"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
        "body": b"\0\1POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" + get + b"\r\n",
        "chunks": b"\0\1POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                  b"3;x=y\r\nabc\r\n0\r\nT: x\r\n\r\n" + get + b"\r\n",
        "expect": b"\0\1" + get + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
        "close": b"\0\0" + get + b"Connection: close\r\n\r\nmore",
        "deaf": b"\0\2" + (get + b"\r\n") * 9,
        "options": b"\0\1OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
        "connect": b"\0\1CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n",
        "garbage": b"\3\0\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "half": b"\0\1" + get,
    }


def http_client():
    ok = b"HTTP/1.1 200 OK\r\n"
    return {
        "length": b"\0\1" + ok + b"Content-Length: 5\r\n\r\nHello",
        "short": b"\0\1" + ok + b"Content-Length: 6\r\n\r\nHello",
        "reset": b"\0\0" + ok + b"Content-Length: 6\r\n\r\nHello",
        "silent": b"\0\4" + ok + b"Content-Length: 6\r\n\r\nHello",
        "chunked": b"\2\1" + ok + b"Transfer-Encoding: chunked\r\n\r\n5;x\r\nHello\r\n0\r\nT: x\r\n\r\n",
        "until_close": b"\0\1" + ok + b"\r\nHello",
        "head": b"\0\3" + ok + b"Content-Length: 5\r\n\r\n",
        "interim": b"\0\1HTTP/1.1 100 Continue\r\n\r\n" + ok + b"Content-Length: 0\r\n\r\n",
        "no_content": b"\1\1HTTP/1.1 204 No Content\r\n\r\n",
        "upgrade": b"\0\1HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "kept": b"\0\4" + ok + b"Content-Length: 5\r\n\r\nHello",
        "more": b"\0\1" + ok + b"Content-Length: 1\r\n\r\nHello",
        "old": b"\0\1HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nHello",
        "other": b"\0\1SSH-2.0-OpenSSH_9.2\r\n",
        "empty": b"\0\1",
    }


for target in (resolver, dns_server, http_server, http_client):
    folder = CORPUS / target.__name__
    folder.mkdir(parents=True, exist_ok=True)
    for what, data in target().items():
        (folder / what).write_bytes(data)
