#!/usr/bin/python3
"""wrap, unwrap and explain: the article's request gives 100 bytes (104 with FCS); what is wrapped unwraps to
itself; tshark sees the layers that explain sees; garbage of any kind is survived and named."""
import json
import os
import random
import shutil
import struct
import subprocess
import tempfile
import unittest
import zlib

from strata_lib import BUILD

STRATA = str(BUILD / "strata")
REQUEST = b"GET /api/users HTTP/1.1\r\nHost: example.com\r\n\r\n"
ENDS = ["--src-port", "54321", "--dst-port", "80", "--src-mac", "aa:bb:cc:dd:ee:ff", "--dst-mac", "00:11:22:33:44:55"]
FOUR = ENDS + ["--src-ip", "192.168.1.100", "--dst-ip", "93.184.216.34"]
SIX = ENDS + ["--src-ip", "2001:db8::1", "--dst-ip", "2001:db8::2"]


def strata(*arguments, given=b"", want=0):
    run = subprocess.run([STRATA, *arguments], input=given, capture_output=True, timeout=60)
    if want is not None and run.returncode != want:
        raise AssertionError(f"strata {' '.join(arguments)}: exit {run.returncode}, not {want}\n{run.stderr.decode()}")
    return run.stdout


def pcap(frames, link=1):
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    return head + b"".join(struct.pack("<IIII", i, 0, len(f), len(f)) + f for i, f in enumerate(frames))


