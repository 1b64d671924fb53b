"""What the checks share: where the tree is, how its files are read, and how problems are told.

A check is a module with `problems(root, build)`, which yields one line of text for each broken rule,
beginning with file:line where there is one. Run as a program it prints them and exits 1 if any.
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(os.environ.get("STRATA_ROOT") or pathlib.Path(__file__).resolve().parents[2])
BUILD = pathlib.Path(os.environ.get("STRATA_BUILD") or ROOT / "build")

# The layers that know no system: no I/O, no clock, no randomness, no allocation, no writable global.
PURE = ("base", "wire", "packet", "access", "internet", "transport", "stack", "socket", "application",
        "diag", "posix")


def sources(root, *folders):
    """The C files of some folders, in a stable order."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*.[ch]")):
            yield path


def lines(path):
    """Pairs of line number and line."""
    return enumerate(path.read_text(errors="replace").splitlines(), start=1)


def place(root, path, number=None):
    name = str(path.relative_to(root))
    return f"{name}:{number}" if number else name


def without_comments(text):
    """C text with each comment turned to blanks, so that line numbers hold."""
    return re.sub(r"/\*.*?\*/", lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.S)


def committed(root):
    """The files that git has or would take; all files where there is no git."""
    listing = subprocess.run(["git", "-C", str(root), "ls-files", "-z", "--cached", "--others",
                              "--exclude-standard"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if listing.returncode == 0:
        names = listing.stdout.decode().split("\0")
        return sorted(root / name for name in names if name and (root / name).is_file())
    return sorted(path for path in root.rglob("*")
                  if path.is_file() and "build" not in path.relative_to(root).parts[:1])


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main(problems):
    """Runs a check on the tree."""
    found = list(problems(ROOT, BUILD))
    for line in found:
        print(line)
    if found:
        print(f"{len(found)} problems")
    sys.exit(1 if found else 0)
