#!/usr/bin/python3
"""Capture files both ways: what we write is read by tshark, capinfos and editcap; what editcap, mergecap and a
plain writer in either byte order make is read by us as tshark reads it; and of files that were damaged we read
the packets that tshark reads.

tests/tools/capture_tool.c is our side. STRATA_SEED changes the packets.
"""
# timeout: 600
import collections
import decimal
import hashlib
import os
import pathlib
import random
import struct
import subprocess
import tempfile

ROOT = pathlib.Path(os.environ.get("STRATA_ROOT", pathlib.Path(__file__).resolve().parents[2]))
TOOL = pathlib.Path(os.environ.get("STRATA_BUILD", ROOT / "build")) / "tests/capture_tool"
SEED = int(os.environ.get("STRATA_SEED", "1"))
PACKETS = 400
DAMAGED = 80
ETHERNET, RAW = 1, 101
ENCAPSULATION = {ETHERNET: "1", RAW: "7", 12: "7", 14: "7", 113: "25"}  # wiretap's numbers

Packet = collections.namedtuple("Packet", "interface link time original direction drops name comments data")


def run(*command, **more):
    return subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True,
                          **more).stdout.decode()


def hexadecimal(data):
    return data.hex() or "-"


def frame(source, link):
    """A UDP datagram, sometimes cut, so that tshark has something to dissect."""
    payload = source.randbytes(source.randrange(0, 300))
    udp = struct.pack("!HHHH", 4000, 4001, 8 + len(payload), 0) + payload
    packet = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, 0xC0000201, 0xC0000202) + udp
    if link == ETHERNET:
        packet = bytes.fromhex("0200000000020200000000010800") + packet
    return packet


def made(source):
    """Interfaces as (link, snaplen, name, description), and packets in order of time."""
    interfaces = [(ETHERNET, 0, b"lan0", b"the home network"), (RAW, 0, b"tun0", b""), (ETHERNET, 0, b"wan0", b"")]
    packets, time = [], 1_700_000_000_000_000_000
    for _ in range(PACKETS):
        number = source.randrange(len(interfaces))
        data = frame(source, interfaces[number][0])
        kept = data if source.random() < 0.8 else data[:source.randrange(1, len(data))]
        time += source.choice([1, 999, 20_000_000, source.getrandbits(32)])
        comments = [f"reason {source.getrandbits(20)} → drop".encode() for _ in range(source.choice([0, 0, 1, 2]))]
        packets.append(Packet(number, interfaces[number][0], time, len(data), source.randrange(3),
                              source.choice([None, None, source.getrandbits(40)]), interfaces[number][2], comments, kept))
    return interfaces, packets


def write_ours(path, interfaces, packets, source):
    lines = ["\t".join(["I", str(link), str(snaplen), hexadecimal(name), hexadecimal(description)])
             for link, snaplen, name, description in interfaces]
    lines.append("\t".join(["N", "192.0.2.1", b"client.example.test".hex()]))
    lines.append("\t".join(["N", "2001:db8::1", b"six.example.test".hex()]))
    for p in packets:
        cut = sorted(source.randrange(len(p.data) + 1) for _ in range(source.randrange(4)))
        pieces = [p.data[a:b] for a, b in zip([0] + cut, cut + [len(p.data)])]
        pieces = ",".join(hexadecimal(piece) for piece in pieces if piece) or "-"
        lines.append("\t".join(["P", str(p.interface), str(p.time), str(p.direction),
                                "-" if p.drops is None else str(p.drops),
                                ",".join(c.hex() for c in p.comments) or "-", pieces, str(p.original)]))
    run(TOOL, "write", path, input="\n".join(lines).encode() + b"\n")


