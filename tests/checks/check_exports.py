"""The public libraries show strata_* only, and every function of the public headers is in both."""
import re

import tree

FUNCTION = re.compile(r"\b(strata_\w+)\s*\(")


def shown(path, *options):
    for line in tree.output("nm", "--defined-only", "--extern-only", *options, str(path)).splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[1] != "A":
            yield fields[2]


def declared(root):
    """Functions declared in the public headers: names before a parenthesis at the outermost level."""
    for path in tree.sources(root, "include"):
        text = tree.without_comments(path.read_text())
        text = re.sub(r"^\s*#(?:.*\\\n)*.*$", "", text, flags=re.M)
        text = re.sub(r'extern "C"\s*\{', "", text)
        while re.search(r"\{[^{}]*\}", text):
            text = re.sub(r"\{[^{}]*\}", "", text)
        for statement in text.split(";"):
            found = FUNCTION.search(statement)
            if found and "typedef" not in statement and "inline" not in statement:
                yield path, found[1]


def problems(root, build):
    shared, static = build / "libstrata.so", build / "libstrata.a"
    for path, options in ((shared, ["--dynamic"]), (static, [])):
        if not path.exists():
            yield f"{path.name}: not built"
            continue
        names = set(shown(path, *options))
        for name in sorted(names):
            if not name.startswith("strata_"):
                yield f"{path.name}: shows {name}"
        for header, name in declared(root):
            if name not in names:
                yield f"{tree.place(root, header)}: {name} is not in {path.name}"


if __name__ == "__main__":
    tree.main(problems)
