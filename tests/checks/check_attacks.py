"""Each attack on TCP in the list of attacks has a test that is named after its row, and a mutant.

Such a test is called test_tcp_NN_..., or test_tcp_NN_MM_... where it covers several rows; a mutant's name begins with
the row's, TCP-NN. The list is beside the tree; without it there is nothing to check: exit 77.
"""
import re
import sys

import tree


def tested(root):
    """The numbers of the rows that tests are named after."""
    found = set()
    for path in sorted((root / "tests").rglob("*.c")):
        for numbers in re.findall(r"cmocka_unit_test\(test_tcp((?:_\d\d)+)_", path.read_text()):
            found.update(numbers.strip("_").split("_"))
    return found


def mutated(root):
    """The numbers of the rows that mutants are named after."""
    table = root / "tests/mutants/table.py"
    names = re.findall(r'^    \("([^"]*)"', table.read_text(), re.MULTILINE) if table.exists() else []
    return {number for name in names for number in re.findall(r"\bTCP-(\d\d)\b", name)}


def attacks(root):
    return root.parent / "shared" / "attacks.tsv"


def problems(root, build):
    del build
    have, broken = tested(root), mutated(root)
    for row in attacks(root).read_text().splitlines():
        number = re.match(r"TCP-(\d\d)\b", row)
        if number and number[1] not in have:
            title = row.split("\t")[0]
            yield f"attacks.tsv: no test is called test_tcp_{number[1]}_...: {title}"
        if number and number[1] not in broken:
            yield f"tests/mutants/table.py: no mutant shows that the test of TCP-{number[1]} can fail"


if __name__ == "__main__":
    if not attacks(tree.ROOT).exists():
        print("SKIPPED: the list of attacks is not here")
        sys.exit(77)
    tree.main(problems)
