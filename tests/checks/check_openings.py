"""Every source file opens with a comment that says how it works, and names no work left over."""
import re

import tree

LEFT_OVER = re.compile(r"\b(TODO|FIXME)\b")


def problems(root, build):
    del build
    for path in tree.sources(root, "src", "include", "cli", "bench", "examples", "tests"):
        text = path.read_text(errors="replace")
        opening = re.match(r"\s*/\*(.*?)\*/", text, re.S)
        if not opening or len(opening[1].split()) < 3:
            yield f"{tree.place(root, path, 1)}: does not open with a comment"
        for number, line in tree.lines(path):
            if LEFT_OVER.search(line):
                yield f"{tree.place(root, path, number)}: work left over"


if __name__ == "__main__":
    tree.main(problems)
