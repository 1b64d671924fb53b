#!/usr/bin/python3
"""Help teaches, and is the same everywhere: --help, manual page, completion and colours."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import unittest

import cli

URL = "http://www.example.test/"
COMMANDS = [name for name in re.findall(r"^  (\w+) ", cli.run("--help").stdout, re.M) if name != "strata"]


def on_terminal(*arguments, columns=80, env=None):
    """Runs the program with a terminal on its three streams; all that it printed."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**cli.PLAIN, "LC_ALL": "C.UTF-8", "TERM": "xterm", **(env or {})}
    process = subprocess.Popen([cli.STRATA, *arguments], stdin=slave, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    pieces = []
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        pieces.append(piece)
    process.wait()
    os.close(master)
    return b"".join(pieces).decode().replace("\r\n", "\n")


def bare(text):
    return re.sub(r"\x1b\[[0-9;]*[mK]", "", text)


def widest(text):
    return max((len(line) for line in bare(text).splitlines()), default=0)


class Help(unittest.TestCase):
    def test_overview(self):
        done = cli.run("--help")
        self.assertEqual(done.returncode, 0)
        self.assertGreaterEqual(len(COMMANDS), 5)
        self.assertIn("strata get --explain http://www.example.test/", done.stdout)
        self.assertEqual(cli.run().returncode, 2)
        self.assertEqual(cli.run().stderr, done.stdout)

    def test_the_commands_to_begin_with_work(self):
        """A newcomer types what the overview shows; none of it may fail."""
        text = cli.run("--help").stdout
        shown = re.findall(r"^  (strata .*)\n      ", text, re.M)
        self.assertGreaterEqual(len(shown), 3)
        for line in shown:
            done = cli.run(*line.split()[1:])
            self.assertEqual(done.returncode, 0, line + done.stderr[-500:])

    def test_examples_work(self):
        """Those that need neither a network device nor a file of the reader's."""
        tried = 0
        for command in COMMANDS:
            text = cli.run(command, "--help").stdout
            for line in re.findall(r"^  (strata .*)\n      ", text.partition("\nExamples")[2], re.M):
                words = line.split(" > ")[0].split()
                if "tap:" in line or "--tap " in line or "|" in line or "<" in line or \
                        re.search(r"\.pcapng|\.pkt|scripts/|\bFILE", line):
                    continue
                done = cli.run(*words[1:])
                self.assertEqual(done.returncode, 0, line + done.stderr[-500:])
                tried += 1
        self.assertGreater(tried, 6)

    def test_readme(self):
        """Its picture is what the program prints, and its commands and options are there."""
        readme = (cli.ROOT / "README.md").read_text()
        picture = readme.partition("```\n$ ")[2].partition("```")[0].splitlines()
        real = cli.run(*picture[0].split()[1:]).stderr.splitlines()
        shown = [line for line in picture[1:] if line.strip() not in ("", "...")]
        self.assertGreater(len(shown), 10)
        at = real.index(shown[0])
        self.assertEqual([line for line in real[at:] if line][:1], shown[:1])
        for line in shown:
            self.assertIn(line, real)
        for command, words in re.findall(r"\| `strata (\w+)[^|]*\|(.*)\|", readme):
            text = cli.run(command, "--help").stdout
            for option in re.findall(r"(?<![\w-])--?[\w-]+", " ".join(re.findall(r"`([^`]+)`", words))):
                self.assertRegex(text, rf"(?m)(^|, | ){re.escape(option)}[ ,]", f"{command} {option}")

    def test_every_command(self):
        for command in COMMANDS:
            done = cli.run(command, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""), command)
            self.assertEqual(done.stdout, cli.run("help", command).stdout)
            self.assertIn("Examples", done.stdout, command)
            self.assertLessEqual(widest(done.stdout.partition("\nExamples")[0]), 80, command)

    def test_version(self):
        self.assertRegex(cli.run("--version").stdout, r"^strata \d+\.\d+\.\d+\n$")

    def test_nearest(self):
        for typed, meant in (("gett", "get"), ("resovle", "resolve"), ("pnig", "ping"), ("res", "resolve")):
            self.assertIn(f"did you mean 'strata {meant}'", cli.run(typed).stderr)