def read_ours(path):
    """The packets, the fault ("no fault") and its offset."""
    *lines, last = run(TOOL, "read", path).splitlines()
    packets = []
    for line in lines:
        _, interface, link, time, original, direction, drops, name, comments, data = line.split("\t")
        unhex = lambda text: b"" if text == "-" else bytes.fromhex(text)
        packets.append(Packet(int(interface), int(link), None if time == "-" else int(time), int(original),
                              int(direction), None if drops == "-" else int(drops), unhex(name),
                              [] if comments == "-" else [unhex(c) for c in comments.split(",")], unhex(data)))
    fault, offset = last.split("\t")
    return packets, fault, int(offset)


FIELDS = ["frame.time_epoch", "frame.len", "frame.cap_len", "frame.md5_hash", "frame.interface_id",
          "frame.interface_name", "frame.encap_type", "frame.packet_flags_direction", "frame.drop_count",
          "frame.comment"]


def read_tshark(path, check=True):
    """Rows of FIELDS, and whether tshark had no complaint."""
    command = ["tshark", "-n", "-r", str(path), "-o", "frame.generate_md5_hash:TRUE", "-T", "fields", "-E", "separator=/t",
               "-E", "aggregator=/s"] + [part for field in FIELDS for part in ("-e", field)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=check)
    return [dict(zip(FIELDS, line.split("\t"))) for line in done.stdout.decode(errors="replace").splitlines()], \
        done.returncode == 0


def nanoseconds(text):
    return int(decimal.Decimal(text) * 10**9)


def same_as_tshark(packets, rows, pcapng):
    assert len(packets) == len(rows), f"{len(packets)} packets, tshark has {len(rows)}"
    for number, (p, row) in enumerate(zip(packets, rows), 1):
        mine = {"frame.len": str(p.original), "frame.cap_len": str(len(p.data)), "frame.encap_type": ENCAPSULATION[p.link],
                "frame.md5_hash": hashlib.md5(p.data).hexdigest()}
        if p.time is not None:
            assert nanoseconds(row["frame.time_epoch"]) == p.time, f"packet {number}: {p.time}, {row['frame.time_epoch']}"
        if pcapng:
            mine["frame.comment"] = " ".join(c.decode() for c in p.comments)
            mine["frame.drop_count"] = "" if p.drops is None else str(p.drops)
            shown = row["frame.packet_flags_direction"]
            assert int(shown or "0", 0) == p.direction, f"packet {number}: direction {shown}"
        if p.name:
            mine["frame.interface_name"] = p.name.decode()
        for field, value in mine.items():
            assert row[field] == value, f"packet {number}: {field} is {value} to us, {row[field]} to tshark"


def test_written(folder, source):
    """Ours, read by tshark, capinfos, editcap, and ourselves."""
    interfaces, packets = made(source)
    path = folder / "ours.pcapng"
    write_ours(path, interfaces, packets, source)
    rows, fine = read_tshark(path)
    assert fine
    same_as_tshark(packets, rows, True)
    for p, row in zip(packets, rows):
        assert row["frame.interface_id"] == str(p.interface)
    report = run("capinfos", "-M", path)
    for line in ("nanoseconds (9)", f"Number of packets:   {PACKETS}", "Number of interfaces in file: 3", "Name = lan0",
                 "Name = tun0", "Description = the home network", "Capture application: strata"):
        assert line in report, f"capinfos lacks {line}:\n{report}"
    names = run("tshark", "-r", path, "-N", "mn", "-c", "50")
    assert "client.example.test" in names, "the name resolution block is not used"
    again, fault, offset = read_ours(path)
    assert fault == "no fault" and offset == path.stat().st_size
    assert again == packets
    print(f"written: {PACKETS} packets agree with tshark, capinfos and our own reader")
    return path, packets


