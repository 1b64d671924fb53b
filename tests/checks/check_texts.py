"""No text names a folder of the machine it was written on; lines fit 100 columns, tabs indent."""
import re

import tree

MACHINE = re.compile(r"(?<![\w.}$*)-])/(?:work|home|root|Users)/|(?<![\w.}$])/tmp/[a-z]\w*/")
COLUMNS = 100


def problems(root, build):
    del build
    for path in tree.committed(root):
        content = path.read_bytes()
        if b"\0" in content:
            continue
        where = path.relative_to(root)
        for number, line in enumerate(content.decode(errors="replace").splitlines(), start=1):
            if MACHINE.search(line) and "corpus" not in where.parts:
                yield f"{where}:{number}: names a folder of one machine"
            if path.suffix not in (".c", ".h"):
                continue
            if len(line.expandtabs(8)) > COLUMNS:
                yield f"{where}:{number}: more than {COLUMNS} columns"
            if line != line.rstrip():
                yield f"{where}:{number}: blanks at the end"
            if re.match(r"\t*  +(?!\*)\S", line) and not line.startswith("\t"):
                yield f"{where}:{number}: indented by blanks"


if __name__ == "__main__":
    tree.main(problems)
