#!/usr/bin/python3
"""lab, resolve and ping on simulated networks: what they print, their JSON and exit codes, and that the same seed
gives the same output."""
import json
import re
import subprocess
import unittest

from strata_lib import BUILD

STRATA = str(BUILD / "strata")
LINK_NS = 20_000_000  # the wide-area link of lab:home, one way


def strata(*arguments, want=0):
    """Runs a command; its output and its errors."""
    run = subprocess.run([STRATA, *arguments], capture_output=True, text=True, timeout=120)
    if run.returncode != want:
        raise AssertionError(f"strata {' '.join(arguments)}: exit {run.returncode}, not {want}\n{run.stderr}")
    return run.stdout, run.stderr


def data(*arguments, want=0):
    return json.loads(strata(*arguments, "--json", want=want)[0])


class Lab(unittest.TestCase):
    def test_list(self):
        text, _ = strata("lab")
        labs = data("lab")["labs"]
        self.assertIn("home", [lab["name"] for lab in labs])
        for lab in labs:
            self.assertIn(f"lab:{lab['name']}", text)

    def test_each_lab_names_what_it_has(self):
        for entry in data("lab")["labs"]:
            name = entry["name"]
            with self.subTest(lab=name):
                text, _ = strata("lab", name)
                lab = data("lab", name)
                self.assertEqual((lab["schema"], lab["name"]), ("strata.lab/1", name))
                for machine in lab["machines"]:
                    self.assertIn(machine["name"], text)
                for entry in lab["names"]:
                    self.assertIn(entry["name"], text)
                    self.assertIn(entry["address"], text)
                self.assertIn(lab["url"], text)

    def test_its_names_resolve(self):
        for entry in data("lab", "home")["names"]:
            text, _ = strata("resolve", entry["name"], "AAAA" if ":" in entry["address"] else "A")
            self.assertIn(entry["address"], text.split())

    def test_unknown(self):
        out, errors = strata("lab", "nowhere", want=2)
        self.assertEqual(out, "")
        self.assertEqual(len(errors.splitlines()), 1)
        self.assertIn("home", errors)


class Resolve(unittest.TestCase):
    def test_both_families(self):
        text, told = strata("resolve", "www.example.test")
        self.assertEqual({line.split()[4] for line in text.splitlines()}, {"192.0.2.80", "2001:db8:2::80"})
        self.assertIn("192.0.2.53", told)

    def test_types(self):
        self.assertIn("10 mail.example.test.", strata("resolve", "example.test", "MX")[0])
        self.assertIn('"a network that fits in one process"', strata("resolve", "example.test", "txt")[0])
        self.assertIn("CNAME", strata("resolve", "web.example.test", "A")[0])

    def test_json(self):
        said = data("resolve", "www.example.test", "A")
        self.assertEqual((said["schema"], said["exit_code"]), ("strata.resolve/1", 0))
        (answer,) = said["answers"]
        self.assertEqual((answer["status"], answer["rcode"]), ("FOUND", "NOERROR"))
        self.assertEqual([(r["ttl"], r["data"]) for r in answer["records"]], [(300, "192.0.2.80")])
        self.assertEqual(answer["tries"][0]["server"], "192.0.2.53")
        self.assertGreater(answer["duration_ns"], 2 * LINK_NS)

    def test_no_name_and_no_data(self):
        self.assertIn("does not exist", strata("resolve", "no.example.test", want=1)[1])
        self.assertIn("no record of this type", strata("resolve", "ipv4.example.test", "AAAA", want=1)[1])

    def test_usage(self):
        strata("resolve", "www.example.test", "NOTATYPE", want=2)
        strata("resolve", want=2)


class Ping(unittest.TestCase):
    def test_lines(self):
        text, _ = strata("ping", "-c", "3", "www.example.test")
        self.assertEqual(len(re.findall(r"^64 bytes from .* time=", text, re.M)), 3)
        self.assertIn("3 packets transmitted, 3 received, 0% packet loss", text)
        self.assertRegex(text, r"min/avg/max/mdev = [\d.]+/[\d.]+/[\d.]+/[\d.]+ ms")

    def test_families(self):
        self.assertIn("192.0.2.80", strata("ping", "-4", "-c", "1", "www.example.test")[0])
        self.assertIn("2001:db8:2::80", strata("ping", "-6", "-c", "1", "www.example.test")[0])

    def test_json_adds_up(self):
        said = data("ping", "-c", "5", "-s", "1000", "ipv4.example.test")
        self.assertEqual((said["schema"], said["address"]), ("strata.ping/1", "192.0.2.80"))
        times = [a["round_trip_ns"] for a in said["answers"] if a["kind"] == "reply"]
        s = said["statistics"]
        self.assertEqual((s["sent"], s["received"], len(times)), (5, 5, 5))
        self.assertEqual((s["min_ns"], s["max_ns"], s["avg_ns"]), (min(times), max(times), sum(times) // 5))
        self.assertGreater(s["min_ns"], 2 * LINK_NS)

    def test_a_longer_link_takes_longer(self):
        said = data("ping", "-c", "1", "--delay", "300ms", "ipv4.example.test")
        self.assertGreater(said["statistics"]["min_ns"], 600_000_000)
        self.assertLess(said["statistics"]["min_ns"], 602_000_000)

    def test_nobody_answers(self):
        text, _ = strata("ping", "-c", "2", "nobody.example.test", want=1)
        self.assertIn("2 packets transmitted, 0 received", text)

    def test_too_big(self):
        text, errors = strata("ping", "-c", "1", "-M", "do", "-s", "3000", "192.0.2.80", want=1)
        self.assertIn("too big", text + errors)

    def test_usage(self):
        strata("ping", want=2)
        strata("ping", "-c", "x", "192.0.2.80", want=2)


class Determinism(unittest.TestCase):
    def test_same_seed(self):
        for command in (["lab", "home"], ["resolve", "www.example.test"], ["ping", "-c", "10", "www.example.test"]):
            link = [] if command[0] == "lab" else ["--link", "lab:lossy", "--seed", "7"]
            with self.subTest(command=command):
                runs = {subprocess.run([STRATA, *command, *link], capture_output=True).stdout for _ in range(3)}
                self.assertEqual(len(runs), 1)

    def test_another_seed(self):
        runs = {subprocess.run([STRATA, "ping", "-c", "10", "--link", "lab:lossy", "--seed", seed, "www.example.test"],
                               capture_output=True).stdout for seed in "123"}
        self.assertGreater(len(runs), 1)


if __name__ == "__main__":
    unittest.main()
