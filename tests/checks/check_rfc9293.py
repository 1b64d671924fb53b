"""Each requirement of RFC 9293 has its code and its test, and docs/rfc9293.md says so (tools/rfc9293)."""
import importlib.machinery
import importlib.util

import tree

TOOL = tree.pathlib.Path(__file__).resolve().parents[2] / "tools" / "rfc9293"


def tool():
    loader = importlib.machinery.SourceFileLoader("rfc9293", str(TOOL))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("rfc9293", loader))
    tree.sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def problems(root, build):
    del build
    yield from tool().problems(root)


if __name__ == "__main__":
    tree.main(problems)
