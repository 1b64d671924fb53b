#!/usr/bin/python3
"""DNS messages: our codec against tshark's dissector and dnspython, message by message.

Thousands of generated messages, two in five of them broken, go through tests/tools/dns_dump.c, through tshark
(as UDP packets of a pcap file) and through dnspython:

- where we accept, every field that tshark shows (header, questions, records, data by type) has our value, and
  every record's data has the text that dnspython prints;
- where tshark finds a message malformed, we refuse it;
- dnspython, which checks as strictly as we do, gives the same verdict, but for what is listed in `known`.

STRATA_SEED changes the messages. A difference is shown with the message in hexadecimal.
"""
# timeout: 900
import collections
import ipaddress
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

from dns_messages import Messages

ROOT = pathlib.Path(os.environ.get("STRATA_ROOT", pathlib.Path(__file__).resolve().parents[2]))
TOOL = pathlib.Path(os.environ.get("STRATA_BUILD", ROOT / "build")) / "tests/dns_dump"
COUNT = int(os.environ.get("STRATA_COUNT", "5000"))

try:
    import dns.exception
    import dns.message
    import dns.rdata
except ImportError:
    print("SKIPPED: no dnspython")
    sys.exit(77)

PLAIN = ["dns.count.queries", "dns.count.answers", "dns.count.auth_rr", "dns.count.add_rr", "dns.qry.type",
         "dns.resp.type", "dns.resp.ttl", "dns.resp.len", "dns.rr.udp_payload_size", "dns.resp.edns0_version",
         "dns.soa.serial_number", "dns.soa.refresh_interval", "dns.soa.retry_interval", "dns.soa.expire_limit",
         "dns.soa.minimum_ttl", "dns.mx.preference", "dns.srv.priority", "dns.srv.weight", "dns.srv.port",
         "dns.naptr.order", "dns.naptr.preference", "dns.svcb.svcpriority", "dns.svcb.svcparam.key",
         "dns.svcb.svcparam.value.length", "dns.svcb.svcparam.port", "dns.opt.code", "dns.opt.len",
         "dns.flags.opcode", "dns.flags.rcode"]
FLAGS = ["dns.flags.response", "dns.flags.authoritative", "dns.flags.truncated", "dns.flags.recdesired",
         "dns.flags.recavail", "dns.flags.z", "dns.flags.authenticated", "dns.flags.checkdisable"]
NUMBERS = ["dns.id", "dns.qry.class", "dns.resp.class", "dns.resp.ext_rcode", "dns.resp.z", "dns.caa.flags"]
NAMES = ["dns.qry.name", "dns.resp.name", "dns.ns", "dns.cname", "dns.ptr.domain_name", "dns.dname", "dns.soa.mname",
         "dns.soa.rname", "dns.mx.mail_exchange", "dns.srv.target", "dns.naptr.replacement", "dns.svcb.targetname"]
STRINGS = ["dns.txt", "dns.hinfo.cpu", "dns.hinfo.os", "dns.naptr.flags", "dns.naptr.service", "dns.naptr.regex",
           "dns.svcb.svcparam.alpn", "dns.caa.tag"]
ADDRESSES = ["dns.a", "dns.aaaa", "dns.svcb.svcparam.ipv4hint.ip", "dns.svcb.svcparam.ipv6hint.ip"]
CAA = ["dns.caa.issue", "dns.caa.issuewild", "dns.caa.iodef", "dns.caa.unknown"]
FIELDS = PLAIN + FLAGS + NUMBERS + NAMES + STRINGS + ADDRESSES + CAA + ["dns.data"]
OURS = {1, 2, 5, 6, 12, 13, 15, 16, 28, 33, 35, 39, 41, 64, 65, 257}
INTERNET = {1, 28, 33, 35, 64, 65}


def ask_ours(messages):
    data = b"".join(struct.pack("!H", len(m)) + m for m in messages)
    out = subprocess.run([str(TOOL)], input=data, stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in out.decode().splitlines()]


