#!/usr/bin/env python3
"""Each attack on TCP in the list of attacks has a test that is named after its row.

A test function is called test_tcp_NN_..., or test_tcp_NN_MM_... where it covers several rows. Without
the list (../shared/attacks.tsv) there is nothing to check: exit 77.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIST = os.path.join(ROOT, "..", "shared", "attacks.tsv")


def tested(root):
    """The numbers of the rows that tests are named after."""
    found = set()
    for folder, _, files in os.walk(os.path.join(root, "tests")):
        for name in files:
            if not name.endswith(".c"):
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                for numbers in re.findall(r"cmocka_unit_test\(test_tcp((?:_\d\d)+)_", file.read()):
                    found.update(numbers.strip("_").split("_"))
    return found


def problems(rows, root):
    have = tested(root)
    for row in rows:
        number = re.match(r"TCP-(\d\d)\b", row)
        if number and number.group(1) not in have:
            yield f"attacks.tsv: no test is named test_tcp_{number.group(1)}_...: {row.split(chr(9))[0]}"


def main():
    if not os.path.exists(LIST):
        print("SKIPPED: the list of attacks is not here")
        return 77
    with open(LIST, encoding="utf-8") as file:
        found = list(problems(file, ROOT))
    for line in found:
        print(line)
    if found:
        print(f"{len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