def test_converted(folder, path, packets, source):
    """What editcap and mergecap make of it."""
    for link in (ETHERNET, RAW):  # a classic file has one link type
        single = folder / "single.pcapng"
        want = [p._replace(interface=0) for p in packets if p.link == link]
        write_ours(single, [(link, 0, b"one", b"")], want, source)
        for form, unit in (("pcapng", 1), ("nsecpcap", 1), ("pcap", 1000)):
            converted = folder / f"converted.{form}"
            run("editcap", "-F", form, single, converted)
            got, fault, offset = read_ours(converted)
            assert fault == "no fault" and offset == converted.stat().st_size
            rows, _ = read_tshark(converted)
            same_as_tshark(got, rows, form == "pcapng")
            assert [p.data for p in got] == [p.data for p in want]
            assert [p.time for p in got] == [p.time // unit * unit for p in want]
    commented = folder / "commented.pcapng"
    run("editcap", "-a", "1:héllo", "-a", "3:one more", folder / "converted.pcap", commented)
    got, fault, _ = read_ours(commented)
    assert fault == "no fault" and got[0].comments == ["héllo".encode()] and got[2].comments == [b"one more"]
    merged = folder / "merged.pcapng"
    run("mergecap", "-F", "pcapng", "-w", merged, path, commented)
    got, fault, _ = read_ours(merged)
    rows, _ = read_tshark(merged)
    assert fault == "no fault"
    same_as_tshark(got, rows, True)
    joined = folder / "joined.pcapng"
    joined.write_bytes(path.read_bytes() + merged.read_bytes())
    got, fault, _ = read_ours(joined)
    rows, _ = read_tshark(joined)
    assert fault == "no fault" and len(got) == len(rows) > 2 * PACKETS
    assert [hashlib.md5(p.data).hexdigest() for p in got] == [row["frame.md5_hash"] for row in rows]
    print("converted: pcapng, pcap, nsecpcap, commented, merged and joined files agree with tshark")


class Plain:
    """A capture file by struct, in one byte order, with what the usual writers don't make."""

    def __init__(self, order):
        self.order, self.bytes = order, b""

    def pack(self, form, *values):
        return struct.pack(self.order + form, *values)

    def block(self, kind, body):
        body += bytes(-len(body) % 4)
        self.bytes += self.pack("II", kind, 12 + len(body)) + body + self.pack("I", 12 + len(body))

    def option(self, code, value):
        return self.pack("HH", code, len(value)) + value + bytes(-len(value) % 4)

    def section(self):
        self.block(0x0A0D0D0A, self.pack("IHHq", 0x1A2B3C4D, 1, 0, -1))

    def interface(self, link, snaplen=0, resolution=None, offset=None):
        options = b""
        if resolution is not None:
            options += self.option(9, bytes([resolution]))
        if offset is not None:
            options += self.option(14, self.pack("q", offset))
        self.block(1, self.pack("HHI", link, 0, snaplen) + options + (self.option(0, b"") if options else b""))

    def packet(self, interface, count, data, comment=b""):
        self.block(6, self.pack("IIIII", interface, count >> 32, count & 0xFFFFFFFF, len(data), len(data)) + data +
                   bytes(-len(data) % 4) + (self.option(1, comment) + self.option(0, b"") if comment else b""))

    def classic(self, magic, link, packets):
        self.bytes = self.pack("IHHIIII", magic, 2, 4, 0, 0, 262144, link)
        for seconds, fraction, data in packets:
            self.bytes += self.pack("IIII", seconds, fraction, len(data), len(data)) + data


def test_plain(folder, source):
    """Both byte orders, time resolutions and offsets, simple and obsolete packet blocks."""
    for order in "<>":
        file = Plain(order)
        file.section()
        for resolution, offset in ((None, None), (9, 0), (6, 3600), (3, None), (0, None), (0x8A, None), (0xA0, -60), (10, 1_600_000_000)):
            file.interface(ETHERNET, 0, resolution, offset)
        # Finer than 10^-10 and tshark 4.0 overflows its 64 bits.
        scale = [10**6, 10**9, 10**6, 10**3, 1, 2**10, 2**32, 10**10]
        for number in range(64):
            which = number % 8
            seconds = number if which == 7 else 1_600_000_000 + number
            # A fraction that every resolution can say exactly: eighths of a second, or none.
            count = seconds * scale[which] + (scale[which] * (number % 8) // 8 if which != 4 else 0)
            file.packet(which, count, frame(source, ETHERNET), b"big" if order == ">" else b"")
        simple = frame(source, ETHERNET)
        file.block(3, file.pack("I", len(simple)) + simple)
        old = frame(source, ETHERNET)
        count = 1_600_000_500_000_000
        file.block(2, file.pack("HHIIII", 0, 0xFFFF, count >> 32, count & 0xFFFFFFFF, len(old), len(old)) + old)
        file.block(0x7777, b"of a kind yet to come")
        file.packet(0, count + 1, frame(source, ETHERNET))
        path = folder / "plain.pcapng"
        path.write_bytes(file.bytes)
        got, fault, _ = read_ours(path)
        rows, fine = read_tshark(path)
        assert fault == "no fault" and fine and len(got) == 67
        assert got[64].time is None
        same_as_tshark(got, rows, True)
        for magic, unit in ((0xA1B2C3D4, 1000), (0xA1B23C4D, 1)):
            for link in (ETHERNET, RAW, 12, 14):
                packets = [(1_600_000_000 + i, source.randrange(10**9 // unit), frame(source, link)) for i in range(20)]
                file.classic(magic, link, packets)
                path = folder / "plain.pcap"
                path.write_bytes(file.bytes)
                got, fault, _ = read_ours(path)
                rows, fine = read_tshark(path)
                assert fault == "no fault" and fine
                assert [p.time for p in got] == [s * 10**9 + f * unit for s, f, _ in packets]
                same_as_tshark(got, rows, False)
    print("plain: both byte orders, resolutions, offsets, simple and obsolete packets agree with tshark")


def test_damaged(folder, original, source):
    """A file with a changed byte or a cut end: the packets up to the fault are those that tshark reads."""
    data = original.read_bytes()
    end = 0
    while end < 12000:  # whole blocks
        end += struct.unpack_from("<I", data, end + 4)[0]
    data = data[:end]
    tally = collections.Counter()
    for number in range(DAMAGED):
        damaged = bytearray(data)
        for _ in range(source.randrange(3)):
            at = source.randrange(28, len(damaged))
            if source.random() < 0.7:
                at &= ~3  # lengths and types stand on words
            damaged[at] = source.choice([0, 1, 0xFF, source.getrandbits(8)])
        path = folder / "damaged.pcapng"
        end = source.choice([len(damaged), source.randrange(100, len(damaged))])
        path.write_bytes(damaged[:end])
        got, fault, offset = read_ours(path)
        rows, fine = read_tshark(path, check=False)
        mine = [hashlib.md5(p.data).hexdigest() for p in got]
        theirs = [row["frame.md5_hash"] for row in rows]
        shorter = min(len(mine), len(theirs))
        assert mine[:shorter] == theirs[:shorter], f"file {number}: other packets"
        assert offset <= path.stat().st_size
        mine_fine = fault == "no fault"
        tally["the same verdict" if mine_fine == fine else "only we read on" if mine_fine else "only tshark reads on"] += 1
        tally["the same packets"] += len(mine) == len(theirs)
    print(f"damaged: {DAMAGED} files;", ", ".join(f"{what}: {n}" for what, n in sorted(tally.items())))
    # tshark also judges what lies in blocks that we pass over, and in options that we don't use.
    assert tally["the same verdict"] >= DAMAGED * 0.95 and tally["the same packets"] >= DAMAGED * 0.95
    assert tally["only tshark reads on"] <= DAMAGED * 0.02


def main():
    print(f"STRATA_SEED={SEED}")
    source = random.Random(SEED)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path, packets = test_written(folder, source)
        test_converted(folder, path, packets, source)
        test_plain(folder, source)
        test_damaged(folder, path, source)


if __name__ == "__main__":
    main()