class Generated(unittest.TestCase):
    """What is committed is what the tables say."""

    def test_manual(self):
        page = cli.run("help", "--man").stdout
        self.assertEqual((cli.ROOT / "man/strata.1").read_text(), page,
                         "man/strata.1 is not current: strata help --man > man/strata.1")
        for command in COMMANDS:
            self.assertIn(f".SS strata {command}\n", page)
            for option in re.findall(r"--([\w-]+)", cli.run(command, "--help").stdout.partition("Examples")[0]):
                self.assertIn("\\-\\-" + option.replace("-", "\\-"), page)

    def test_completion(self):
        script = cli.run("help", "--completion").stdout
        self.assertEqual((cli.ROOT / "completions/strata.bash").read_text(), script,
                         "completions/strata.bash is not current: strata help --completion > ...")

    def complete(self, line):
        script = ('source completions/strata.bash; COMP_LINE="$1" COMP_POINT=${#1}; _strata; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        out = subprocess.run(["bash", "-c", script, "bash", line], cwd=cli.ROOT, check=True,
                             stdout=subprocess.PIPE, text=True).stdout
        return out.split()

    def test_completion_completes(self):
        self.assertLessEqual(set(COMMANDS), set(self.complete("strata ")))
        self.assertEqual(self.complete("strata g"), ["get"])
        self.assertIn("--explain", self.complete("strata get --e"))
        self.assertEqual(self.complete("strata get --link lab:h"), ["home"])
        self.assertEqual(self.complete("strata get --link=lab:h"), ["home"])
        self.assertEqual(self.complete("strata ping -M d"), ["do", "dont"])
        self.assertEqual(self.complete("strata get --color n"), ["never"])
        self.assertIn("man", self.complete("strata get -o m"))
        self.assertEqual(self.complete("strata xyzzy --"), [])


class Colors(unittest.TestCase):
    walk = ("get", "--explain", "-o", "/dev/null", URL)

    def test_only_on_a_terminal(self):
        self.assertFalse("\x1b" in cli.run(*self.walk).stderr)
        self.assertTrue("\x1b[" in on_terminal(*self.walk))

    def test_asked_for(self):
        self.assertTrue("\x1b[" in cli.run(*self.walk, "--color=always").stderr)
        self.assertFalse("\x1b" in on_terminal(*self.walk, "--color=never"))

    def test_environment(self):
        self.assertFalse("\x1b" in on_terminal(*self.walk, env={"NO_COLOR": "1"}))
        self.assertFalse("\x1b" in on_terminal(*self.walk, env={"TERM": "dumb"}))
        self.assertTrue("\x1b[" in on_terminal(*self.walk, env={"NO_COLOR": ""}))
        self.assertTrue("\x1b[" in on_terminal(*self.walk, "--color=always", env={"NO_COLOR": "1"}))

    def test_colors_change_nothing_else(self):
        plain = cli.run(*self.walk).stderr
        self.assertTrue(bare(cli.run(*self.walk, "--color=always").stderr) == plain)
        self.assertTrue(bare(on_terminal(*self.walk)) == plain)

    def test_width(self):
        for columns in (76, 80, 100, 200):
            text = on_terminal(*self.walk, columns=columns)
            self.assertLessEqual(widest(text), min(columns, 110))
        for command in COMMANDS:
            self.assertLessEqual(widest(on_terminal(command, "--help", columns=80).partition("Examples")[0]), 80)

    def test_plain_letters(self):
        text = cli.run(*self.walk, env={"LC_ALL": "C"}).stderr
        self.assertTrue(text.isascii())
        self.assertEqual(len(text.splitlines()), len(cli.run(*self.walk).stderr.splitlines()))


if __name__ == "__main__":
    unittest.main()
