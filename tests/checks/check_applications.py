"""What RFC 9293 asks of applications, ours keep: no urgent data (SHLD-13), and a connection's Diffserv field
stays what it was when the connection began (SHLD-23). The public calls are there for programs that need them."""
import re

import tree

CALLS = {
    r"\b(?:sock|strata)_write_urgent\b": "sends urgent data, which RFC 6093 advises against (SHLD-13)",
    r"\bSOCK_TOS\b": "changes the Diffserv field of a connection (SHLD-23): set it in sock_options",
}


def problems(root, build):
    del build
    for path in tree.sources(root, "src/application", "cli", "examples"):
        for number, line in enumerate(tree.without_comments(path.read_text()).splitlines(), start=1):
            for call, why in CALLS.items():
                if re.search(call, line):
                    yield f"{tree.place(root, path, number)}: {why}"


if __name__ == "__main__":
    tree.main(problems)