class Packets(unittest.TestCase):
    def frame(self, *more, given=REQUEST):
        return bytes.fromhex(strata("wrap", "--hex", *more, given=given).decode())

    def test_article(self):
        frame = self.frame(*FOUR)
        self.assertEqual(len(frame), 100)
        self.assertEqual(frame[54:], REQUEST)
        with_fcs = self.frame(*FOUR, "--fcs")
        self.assertEqual(len(with_fcs), 104)
        self.assertEqual(struct.unpack("<I", with_fcs[100:])[0], zlib.crc32(frame))
        text = strata("wrap", *FOUR, given=REQUEST).decode()
        self.assertIn("frame: 100 bytes; 54 of them are headers (54.0 %)", text)
        self.assertIn("Ethernet 0-13  IPv4 14-33  TCP 34-53", text)
        said = json.loads(strata("wrap", "--json", *FOUR, given=REQUEST))
        self.assertEqual(said["frame_length"], 100)
        self.assertEqual([(l["key"], l["offset"], l["length"]) for l in said["layers"]],
                         [("eth", 0, 14), ("ip4", 14, 20), ("tcp", 34, 20), ("http", 54, 46)])

    def test_there_and_back(self):
        rng = random.Random(7)
        for ends in (FOUR, SIX):
            for udp in ([], ["--udp"]):
                for fcs in ([], ["--fcs"]):
                    payload = rng.randbytes(rng.randrange(0, 1400))
                    frame = self.frame(*ends, *udp, *fcs, given=payload)
                    self.assertEqual(strata("unwrap", "--payload", *fcs, given=frame.hex().encode()), payload)

    def test_unwrap_names_the_fault(self):
        frame = bytearray(self.frame(*FOUR))
        frame[60] ^= 1
        self.assertIn(b"TCP checksum is wrong", strata("unwrap", given=bytes(frame), want=1))
        frame = bytearray(self.frame(*FOUR))
        frame[20] ^= 1
        self.assertIn(b"header checksum is wrong", strata("unwrap", given=bytes(frame), want=1))

    def test_usage(self):
        strata("wrap", *ENDS, "--src-ip", "192.0.2.1", "--dst-ip", "2001:db8::1", given=b"x", want=2)
        strata("wrap", *ENDS, "--src-ip", "192.0.2.256", "--dst-ip", "192.0.2.1", given=b"x", want=2)
        strata("wrap", *FOUR, given=bytes(70000), want=2)
        strata("unwrap", "--hex", given=b"zz", want=2)
        strata("explain", "/nonexistent/file", want=4)

    def test_lines_fit(self):
        for more in (FOUR, [*SIX, "--udp"], [*FOUR, "--fcs"]):
            lines = strata("wrap", *more, given=REQUEST).decode().splitlines()
            self.assertLessEqual(max(map(len, lines)), 80, lines)
            self.assertEqual([line for line in lines if line.endswith(" ")], [])
            fields = strata("unwrap", "-v", given=self.frame(*more).hex().encode()).decode().splitlines()
            self.assertLessEqual(max(len(line) for line in fields if line.startswith("  ")), 80, fields)

    def captures(self, folder):
        """Of many kinds of packets: names, pages, echoes, and what routers say."""
        for i, command in enumerate((["get", "http://www.example.test/"], ["resolve", "example.test", "MX"],
                                     ["resolve", "--tcp", "www.example.test"], ["ping", "-c", "1", "192.0.2.80"],
                                     ["ping", "-c", "1", "-6", "www.example.test"],
                                     ["ping", "-c", "1", "-t", "1", "192.0.2.80"],
                                     ["ping", "-c", "1", "-t", "1", "2001:db8:2::80"],
                                     ["ping", "-c", "1", "192.0.2.99"], ["resolve", "--dns", "192.168.1.1", "x.test"])):
            path = os.path.join(folder, f"{i}.pcapng")
            strata(*command, "--pcap", path, want=None)
            yield path

    def test_every_byte_is_told(self):
        """The fields of a header leave no gap and do not overlap, and each says what it means."""
        with tempfile.TemporaryDirectory() as folder:
            keys = set()
            for path in self.captures(folder):
                for line in strata("explain", "--json-lines", path).splitlines():
                    for layer in json.loads(line)["layers"]:
                        keys.add(layer["key"])
                        if layer["name"] in ("Data", "Padding"):
                            continue
                        at = layer["offset"] * 8
                        for field in layer["fields"]:
                            self.assertEqual(field["bit"], at, (layer["name"], field))
                            self.assertRegex(field["meaning"], r"^[A-Z0-9].*[.?]$")
                            at += field["bits"]
                        self.assertEqual(at, (layer["offset"] + layer["length"]) * 8, layer)
            self.assertGreaterEqual(keys, {"eth", "arp", "ip4", "ip6", "icmp4", "icmp6", "udp", "tcp", "dns", "http"})

    def test_lines_say_what_it_is_about(self):
        with tempfile.TemporaryDirectory() as folder:
            text = "".join(strata("explain", path).decode() for path in self.captures(folder))
            strata("lab", "lan", "--pcap", os.path.join(folder, "lan"))
            text += strata("explain", os.path.join(folder, "lan")).decode()
        for part in ("neighbour solicitation, who has 2001:db8:1::1?",
                     "neighbour advertisement, 2001:db8:1::1 is at 02:00:00:00:02:02",
                     "time to live exceeded in transit, about ICMP 192.168.1.100 > 192.0.2.80",
                     ", about ICMPv6 2001:db8:1::100 > 2001:db8:2::80", "AAAA NOERROR, answers 1: 2001:db8:2::80",
                     "MX NOERROR, answers 1: 10 mail.example.test.", "echo request id ",
                     "who has 192.168.1.1? tell 192.168.1.100",
                     "announcement: 192.168.1.10 is at 02:00:00:00:02:01"):
            self.assertIn(part, text)
        self.assertRegex(text, r"port unreachable, about UDP 192\.168\.1\.100:\d+ > 192\.168\.1\.1:53")

    def test_explain_against_tshark(self):
        if not shutil.which("tshark"):
            self.skipTest("no tshark")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "lab.pcapng")
            strata("get", "--pcap", path, "http://www.example.test/")
            ours = [json.loads(line) for line in strata("explain", "--json-lines", path).splitlines()]
            out = subprocess.run(
                ["tshark", "-r", path, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
                 "-T", "fields", "-e", "frame.number", "-e", "frame.len", "-e", "frame.protocols", "-e", "tcp.seq_raw",
                 "-e", "tcp.checksum.status"], capture_output=True, text=True, check=True).stdout
            theirs = [line.split("\t") for line in out.splitlines()]
            self.assertGreater(len(ours), 10)
            self.assertEqual(len(ours), len(theirs))
            names = {"arp": "arp", "ip4": "ip", "ip6": "ipv6", "tcp": "tcp", "udp": "udp", "icmp6": "icmpv6",
                     "dns": "dns", "http": "http"}
            for packet, (number, length, protocols, seq, _) in zip(ours, theirs):
                self.assertEqual(packet["number"], int(number))
                self.assertEqual(packet["length"], int(length))
                self.assertIsNone(packet["problem"])
                for layer in packet["layers"]:
                    if layer["key"] in names:
                        self.assertIn(names[layer["key"]], protocols.split(":"), packet["summary"])
                    if layer["key"] == "tcp":
                        said = [f["value"] for f in layer["fields"] if f["key"] == "seq"]
                        self.assertEqual(said[:1], [seq] if said else [])
                self.assertEqual(sum(layer["length"] for layer in packet["layers"]), packet["captured"])

    def test_packets_as_they_come(self):
        """A capture that is still being written: what has come is told, though the rest is not there."""
        whole = pcap([self.frame(*FOUR)] * 2)
        with subprocess.Popen([STRATA, "explain", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as explain:
            explain.stdin.write(whole[:-50])
            explain.stdin.flush()
            self.assertIn(b"GET /api/users", explain.stdout.readline())
            explain.stdin.write(whole[-50:])
            explain.stdin.close()
            self.assertIn(b"GET /api/users", explain.stdout.readline())
        self.assertEqual(explain.returncode, 0)

    def test_raw_ip_and_garbage(self):
        frame = self.frame(*FOUR)
        out = strata("explain", "-", given=pcap([frame[14:]], link=101)).decode()
        self.assertIn("192.168.1.100:54321 > 93.184.216.34:80", out)
        rng = random.Random(11)
        broken = []
        for _ in range(2000):
            f = bytearray(frame)
            for _ in range(rng.randrange(1, 8)):
                f[rng.randrange(len(f))] = rng.randrange(256)
            broken.append(bytes(f[:rng.randrange(len(f) + 1)]))
        out = strata("explain", "-v", "-x", "-", given=pcap(broken), want=1)
        self.assertIn(b" 2000 ", out)
        for size in (0, 1, 23, 24, 30, 500):
            strata("explain", "-", given=rng.randbytes(size), want=3)
        whole = pcap([frame] * 3)
        for cut in range(24, len(whole), 7):
            run = subprocess.run([STRATA, "explain", "-"], input=whole[:cut], capture_output=True, timeout=60)
            self.assertIn(run.returncode, (0, 1, 3))
            self.assertNotIn(b"Sanitizer", run.stderr)


if __name__ == "__main__":
    unittest.main()
