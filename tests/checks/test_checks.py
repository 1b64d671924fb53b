"""Every check finds what it is for: each is given a small good tree, then one with each fault."""
import pathlib
import subprocess
import tempfile
import unittest

import check_applications
import check_attacks
import check_corpora
import check_exports
import check_layers
import check_names
import check_openings
import check_purity
import check_rfc9293
import check_texts

OPENING = "/* What this file is for, in a few words. */\n"


class Tree:
    """A folder of files, and libraries compiled from them."""

    def __init__(self, folder, files):
        self.root = pathlib.Path(folder)
        self.build = self.root / "build"
        self.build.mkdir()
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(text, bytes):
                path.write_bytes(text)
            else:
                path.write_text(text)

    def compile(self, *names):
        objects = []
        for name in names:
            objects.append(str(self.build / (pathlib.Path(name).stem + ".o")))
            subprocess.run(["gcc", "-std=gnu17", "-O2", "-flto", "-ffat-lto-objects", "-fPIC", "-c", str(self.root / name), "-o",
                            objects[-1]], check=True, stderr=subprocess.DEVNULL)
        return objects

    def archive(self, layer, *names):
        subprocess.run(["ar", "rcs", str(self.build / f"libstrata_{layer}.a"), *self.compile(*names)],
                       check=True)

    def libraries(self, *names):
        objects = self.compile(*names)
        subprocess.run(["gcc", "-shared", "-o", str(self.build / "libstrata.so"), *objects], check=True)
        subprocess.run(["ar", "rcs", str(self.build / "libstrata.a"), *objects], check=True)


