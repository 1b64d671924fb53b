#!/usr/bin/python3
"""Public conformance scripts, which lie beside the project and not in it: whichever passed before must pass,
and whichever passes now must be written down, so that the ledger only grows.

`--record` writes the ledger anew. Scripts that do not pass are listed in docs/packetdrill.md with the reason.
"""
import json
import pathlib
import sys

import cli

SETS = cli.ROOT.parent / "shared/packetdrill"
LEDGER = cli.ROOT / "tests/interop/packetdrill_passed.txt"
HEAD = """# Public packetdrill scripts that our stack passes, with --lenient; `over IPv6` where --ipv6 was given too.
# Written by tests/interop/test_packetdrill_sets.py --record; lines are only ever added.
"""


def passed(*options):
    """The scripts that pass, by their paths in the sets."""
    said = json.loads(cli.run("packetdrill", "--lenient", "--json", *options, SETS).stdout)
    bad = [s for s in said["scripts"] if s["outcome"] == "malformed" and "no such call" not in s["problem"]]
    if bad and not options:  # scripts for IPv4 only may name its ICMP messages
        sys.exit("\n".join(f"{s['script']}:{s['line']}: {s['problem']}" for s in bad))
    mark = " over IPv6" if options else ""
    return {str(pathlib.Path(s["script"]).relative_to(SETS)) + mark
            for s in said["scripts"] if s["outcome"] == "passed" and not (options and "freebsd" in s["script"])}


def main():
    if not SETS.is_dir():
        print("SKIPPED: the public scripts are not beside the project")
        return 77
    now = passed() | passed("--ipv6")
    if sys.argv[1:] == ["--record"]:
        LEDGER.write_text(HEAD + "".join(f"{name}\n" for name in sorted(now)))
    before = {line for line in LEDGER.read_text().splitlines() if line and not line.startswith("#")}
    for name in sorted(before - now):
        print(f"{name}: passed before, and fails now")
    for name in sorted(now - before):
        print(f"{name}: passes now: record it (test_packetdrill_sets.py --record)")
    print(f"{len(now)} pass, {len(before)} are recorded")
    return 1 if before != now else 0


if __name__ == "__main__":
    sys.exit(main())