def packet(message):
    """An IPv4 packet from port 40000 to port 53, without checksums."""
    udp = struct.pack("!HHHH", 40000, 53, 8 + len(message), 0) + message
    return struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, 0xC0000201, 0xC0000202) + udp


def ask_tshark(messages):
    """For each message, whether it is malformed and the fields as lists of text."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "messages.pcap"
        with open(path, "wb") as file:
            file.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))
            for number, message in enumerate(messages):
                data = packet(message)
                file.write(struct.pack("<IIII", number, 0, len(data), len(data)) + data)
        command = ["tshark", "-r", str(path), "-n", "-T", "json", "-e", "_ws.malformed", "-e", "_ws.expert.severity"]
        for field in FIELDS:
            command += ["-e", field]
        out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    answers = []
    for entry in json.loads(out):
        layers = entry["_source"]["layers"]
        answers.append(("_ws.malformed" in layers, layers))
    return answers


def narrow_dnspython():
    """dnspython knows more types than we do; those are bytes to us, and so must be to it."""
    general = dns.rdata.get_rdata_class

    def get_rdata_class(rdclass, rdtype):
        known = rdtype in OURS and rdclass not in (254, 255) and (rdtype not in INTERNET or rdclass == 1)
        return general(rdclass, rdtype) if known or rdtype == 41 else dns.rdata.GenericRdata

    dns.rdata.get_rdata_class = get_rdata_class


def ask_dnspython(message):
    """The texts of the records' data in order, or the exception."""
    try:
        parsed = dns.message.from_wire(message, ignore_trailing=True, one_rr_per_rrset=True)
    except (dns.exception.DNSException, ValueError, struct.error, UnicodeError) as error:
        return error, []
    return None, [rdata.to_text() for section in (parsed.answer, parsed.authority, parsed.additional)
                  for rrset in section for rdata in rrset]


def known(ours, theirs, message):
    """Why we may differ from dnspython here, or None."""
    if (message[2] >> 3 & 15) == 5 or b"\x00\xfa" in message:
        return "updates and signatures mean something else to it"
    if ours == "DNS_POINTER":
        return "we refuse pointers into the header and in SVCB targets"
    if ours == "DNS_RDATA" and (b"\0\x40\0\1" in message or b"\0\x41\0\1" in message):
        return "we hold SVCB parameters to RFC 9460: no key twice, no empty list"
    if ours == "NONE" and "AliasMode" in str(theirs):
        return "parameters of an alias are ignored (RFC 9460 2.4.2)"
    if ours == "DNS_RDLENGTH" and theirs is None and any(kind in message for kind in (b"\0\x10", b"\0\x0d")):
        return "it takes TXT without a string"
    return None


def same_style(text):
    """dnspython quotes every value of SVCB parameters, escapes odd bytes of ALPN twice, groups unknown data."""
    if text.startswith("\\# "):
        kind, length, *digits = text.split(" ")
        return " ".join([kind, length, "".join(digits)])
    text = re.sub(r"\\\\(\d{3})", r"\\\1", text)
    return re.sub(r"\b([a-z0-9-]+)=\"([^\"]*)\"", r"\1=\2", text)


class Difference(Exception):
    pass


def plain_name(text):
    return text.rstrip(".") or "<Root>"


def convert(field, values):
    """Our values in the form that tshark prints."""
    if field in NAMES:
        return [plain_name(value) for value in values]
    if field in STRINGS:
        return [bytes.fromhex(value).decode("latin-1") for value in values]
    if field in ADDRESSES:
        return [str(ipaddress.ip_address(bytes.fromhex(value))) for value in values]
    return values


def theirs_as(field, values):
    if field in NUMBERS:
        return [str(int(value, 0)) for value in values]
    if field in FLAGS:
        return [str(int(value in ("1", "True"))) for value in values]
    if field in ADDRESSES:
        return [str(ipaddress.ip_address(value)) for value in values]
    return values


