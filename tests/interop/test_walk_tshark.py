#!/usr/bin/python3
# timeout: 900
"""The walk of `strata get` is right in every number: tshark recomputes each from the capture.

And it tells what happened, not what usually does: a changed seed, delay or page changes it, the same seed
gives the same bytes.
"""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import capture
import walk_check

STRATA = os.environ.get("STRATA") or str(pathlib.Path(__file__).resolve().parents[2] / "build/strata")
URL = "http://www.example.test/"


class WalkCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_get(self, *arguments, code=0, name="walk"):
        """Runs get; the walk as an object, the capture, what went to standard error."""
        pcap = self.folder / f"{name}.pcapng"
        done = subprocess.run([STRATA, "get", "--json", "--explain", "--pcap", str(pcap), *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**os.environ, "LC_ALL": "C.UTF-8"})
        self.assertEqual(done.returncode, code, done.stderr.decode()[-2000:])
        walk = json.loads(done.stdout)
        self.assertEqual(walk["schema"], "strata.get/1")
        self.assertEqual(walk["exit_code"], code)
        return walk, pcap, done.stderr.decode()

    def recompute(self, *arguments, code=0):
        walk, pcap, text = self.run_get(*arguments, code=code)
        capture.check(pcap)
        packets = walk_check.read_capture(pcap)
        self.assertEqual({p["frame.interface_name"] for p in packets}, {"client/eth0"})
        walk_check.Walk(self, walk, packets).check()
        return walk, packets, text


class Recomputed(WalkCase):
    def test_the_main_job(self):
        walk, packets, text = self.recompute(URL)
        self.assertEqual(walk["response"]["status"], 200)
        self.assertEqual(len(walk["response"]["content"].encode()), walk["summary"]["page_bytes"])
        self.assertEqual(walk["summary"]["round_trips"], 3)
        self.check_text(text, packets)

    def check_text(self, text, packets):
        """The numbers that the ladder shows, in its order: each time, each segment, each frame's length."""
        segments = re.findall(r"seq (\d+) \((\d+)\)", re.sub(r"\n +│ +", " ", text))
        theirs = [(str(p["tcp.seq"]), str(p["tcp.seq_raw"])) for p in packets if "tcp.seq" in p]
        self.assertEqual(segments, theirs)
        acks = re.findall(r"ack (\d+) \((\d+)\)", re.sub(r"\n +│ +", " ", text))
        theirs = [(str(p["tcp.ack"]), str(p["tcp.ack_raw"])) for p in packets
                  if "tcp.ack" in p and int(p["tcp.flags"], 0) & 16]
        self.assertEqual(acks, theirs)
        times = re.findall(r"^ *(\d+\.\d{3})  │", text, re.M)
        start = packets[0]["time"]
        self.assertEqual(times, [f"{(p['time'] - start) / 1e6:.3f}" for p in packets])
        lengths = re.findall(r"= *(\d+) +bytes", text)
        self.assertEqual(lengths, [str(p["frame.len"]) for p in packets])
        total = re.search(r"together +(\d+) +(\d+) +(\d+) +in (\d+) frames", text)
        sent = sum(p["frame.len"] for p in packets if p["sent"])
        every = sum(p["frame.len"] for p in packets)
        self.assertEqual(total.groups(), tuple(map(str, (sent, every - sent, every, len(packets)))))

    def test_one_family(self):
        for option, version in (("-4", "ip4"), ("-6", "ip6")):
            walk, packets, text = self.recompute(option, URL)
            self.assertEqual(len(walk["questions"]), 1)
            headers = {name for step in walk["steps"] if "segment" in step for name in step["headers"]}
            self.assertIn(version, headers)
            self.check_text(text, packets)

    def test_other_networks(self):
        self.recompute("--link", "lab:lan", URL)
        self.recompute("--delay", "300ms", URL)
        self.recompute("--rate", "1Mbit", URL)
        self.recompute("--delay", "0", "--rate", "0", URL)

    def test_many_segments(self):
        walk, _, _ = self.recompute("http://www.example.test/big")
        self.assertEqual(walk["summary"]["page_bytes"], 1 << 20)
        self.assertGreater(walk["summary"]["round_trips"], 5)

    def test_upload(self):
        page = self.folder / "form"
        page.write_bytes(b"x" * 50_000)
        walk, _, _ = self.recompute("-d", f"@{page}", URL)
        self.assertEqual(walk["response"]["status"], 405)

    def test_loss(self):
        for seed in range(1, 9):
            walk, _, _ = self.recompute("--link", "lab:lossy", "--seed", str(seed), URL + "big")
            self.assertEqual(walk["summary"]["page_bytes"], 1 << 20)

    def test_answers_that_are_none(self):
        walk, _, _ = self.recompute("http://nosuch.example.test/", code=1)
        self.assertEqual(walk["questions"][0]["rcode"], "NXDOMAIN")
        self.assertEqual([p["phase"] for p in walk["summary"]["phases"]], ["lookup"])
        walk, _, _ = self.recompute("http://www.example.test:81/", code=1)
        self.assertEqual(walk["problem"], "REFUSED")
        self.assertEqual([p["phase"] for p in walk["summary"]["phases"]], ["lookup", "connect"])
        walk, _, text = self.recompute("http://nobody.example.test/", code=1)
        self.assertIn("timer", {step["kind"] for step in walk["steps"]})
        self.assertIn("SYN again", text)
        self.recompute("--max-time", "50ms", URL, code=1)
        self.recompute("http://www.example.test/nothing-here")


class Changes(WalkCase):
    def numbers(self, *arguments, name="walk"):
        walk, pcap, text = self.run_get(*arguments, URL, name=name)
        return walk, pcap.read_bytes(), text

    def test_same_seed_same_bytes(self):
        first = self.numbers("--seed", "5", name="a")
        second = self.numbers("--seed", "5", name="b")
        self.assertEqual(first, second)
        lossy = [self.numbers("--seed", "5", "--link", "lab:lossy", name=name) for name in "cd"]
        self.assertEqual(lossy[0], lossy[1])

    def test_seed(self):
        one, two = (self.numbers("--seed", seed)[0] for seed in ("1", "2"))
        for walk in (one, two):
            connection = walk["connections"][0]
            walk["drawn"] = (connection["initial_sequence"], connection["remote_initial_sequence"],
                             connection["local_port"], walk["questions"][0]["id"])
        for a, b in zip(one["drawn"], two["drawn"]):
            self.assertNotEqual(a, b)

    def test_delay(self):
        for delay, least in (("1ms", 6), ("20ms", 120), ("70ms", 420)):
            spent = self.numbers("--delay", delay)[0]["summary"]["page_ns"]
            self.assertTrue(least <= spent / 1e6 < least + 1, f"{delay}: {spent}")

    def test_page(self):
        page = self.folder / "page.html"
        for size in (0, 1, 700, 1_400, 100_000):
            page.write_bytes(b"p" * size)
            walk, _, _ = self.numbers("--page", str(page))
            self.assertEqual(walk["summary"]["page_bytes"], size)
            self.assertEqual(walk["response"]["content"], "p" * size)

    def test_page_to_a_file(self):
        out = self.folder / "page"
        self.run_get("-o", str(out), URL)
        plain = subprocess.run([STRATA, "get", URL], check=True, stdout=subprocess.PIPE).stdout
        self.assertEqual(out.read_bytes(), plain)


if __name__ == "__main__":
    unittest.main()
