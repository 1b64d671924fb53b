#!/usr/bin/python3
"""The commands on simulated networks: options that mean what curl's, ping's and dig's do, and JSON."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import capture
import cli
from test_cli_help import bare, on_terminal

URL = "http://www.example.test/"


class CommandCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def fine(self, *arguments, **options):
        done = cli.run(*arguments, **options)
        self.assertEqual(done.returncode, 0, f"{arguments}\n{done.stderr[-1000:]}")
        return done

    def as_json(self, *arguments, code=0):
        done = cli.run(*arguments)
        self.assertEqual(done.returncode, code, done.stderr[-1000:])
        return json.loads(done.stdout)


class Get(CommandCase):
    def test_page(self):
        done = self.fine("get", URL)
        self.assertIn("<h1>It works.</h1>", done.stdout)
        self.assertEqual(done.stderr, "")
        self.assertEqual(self.fine("get", "www.example.test").stdout, done.stdout)
        out = self.folder / "page"
        self.assertEqual(self.fine("get", "-o", out, URL).stdout, "")
        self.assertEqual(out.read_text(), done.stdout)

    def test_walk_goes_to_standard_error(self):
        done = self.fine("get", "--explain", URL)
        self.assertEqual(done.stdout, self.fine("get", URL).stdout)
        for word in ("ARP", "DNS", "SYN", "GET / HTTP/1.1", "HTTP/1.1 200 OK", "FIN", "round trips"):
            self.assertIn(word, done.stderr)

    def test_head(self):
        head = self.fine("get", "-I", URL).stdout
        self.assertRegex(head, r"^HTTP/1.1 200 OK\n(.+: .+\n)+\n$")
        self.assertTrue(self.fine("get", "-i", URL).stdout.startswith(head.partition("\n")[0]))
        self.assertIn("> HEAD / HTTP/1.1", self.fine("get", "-vI", URL).stderr)

    def test_verbose(self):
        text = self.fine("get", "-v", "-H", "Accept: text/plain", "-H", "X-Test: 1", "-H", "User-Agent:", URL).stderr
        sent = re.findall(r"^> (.*)", text, re.M)
        self.assertEqual(sent[0], "GET / HTTP/1.1")
        self.assertIn("Accept: text/plain", sent)
        self.assertIn("X-Test: 1", sent)
        self.assertEqual([line for line in sent if line.startswith("User-Agent")], [])
        self.assertIn("< HTTP/1.1 200 OK", text)

    def test_data(self):
        text = cli.run("get", "-v", "-d", "a=1", "-d", "b=2", URL).stderr
        self.assertIn("> POST / HTTP/1.1", text)
        self.assertIn("> Content-Length: 7", text)
        self.assertIn("> Content-Type: application/x-www-form-urlencoded", text)
        self.assertIn("> PUT /x HTTP/1.1", cli.run("get", "-vX", "PUT", URL + "x").stderr)

    def test_status(self):
        done = self.fine("get", URL + "nothing")
        self.assertIn("404", done.stdout)
        self.assertEqual(cli.run("get", "-f", URL + "nothing").stdout, "")

    def test_empty_page(self):
        out = self.folder / "empty"
        self.fine("get", "-o", out, URL + "empty.txt")
        self.assertEqual(out.read_bytes(), b"")

    def test_json_with_a_file(self):
        out = self.folder / "page"
        walk = self.as_json("get", "--json", "-o", str(out), URL)
        self.assertNotIn("content", walk["response"])
        self.assertEqual(out.stat().st_size, walk["summary"]["page_bytes"])
        done = self.fine("get", "--json", "-o", "-", URL)
        self.assertEqual(done.stdout, out.read_text())
        self.assertEqual(json.loads(done.stderr)["schema"], "strata.get/1")

    def test_json_of_bytes(self):
        import base64
        page = self.folder / "bytes"
        page.write_bytes(bytes(range(256)))
        walk = self.as_json("get", "--json", "--page", str(page), URL)
        self.assertEqual(base64.b64decode(walk["response"]["content_base64"]), page.read_bytes())

    def test_progress(self):
        # A fast machine is done before there is anything to tell: then the page grows.
        for size in (60, 240, 960):
            link = f"lab:home?big={size}M&rate=0&delay=1ms"
            command = ("get", "-o", str(self.folder / "big"), "--link", link, URL + "big")
            text = on_terminal(*command)
            if text:
                break
        self.assertRegex(text, r"\d+ %  [\d.]+ [MG]B of [\d.]+ [MG]B")
        self.assertTrue(text.endswith("\r\x1b[K"))
        self.assertEqual(self.fine(*command).stderr, "")
        self.assertEqual((self.folder / "big").stat().st_size, size << 20)


class Ping(CommandCase):
    def test_output(self):
        pcap = self.folder / "ping.pcapng"
        text = self.fine("ping", "-c", "3", "--pcap", pcap, "-s", "100", "www.example.test").stdout
        capture.check(pcap)
        replies = re.findall(r"^108 bytes from 2001:db8:2::80: icmp_seq=(\d) ttl=62 time=([\d.]+) ms$", text, re.M)
        self.assertEqual([sequence for sequence, _ in replies], ["0", "1", "2"])
        self.assertEqual(len(capture.packets(pcap, "icmpv6.type == 129", "icmpv6.echo.sequence_number")), 3)
        self.assertIn("3 packets transmitted, 3 received, 0% packet loss", text)
        self.assertRegex(text, r"rtt min/avg/max/mdev = 40\.\d+/40\.\d+/40\.\d+/0\.\d+ ms")

    def test_times(self):
        """Each round trip is what the capture says, to the nanosecond."""
        pcap = self.folder / "ping.pcapng"
        told = self.as_json("ping", "--json", "-4", "-c", "5", "-i", "0.1", "--pcap", str(pcap), "www.example.test")
        stamps = {}
        for packet in capture.packets(pcap, "icmp", "frame.time_epoch", "icmp.type", "icmp.seq"):
            whole, part = packet["frame.time_epoch"][0].split(".")
            stamps[packet["icmp.seq"][0], packet["icmp.type"][0]] = int(whole) * 10**9 + int(part)
        self.assertEqual(len(told["answers"]), 5)
        for answer in told["answers"]:
            sequence = str(answer["sequence"])
            self.assertEqual(answer["round_trip_ns"], stamps[sequence, "0"] - stamps[sequence, "8"])
        self.assertEqual(told["statistics"]["min_ns"], min(a["round_trip_ns"] for a in told["answers"]))
        self.assertEqual(told["statistics"]["received"], 5)

    def test_loss(self):
        text = cli.run("ping", "-c", "40", "--loss", "30%", "-4", "192.0.2.80").stdout
        lost = 40 - len(re.findall("bytes from", text))
        self.assertGreater(lost, 5)
        self.assertIn(f"{100 * lost / 40:g}% packet loss", text)

    def test_fragments(self):
        self.fine("ping", "-c", "1", "-M", "do", "-s", "1472", "192.0.2.80")
        done = cli.run("ping", "-c", "1", "-M", "do", "-s", "1473", "192.0.2.80")
        self.assertEqual(done.returncode, 1)
        self.assertIn("too big", done.stdout)

    def test_what_does_not_leave_names_the_mtu(self):
        """Once, for a second request would fare no better; and what it names is right."""
        for address, fits in (("192.0.2.80", 1472), ("2001:db8:2::80", 1452)):
            for how in ("do", "dont"):
                done = cli.run("ping", "-M", how, "-s", fits + 1, address)
                self.assertEqual(done.returncode, 1)
                (line,) = [line for line in done.stdout.splitlines() if line.startswith("icmp_seq")]
                self.assertTrue(line.endswith(f"the link's MTU is 1500, '-s {fits}' fits"), line)
                self.assertIn("1501 bytes with its headers", line)
                self.assertIn("0 packets transmitted, 0 received, 1 could not be sent", done.stdout)
            self.assertIn("4 received", self.fine("ping", "-M", "do", "-s", fits, address).stdout)
            (answer,) = self.as_json("ping", "--json", "-M", "do", "-s", "3000", address, code=1)["answers"]
            self.assertEqual((answer["mtu"], answer["fitting_size"]), (1500, fits))


class Resolve(CommandCase):
    def test_output(self):
        done = self.fine("resolve", "www.example.test")
        self.assertEqual(done.stdout.splitlines(), ["www.example.test.\t300\tIN\tAAAA\t2001:db8:2::80",
                                                    "www.example.test.\t300\tIN\tA\t192.0.2.80"])
        self.assertRegex(done.stderr, r";; A from 192\.0\.2\.53 in 40\.\d+ ms over UDP, \d+ bytes: NOERROR")
        self.assertEqual(self.fine("resolve", "-s", "example.test", "MX").stdout, "10 mail.example.test.\n")
        self.assertIn("over TCP", self.fine("resolve", "--tcp", "www.example.test", "A").stderr)

    def test_capture(self):
        pcap = self.folder / "dns.pcapng"
        self.fine("resolve", "--tcp", "--pcap", pcap, "www.example.test")
        capture.check(pcap)
        self.assertEqual(len(capture.packets(pcap, "dns.flags.response == 1", "dns.id")), 2)

    def test_json(self):
        told = self.as_json("resolve", "--json", "web.example.test", "A")
        self.assertEqual(told["schema"], "strata.resolve/1")
        self.assertEqual([(r["type"], r["data"]) for r in told["answers"][0]["records"]],
                         [("CNAME", "www.example.test."), ("A", "192.0.2.80")])
        told = self.as_json("resolve", "--json", "nosuch.example.test", code=1)
        self.assertEqual(told["answers"][0]["rcode"], "NXDOMAIN")


class Lab(CommandCase):
    def test_list_and_show(self):
        names = [lab["name"] for lab in self.as_json("lab", "--json")["labs"]]
        self.assertIn("home", names)
        listed = self.fine("lab").stdout
        for name in names:
            self.assertIn(f"lab:{name}", listed)
            shown, told = self.fine("lab", name).stdout, self.as_json("lab", name, "--json")
            self.assertIn(told["drawing"], shown)
            for machine in told["machines"]:
                self.assertIn(machine["name"], shown)
                for interface in machine["interfaces"]:
                    for address in interface["addresses"]:
                        self.assertIn(f"{address['address']}/{address['prefix']}", shown)
            self.assertEqual(cli.run("get", "--link", f"lab:{name}", told["url"]).returncode, 0)

    def test_the_list_is_a_table(self):
        lines = self.fine("lab").stdout.partition("\n\n")[0].splitlines()
        columns = {re.match(r"(  lab:\w+ +| +)", line).end() for line in lines}
        self.assertEqual(len(columns), 1, lines)

    def test_all_lines_fit(self):
        for lab in self.as_json("lab", "--json")["labs"]:
            text = bare(on_terminal("lab", lab["name"]))
            self.assertLessEqual(max(map(len, text.splitlines())), 80, text)
            self.assertIsNone(re.search(r" $", text, re.M))

    def test_links(self):
        """Both ways of each link, in words where they differ."""
        for name in ("home", "lossy", "lan"):
            shown, told = self.fine("lab", name).stdout, self.as_json("lab", name, "--json")
            for link in told["links"]:
                there, back = link["ways"]
                self.assertEqual((there["from"], there["to"]), (back["to"], back["from"]))
                self.assertIn(f"{there['from']} -- {there['to']}", shown)
        there, back = self.as_json("lab", "lossy", "--json")["links"][0]["ways"]
        self.assertEqual((there["loss_ppm"], back["loss_ppm"]), (20000, 20000))
        self.assertRegex(self.fine("lab", "lossy").stdout, r"(?s)20 ms each way, 2 % loss.*1 % duplicated, 1 ms jitter\n")

    def test_capture(self):
        pcap = self.folder / "lab.pcapng"
        self.fine("lab", "home", "--pcap", pcap)
        capture.check(pcap)
        announced = {p["arp.src.proto_ipv4"][0] for p in capture.packets(pcap, "arp", "arp.src.proto_ipv4")}
        self.assertEqual(announced, {a["address"] for machine in self.as_json("lab", "home", "--json")["machines"]
                                     for interface in machine["interfaces"] for a in interface["addresses"]
                                     if "." in a["address"]})


class Every(CommandCase):
    """What holds for all commands: --json gives JSON with a schema, --pcap a capture in which nothing is wrong."""

    def frame(self):
        out = self.folder / "frame.pcapng"
        subprocess.run([cli.STRATA, "wrap", "--src-ip", "192.0.2.1", "--dst-ip", "192.0.2.2", "--src-port", "9", "--dst-port",
                        "9", "--src-mac", "02:00:00:00:00:01", "--dst-mac", "02:00:00:00:00:02", "-o", out], input=b"payload", check=True, stdout=subprocess.DEVNULL)
        return str(out)

    def commands(self):
        return (("get", URL), ("ping", "-c", "2", "192.0.2.80"), ("ping", "-c", "2", "2001:db8:2::80"),
                ("ping", "-c", "1", "nobody.example.test"), ("ping", "-c", "1", "nosuch.example.test"),
                ("resolve", "www.example.test"), ("resolve", "nosuch.example.test"), ("lab",), ("lab", "home"),
                ("explain", self.frame()),
                ("get", "http://www.example.test:81/"), ("get", "http://nosuch.example.test/"),
                ("ping", "-M", "do", "-s", "3000", "www.example.test"))

    def test_json(self):
        tried = set()
        for command in self.commands():
            for option in ("--json", "--json-lines"):
                if option not in cli.run(command[0], "--help").stdout.split():
                    continue
                done = cli.run(*command, option)
                self.assertIn(done.returncode, (0, 1), f"{command}\n{done.stderr}")
                whole = [done.stdout] if option == "--json" else done.stdout.splitlines()
                for text in whole:
                    self.assertRegex(json.loads(text)["schema"], rf"^strata\.\w+/\d+$", command)
                tried.add(command[0])
        self.assertGreaterEqual(tried, {"get", "ping", "resolve", "lab", "explain"})

    def test_pcap_to_standard_output(self):
        """A pipe gets the capture and nothing else."""
        for command, told in ((("ping", "-c", "1", "192.0.2.80"), b"1 received"), (("get", URL), b"It works"),
                              (("resolve", "www.example.test"), b"2001:db8:2::80")):
            done = subprocess.run([cli.STRATA, *command, "--pcap", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 0)
            self.assertIn(told, done.stderr)
            pcap = self.folder / "piped.pcapng"
            pcap.write_bytes(done.stdout)
            capture.check(pcap)
            self.assertEqual(done.stdout, self.same(command))

    def same(self, command):
        pcap = self.folder / "same.pcapng"
        cli.run(*command, "--pcap", pcap)
        return pcap.read_bytes()

    def test_pcap(self):
        tried = set()
        for command in self.commands():
            if command == ("lab",) or "--pcap" not in cli.run(command[0], "--help").stdout.split():
                continue
            pcap = self.folder / "every.pcapng"
            for link in ((),) if command[0] == "lab" else ((), ("--link", "lab:lossy", "--seed", "5")):
                done = cli.run(*command, *link, "--pcap", pcap)
                self.assertIn(done.returncode, (0, 1), f"{command}\n{done.stderr}")
                capture.check(pcap)
                pcap.unlink()
            tried.add(command[0])
        self.assertGreaterEqual(tried, {"get", "ping", "resolve", "lab"})


if __name__ == "__main__":
    unittest.main()