class CheckTest(unittest.TestCase):
    def setUp(self):
        self.folders = []

    def tearDown(self):
        for folder in self.folders:
            folder.cleanup()

    def tree(self, files):
        self.folders.append(tempfile.TemporaryDirectory())
        return Tree(self.folders[-1].name, files)

    def assert_good(self, check, tree):
        self.assertEqual(list(check.problems(tree.root, tree.build)), [])

    def assert_bad(self, check, tree, *fragments):
        """Exactly one problem for each fragment, in order."""
        found = list(check.problems(tree.root, tree.build))
        self.assertEqual(len(found), len(fragments), found)
        for line, fragment in zip(found, fragments):
            self.assertIn(fragment, line)

    def layers(self, changed):
        files = {
            "src/base/span.h": "#include <stdint.h>\n",
            "src/wire/ip.h": '#include "base/span.h"\n',
            "src/transport/tcp/conn.h": '#include "transport/recovery/rtt.h"\n#include "wire/ip.h"\n',
            "src/transport/recovery/rtt.h": '#include "base/span.h"\n',
            "src/socket/stream.h": '#include "transport/tcp/conn.h"\n',
            "src/application/http.h": '#include "socket/stream.h"\n',
            "src/host/clock.h": '#include <time.h>\n#include "socket/stream.h"\n',
            "src/sim/world.h": '#include <stdlib.h>\n#include "application/http.h"\n',
            "src/diag/rule.h": '#include "wire/ip.h"\n',
            "src/api/open.h": '#include "strata/strata.h"\n#include "sim/world.h"\n',
            "include/strata/strata.h": "#include <stdint.h>\n",
            "cli/view.h": '#include "api/open.h"\n',
            "cli/main.c": '#include <stdio.h>\n#include "view.h"\n',
            "examples/echo.c": '#include <stdio.h>\n#include "strata/strata.h"\n',
        }
        files.update(changed)
        return self.tree(files)

    def test_layers(self):
        self.assert_good(check_layers, self.layers({}))
        for name, text, fragment in (
                ("src/base/span.h", '#include "wire/ip.h"\n', "src/base/span.h:1: includes"),
                ("src/base/span.h", "\n# include <time.h>\n", "src/base/span.h:2: includes <time.h>"),
                ("src/wire/ip.h", "#include <sys/socket.h>\n", "wire is pure"),
                ("src/transport/recovery/rtt.h", "#include <stdlib.h>\n", "is pure"),
                ("src/transport/recovery/rtt.h", '#include "wire/ip.h"\n', "may include only base"),
                ("src/transport/recovery/rtt.h", '#include "transport/tcp/conn.h"\n', "only base"),
                ("src/diag/rule.h", '#include "transport/tcp/conn.h"\n', "diag may include only"),
                ("src/host/clock.h", '#include "application/http.h"\n', "host may include only"),
                ("src/socket/stream.h", '#include "host/clock.h"\n', "socket may include only"),
                ("src/sim/world.h", "#include <time.h>\n", "of its own"),
                ("src/sim/world.h", '#include "host/clock.h"\n', "sim may include only"),
                ("src/wire/ip.h", '#include "span.h"\n', "not a header"),
                ("src/wire/ip.h", '#include "base/none.h"\n', "not a header"),
                ("src/application/http.h", '#include "strata/strata.h"\n', "application may include"),
                ("include/strata/strata.h", '#include "base/span.h"\n', "strata may include only"),
                ("examples/echo.c", '#include "base/span.h"\n', "examples may include only"),
                ("src/attic/old.h", "\n", "no layer is called attic")):
            with self.subTest(name=name, text=text):
                self.assert_bad(check_layers, self.layers({name: text}), fragment)
        commented = {"src/base/span.h": '/*\n#include "wire/ip.h"\n*/\n'}
        self.assert_good(check_layers, self.layers(commented))

    def test_names(self):
        good = {"src/base/span.c": "", "src/wire/ip.c": "", "tests/unit/base/test_span.c": ""}
        self.assert_good(check_names, self.tree(good))
        self.assert_bad(check_names, self.tree({**good, "src/wire/span.c": ""}), "another span.c")
        self.assert_bad(check_names, self.tree({**good, "tests/sim/test_span.c": ""}), "test_span.c")

    def test_attacks(self):
        tree = self.tree({"main/tests/test_a.c": "cmocka_unit_test(test_tcp_01_05_urgent),\n"
                          "static void test_tcp_07_not_run(void **state);\n",
                          "main/tests/mutants/table.py": '    ("TCP-01 TCP-05 a length",\n    ("TCP-07 a flood",\n',
                          "shared/attacks.tsv": "TCP-01 / CVE-1\tTCP\nTCP-05\tTCP\nIP4-09\tIP\n"})
        tree.root = tree.root / "main"
        self.assert_good(check_attacks, tree)
        with (tree.root.parent / "shared/attacks.tsv").open("a") as rows:
            rows.write("TCP-07 / flood\tTCP\n")
        self.assert_bad(check_attacks, tree, "test_tcp_07_...: TCP-07 / flood")
        (tree.root / "tests/mutants/table.py").write_text('    ("TCP-01 a length",\n    ("TCP-07 a flood",\n')
        self.assert_bad(check_attacks, tree, "the test of TCP-05", "test_tcp_07_")

    def test_applications(self):
        good = {"src/application/a.c": "/* no sock_write_urgent */ sock_write();\n", "cli/main.c": "",
                "src/api/api_urgent.c": "sock_write_urgent();\n", "examples/e.c": "", "src/socket/s.c": "SOCK_TOS"}
        self.assert_good(check_applications, self.tree(good))
        for text, fragment in (("sock_set(s, id, SOCK_TOS, 3);\n", "SHLD-23"), ("sock_write_urgent(s);\n", "SHLD-13")):
            self.assert_bad(check_applications, self.tree({**good, "src/application/b.c": text}), fragment)

    def requirements(self, **changed):
        """A tree in which one function does all that RFC 9293 asks for, and one test shows it."""
        tool = check_rfc9293.tool()
        ids = [f"{level}-{n}" for level, most in tool.LEVELS.items() for n in range(1, most + 1)]
        rows = ["id\tsection\tin our words\tstate\twhy"] + [f"{name}\t3\tdo it\tmet" for name in ids]
        files = {
            "docs/rfc9293.tsv": "\n".join(rows) + "\n",
            "src/a.h": OPENING + "#include <x.h>\n\nint f(int x); /* MUST-1 */\n\n/* " + ", ".join(ids[1:])
            + " */\nstatic int g(void)\n{\n\treturn '\"' + \"}\"[0]; /* one */\n}\n",
            "tests/test_a.c": OPENING + "/* " + ", ".join(ids) + " */\nstatic void test_all(void **state)\n{\n}\n"
            "int main(void)\n{\n\tcmocka_unit_test(test_all);\n}\n",
        }
        tree = self.tree(files)
        rows = tool.read_table(tree.root)
        (tree.root / tool.PAGE).write_text(tool.page(tree.root, rows, tool.grouped(tool.code_tags(tree.root)),
                                                     tool.grouped(tool.test_tags(tree.root))))
        for name, (old, new) in changed.items():
            path = tree.root / {"table": "docs/rfc9293.tsv", "code": "src/a.h", "test": "tests/test_a.c",
                                "page": "docs/rfc9293.md"}[name]
            self.assertIn(old, path.read_text())
            path.write_text(path.read_text().replace(old, new))
        return tree

    def test_rfc9293(self):
        good = self.requirements()
        self.assert_good(check_rfc9293, good)
        page = (good.root / "docs/rfc9293.md").read_text()
        self.assertIn("69 of 69 MUST met and tested", page)
        self.assertIn("[a.h: f](../src/a.h)", page)
        self.assertIn("[a.h: g](../src/a.h)", page)
        old = "run tools/rfc9293"
        for name, change, *fragments in (
                ("code", ("MUST-10,", ""), "MUST-10: no code has this tag", old),
                ("test", ("MUST-10,", ""), "MUST-10: no test has this tag", old),
                ("test", ("cmocka_unit_test(test_all)", "0"), *["is no test that is run"] * 119,
                 *["no test has this tag"] * 119, old),
                ("code", ("MUST-10,", "MUST-10, MUST-70,"), "src/a.h: MUST-70: RFC 9293 has no such"),
                ("code", ("MUST-10,", "MUST-10 .. 11,"), "src/a.h: MUST-10 .. 11: write each number out"),
                ("code", ("static int g", "static int h"), old),
                ("page", ("| MUST-10 |", "| MUST-10  |"), old),
                ("table", ("MUST-10\t3\tdo it\tmet", "MUST-10\t3\tdo it\tdeclined\tno"),
                 "what must be can't be declined", old),
                ("table", ("MAY-1\t3\tdo it\tmet", "MAY-1\t3\tdo it\tdeclined"), "without a reason", old),
                ("table", ("MAY-1\t", "MAY-19\t"), "MAY-19: RFC 9293 has no such", "MAY-1 has no row",
                 "src/a.h: MAY-1: RFC", "tests/test_a.c: MAY-1: RFC", "MAY-19: no code", "MAY-19: no test", old)):
            with self.subTest(name=name, change=change):
                self.assert_bad(check_rfc9293, self.requirements(**{name: change}), *fragments)

    def purity(self, text, layer="base"):
        tree = self.tree({"src/probe.c": text})
        tree.archive(layer, "src/probe.c")
        return tree

    def test_purity(self):
        self.assert_good(check_purity, self.purity(
            "#include <assert.h>\n#include <string.h>\n"
            "static const char *const names[] = { \"a\", \"b\" };\n"
            "const char *probe(int i, char *to);\n"
            "const char *probe(int i, char *to) { assert(i < 2); memmove(to, to + 1, (unsigned)i);"
            " return names[i]; }\n"))
        for text, fragment in (
                ("void *malloc(unsigned long);\nvoid *probe(void) { return malloc(1); }\n", "malloc"),
                ("long time(long *);\nlong probe(void) { return time(0); }\n", "wants time"),
                ("int *__errno_location(void);\n"
                 "int probe(void) { return *__errno_location(); }\n", "wants __errno_location"),
                ("#include <string.h>\nunsigned long probe(const char *s) { return strlen(s); }\n",
                 "strlen"),
                ("static int count;\nint probe(void) { return ++count; }\n", "in .bss (count)"),
                ("int probe(void) { static int next = 7; return next++; }\n", "in .data (next"),
                ("static _Thread_local int mine;\nint probe(void) { return ++mine; }\n", ".tbss")):
            with self.subTest(text=text):
                found = list(check_purity.problems(*self.where(self.purity(text))))
                self.assertTrue(any(fragment in line for line in found), found)
        self.assert_bad(check_purity, self.tree({}), "no layer is built")

    def test_purity_upwards(self):
        low = "int low(void);\nint low(void) { return 1; }\n"
        high = "int low(void);\nint high(void);\nint high(void) { return low(); }\n"
        tree = self.tree({"src/low.c": low, "src/high.c": high})
        tree.archive("base", "src/low.c")
        tree.archive("wire", "src/high.c")
        self.assert_good(check_purity, tree)
        tree = self.tree({"src/low.c": low, "src/high.c": high})
        tree.archive("base", "src/high.c")
        tree.archive("wire", "src/low.c")
        self.assert_bad(check_purity, tree, "base/high.o: wants low, which is of wire")

    @staticmethod
    def where(tree):
        return tree.root, tree.build

    def test_purity_of_the_simulator(self):
        base = "int base(void);\nint base(void) { return 1; }\n"
        for call, clean in (("malloc", True), ("rand", False), ("clock_gettime", False)):
            with self.subTest(call=call):
                tree = self.tree({"src/b.c": base, "src/s.c": f"int {call}();\n"
                                  f"int probe(void) {{ return {call}(1, 2) != 0; }}\n"})
                tree.archive("base", "src/b.c")
                subprocess.run(["gcc", "-fno-builtin", "-c", str(tree.root / "src/s.c"), "-o",
                                str(tree.build / "s.o")], check=True, stderr=subprocess.DEVNULL)
                subprocess.run(["ar", "rcs", str(tree.build / "libstrata_sim.a"),
                                str(tree.build / "s.o")], check=True)
                if clean:
                    self.assert_good(check_purity, tree)
                else:
                    self.assert_bad(check_purity, tree, f"calls {call}")

    def exports(self, header, text):
        tree = self.tree({"include/strata/strata.h": header, "src/api.c": text})
        tree.libraries("src/api.c")
        return tree

    def test_exports(self):
        header = ("#define STRATA_TWICE(x) \\\n\tstrata_no(x)\n/* strata_none() is no more. */\n"
                  "struct strata_options { int (*strata_hook)(int); };\n"
                  "int strata_open(struct strata_options *options);\n")
        define = "int strata_open(void *p);\nint strata_open(void *p) { return !p; }\n"
        self.assert_good(check_exports, self.exports(header, define))
        self.assert_bad(check_exports, self.exports(header, define + "int stray = 1;\n"),
                        "libstrata.so: shows stray", "libstrata.a: shows stray")
        self.assert_bad(check_exports, self.exports(header + "void strata_shut(int);\n", define),
                        "strata_shut is not in libstrata.so", "strata_shut is not in libstrata.a")
        self.assert_bad(check_exports, self.tree({}), "libstrata.so: not built",
                        "libstrata.a: not built")

    def test_openings(self):
        self.assert_good(check_openings, self.tree({"src/base/a.c": OPENING + "int a;\n"}))
        self.assert_bad(check_openings, self.tree({"src/base/a.c": "int a;\n"}), "a.c:1: does not open")
        self.assert_bad(check_openings, self.tree({"src/base/a.c": "/**/\nint a;\n"}), "does not open")
        late = OPENING + "/* TO" + "DO: the rest */\n"
        self.assert_bad(check_openings, self.tree({"cli/main.c": late}), "main.c:2: work left over")

    def test_corpora(self):
        good = {"tests/fuzz/fuzz_ip.c": "", "tests/fuzz/corpus/ip/one": b"\x45"}
        self.assert_good(check_corpora, self.tree(good))
        self.assert_bad(check_corpora, self.tree({"tests/fuzz/fuzz_ip.c": ""}), "nothing in")
        self.assert_bad(check_corpora, self.tree({**good, "tests/fuzz/corpus/tcp/one": b""}),
                        "no tests/fuzz/fuzz_tcp.c")

    def test_texts(self):
        good = {"src/base/a.c": OPENING + "int a;\n/*\n * Two\n */\n\tint b;\n",
                "run.sh": 'cat "$root/home/it" /tmp/x "$(mktemp -d)/root/it"\n',
                "capture": b"\0 /" + b"home/someone/"}
        self.assert_good(check_texts, self.tree(good))
        for name, text, fragment in (
                ("run.sh", 'cd "/' + 'home/someone/strata"\n', "run.sh:1: names a folder"),
                ("notes.md", "\nsee /" + "work/main\n", "notes.md:2: names a folder"),
                ("notes.md", "see /" + "tmp/brief/it\n", "notes.md:1: names a folder"),
                ("src/base/a.c", "int " + "a" * 100 + ";\n", "a.c:1: more than 100"),
                ("src/base/a.c", "\t" * 12 + "int a;\n", "a.c:1: more than 100"),
                ("src/base/a.c", "int a; \n", "a.c:1: blanks at the end"),
                ("src/base/a.c", "    int a;\n", "a.c:1: indented by blanks")):
            with self.subTest(name=name, text=text):
                self.assert_bad(check_texts, self.tree({**good, name: text}), fragment)


if __name__ == "__main__":
    unittest.main()