def compare_fields(ours, theirs, seen):
    for field in FIELDS:
        if field in CAA:
            continue
        got = theirs.get(field)
        mine = ours.get(field, [])
        if field in PLAIN + FLAGS + NUMBERS and field.startswith(("dns.flags", "dns.id", "dns.count")):
            if got is None:
                continue  # tshark shows some flags of answers only
        if field == "dns.resp.name":  # tshark takes the owner of an SRV record apart
            mine = [value for value, kind in zip(mine, ours.get("dns.resp.type", [])) if kind != "33"]
        if convert(field, mine) != theirs_as(field, got or []):
            raise Difference(f"{field}: ours {convert(field, mine)}, tshark's {theirs_as(field, got or [])}")
        seen[field] += len(mine)
    mine = [bytes.fromhex(value).decode("latin-1") for value in ours.get("value", [])]
    got = [value for field in CAA for value in theirs.get(field, [])]
    if sorted(mine) != sorted(got):
        raise Difference(f"CAA values: ours {mine}, tshark's {got}")
    seen["dns.caa.value"] += len(mine)


def comparable(ours):
    """tshark reads data by type whatever the class is, and names with odd bytes its own way."""
    names = [value for field in NAMES for value in ours.get(field, [])]
    if any("\\" in name for name in names):
        return False
    values = [bytes.fromhex(value) for field in STRINGS for value in ours.get(field, [])] + \
        [bytes.fromhex(value) for value in ours.get("value", [])]
    if any(byte < 32 or byte > 126 for value in values for byte in value):
        return False
    kinds = [int(kind) for kind in ours.get("dns.resp.type", []) if kind != "41"]
    classes = list(map(int, ours.get("dns.resp.class", [])))
    if set(kinds) - OURS - {65280} or set(classes) - {1, 3} or ours["dns.flags.opcode"] != ["0"]:
        return False
    return all(family == 1 or kind not in INTERNET for kind, family in zip(kinds, classes))


def main():
    seed = int(os.environ.get("STRATA_SEED", "1"))
    source = Messages(seed)
    made = [source.next() for _ in range(COUNT)]
    messages = [message for _, message in made]
    narrow_dnspython()
    ours, theirs = ask_ours(messages), ask_tshark(messages)
    assert len(ours) == len(theirs) == COUNT
    tally, seen, excused, problems = collections.Counter(), collections.Counter(), collections.Counter(), []
    for (kind, message), mine, (malformed, layers) in zip(made, ours, theirs):
        fault = mine["fault"]
        tally[fault] += 1
        try:
            if kind == "good" and fault != "NONE":
                raise Difference(f"well-formed, but we say {fault}")
            if malformed and fault == "NONE" and comparable(mine):
                raise Difference("malformed to tshark, not to us")
            error, texts = ask_dnspython(message)
            if (error is None) != (fault == "NONE"):
                why = known(fault, error, message)
                if why is None or kind == "good":
                    raise Difference(f"we say {fault}, dnspython {error!r}")
                excused[why] += 1
            elif fault == "NONE":
                if list(map(same_style, mine.get("text", []))) != list(map(same_style, texts)):
                    raise Difference(f"texts: ours {mine.get('text')}, dnspython's {texts}")
                seen["texts"] += len(texts)
            if fault == "NONE" and comparable(mine):
                compare_fields(mine, layers, seen)
                tally["compared field by field"] += 1
        except Difference as difference:
            problems.append(f"{kind}: {difference}\n    {message.hex()}")
    for what, count in sorted(tally.items()):
        print(f"{count:6} {what}")
    for why, count in excused.items():
        print(f"{count:6} excused: {why}")
    print(f"{sum(seen.values())} values of {len(seen)} fields agree with tshark and dnspython")
    for problem in problems[:20]:
        print(problem)
    broken = COUNT - tally["NONE"]
    assert not problems, f"{len(problems)} differences (STRATA_SEED={seed})"
    assert broken * 5 >= COUNT, f"only {broken} of {COUNT} were refused"
    assert sum(excused.values()) * 20 <= COUNT, "too much is excused"
    assert tally["compared field by field"] * 2 >= COUNT
    missing = [field for field in FIELDS + ["dns.caa.value"] if not seen[field] and field not in CAA]
    assert not missing, f"never seen: {missing}"


if __name__ == "__main__":
    main()
