#!/usr/bin/python3
"""strata_lib.py's structures lie in memory as the public headers say. Where one is too short, the library writes
beyond it, and the interpreter dies long after the test has passed."""
import ctypes
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import netspace
import strata_lib
from strata_lib import ROOT

NAMES = {"Options": "strata_options", "Address": "strata_address", "Info": "strata_stream_info",
         "Counters": "strata_counters", "PingOptions": "strata_ping_options", "PingReply": "strata_ping_reply",
         "HttpOptions": "strata_http_options", "Field": "strata_http_field", "Response": "strata_http_response"}


def measured(expressions):
    """What the compiler says these are."""
    compiler = next((name for name in ("gcc", "clang", "cc") if shutil.which(name)), None) or netspace.skip("no compiler")
    lines = "".join(f'\tprintf("%zu\\n", (size_t)({e}));\n' for e in expressions)
    with tempfile.TemporaryDirectory() as folder:
        source, program = pathlib.Path(folder, "layout.c"), pathlib.Path(folder, "layout")
        source.write_text("#include <stddef.h>\n#include <stdio.h>\n#include <strata/strata.h>\n"
                          f"int main(void)\n{{\n{lines}\treturn 0;\n}}\n")
        subprocess.run([compiler, "-I", ROOT / "include", source, "-o", program], check=True)
        return [int(n) for n in subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()]


class Layout(unittest.TestCase):
    def test_all_are_known(self):
        ours = {name for name, what in vars(strata_lib).items()
                if isinstance(what, type) and issubclass(what, ctypes.Structure)}
        self.assertEqual(ours, set(NAMES))

    def test_sizes_and_places(self):
        for ours, theirs in NAMES.items():
            what = getattr(strata_lib, ours)
            with self.subTest(theirs):
                fields = [name for name, _ in what._fields_]
                found = measured([f"sizeof(struct {theirs})"] + [f"offsetof(struct {theirs}, {f})" for f in fields])
                self.assertEqual(found[0], ctypes.sizeof(what))
                self.assertEqual(found[1:], [getattr(what, f).offset for f in fields])


if __name__ == "__main__":
    unittest.main()
