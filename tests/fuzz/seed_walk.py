#!/usr/bin/python3
"""Writes the corpus of fuzz_walk: real exchanges on simulated networks, as the target reads them.

    STRATA=build/strata tests/fuzz/seed_walk.py        writes tests/fuzz/corpus/walk/*
"""
import os
import pathlib
import struct
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
STRATA = os.environ.get("STRATA") or str(ROOT / "build/strata")
PACKET, COMMENT, FLAGS = 6, 1, 2
RUNS = {
    "page": ["http://www.example.test/"],
    "ip4": ["-4", "http://www.example.test/hello.txt"],
    "refused": ["http://www.example.test:81/"],
    "unknown": ["http://nosuch.example.test/"],
    "unreachable": ["http://nobody.example.test/"],
    "lossy": ["--link", "lab:lossy?big=12k", "--seed", "4", "http://www.example.test/big"],
}


def packets(path):
    """Time, direction, comment and bytes of each packet block."""
    data = path.read_bytes()
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == PACKET:
            _, high, low, captured, _ = struct.unpack_from("<IIIII", data, at + 8)
            frame = data[at + 28:at + 28 + captured]
            options, comment, sent = at + 28 + (captured + 3) // 4 * 4, "", False
            while options < at + length - 4:
                code, size = struct.unpack_from("<HH", data, options)
                value = data[options + 4:options + 4 + size]
                if code == COMMENT:
                    comment = value.decode()
                if code == FLAGS:
                    sent = struct.unpack("<I", value)[0] & 3 == 2
                options += 4 + (size + 3) // 4 * 4
            yield (high << 32 | low), sent, comment, frame
        at += length


def main():
    corpus = ROOT / "tests/fuzz/corpus/walk"
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        pcap = pathlib.Path(folder) / "walk.pcapng"
        for name, arguments in RUNS.items():
            subprocess.run([STRATA, "get", "--pcap", str(pcap), *arguments], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            out, last = b"", None
            for time, sent, comment, frame in packets(pcap):
                passed = 0 if last is None else min((time - last) // 1_000_000, 31)
                last = time
                flags = passed << 3 | 2 * comment.startswith("dropped") | sent
                out += struct.pack(">BH", flags, len(frame)) + frame
            (corpus / name).write_bytes(out)


if __name__ == "__main__":
    main()
