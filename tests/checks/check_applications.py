"""What RFC 9293 asks of applications, ours keep: no urgent data (SHLD-13), and a connection's Diffserv field
stays what it was when the connection began (SHLD-23)."""
import re

import tree

CALLS = {
    r"\bsock_write_urgent\b": "sends urgent data, which RFC 6093 advises against (SHLD-13)",
    r"\bSOCK_TOS\b": "changes the Diffserv field of a connection (SHLD-23): set it in sock_options",
}
OPEN_TO_USERS = {"api_urgent.c"}  # the public call, for programs that need it


def problems(root, build):
    del build
    for path in tree.sources(root, "src/application", "src/api", "cli"):
        if path.name in OPEN_TO_USERS:
            continue
        for number, line in enumerate(tree.without_comments(path.read_text()).splitlines(), start=1):
            for call, why in CALLS.items():
                if re.search(call, line):
                    yield f"{tree.place(root, path, number)}: {why}"


if __name__ == "__main__":
    tree.main(problems)
