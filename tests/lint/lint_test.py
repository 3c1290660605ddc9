#!/usr/bin/env python3
"""Shows of each check that it passes a good sample and fails on a bad one. Run by `./ingoma test lint`."""
import os
import re
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import house  # noqa: E402
import machines  # noqa: E402
from tree import Tree  # noqa: E402

HEAD = "/* What it is for. */\n"
GUARDED = HEAD + "#ifndef BASE_A_H\n#define BASE_A_H\n\n%s\n#endif\n"
SCRIPT = 'static struct adapter_script s = {\n    .keys = {KEY_A},\n    .keys_count = 1,\n    .text = "%s",\n};\n'

# check, files of the sample, the part of a finding that must appear (None: no finding)
ROWS = (
    ("arrows", {"adapter/a.c": '#include "base/b.h"\n', "base/b.h": ""}, None),
    ("arrows", {"base/b.c": '#include "adapter/a.h"\n', "adapter/a.h": ""}, "base/ may not include adapter/a.h"),
    ("arrows", {"node/edge/b.c": '#include "node/eio/eio.h"\n', "node/eio/eio.h": ""}, "may not include node/eio"),
    ("arrows", {"node/eio/b.c": '#include "node/edge/ws.h"\n', "node/edge/ws.h": ""}, "may not include node/edge/ws.h"),
    ("arrows", {"node/features/rooms/b.c": '#include "node/features/quiz/q.h"\n', "node/features/quiz/q.h": ""}, "features"),
    ("arrows", {"node/edge/b.c": '#include "events_in.h"\n'}, "generated events"),
    ("arrows", {"node/sio/b.c": '#include "node/sio/x_priv.h"\n', "node/sio/x_priv.h": ""}, None),
    ("arrows", {"node/run.c": '#include "node/sio/x_priv.h"\n', "node/sio/x_priv.h": ""}, "private"),
    ("arrows", {"base/b.c": '#include "b.h"\n', "base/b.h": ""}, "not a path from the root"),
    ("arrows", {"cellar/b.c": ""}, "no room"),
    ("owners", {"base/loop.c": "#include <event2/event.h>\n"}, None),
    ("owners", {"base/timer.c": "#include <event2/event.h>\n"}, "libevent belongs to base/loop.c"),
    ("owners", {"node/auth/origin.c": "#include <jwt.h>\n"}, "libjwt"),
    ("owners", {"node/sio/a.c": "#include <hiredis/async.h>\n"}, "hiredis"),
    ("owners", {"node/sio/a.c": "#include <zlib.h>\n"}, "zlib"),
    ("own-header", {"base/a.c": '#include "base/a.h"\n#include <stdio.h>\n', "base/a.h": ""}, None),
    ("own-header", {"base/a.c": '#include <stdio.h>\n#include "base/a.h"\n', "base/a.h": ""}, "comes first"),
    ("size", {"base/a.c": "\n" * 499}, None),
    ("size", {"base/a.c": "\n" * 600}, "600 lines"),
    ("functions", {"base/a.c": "int f(void)\n{\n" + "    ;\n" * 60 + "}\n"}, None),
    ("functions", {"base/a.c": "int f(void)\n{\n" + "    ;\n" * 61 + "}\n"}, "61 lines; 60"),
    ("functions", {"base/a.c": "/* lint: switch */\nint f(void)\n{\n" + "    ;\n" * 90 + "}\n"}, None),
    ("functions", {"base/a.c": "/* lint: switch */\nint f(void)\n{\n" + "    ;\n" * 91 + "}\n"}, "91 lines; 90"),
    ("names", {"base/a.c": "void f(void)\n{\n    g(x.free(1), my_atoi(2)); /* atoi( */\n}\n"}, None),
    ("names", {"base/a.c": "void f(void)\n{\n    atoi(x);\n}\n"}, "base/a.c:3: names: atoi is forbidden"),
    ("names", {"base/a.c": "void f(void)\n{\n    free(x);\n}\n"}, "memory comes from"),
    ("names", {"base/mem.c": "void f(void)\n{\n    free(x);\n}\n"}, None),
    ("names", {"base/a.c": "void f(void)\n{\n    printf(x);\n}\n"}, "only a main prints"),
    ("names", {"tools/a.c": "int main(void)\n{\n    printf(x);\n}\n"}, None),
    ("names", {"base/a.c": "typedef struct a {\n    int b;\n} a;\n"}, "write the tag"),
    ("names", {"adapter/redis/a.c": 'x = "HGETALL %b";\n'}, "Redis command HGETALL"),
    ("names", {"node/a.lua": "redis.call('KEYS', '*')\n"}, "Redis command KEYS"),
    ("names", {"base/a.h": "extern const int a;\n"}, None),
    ("names", {"base/a.h": "extern int a;\n"}, "mutable extern"),
    ("guards", {"base/a.h": GUARDED % "int a(void);"}, None),
    ("guards", {"base/b.h": GUARDED % "int a(void);"}, "the guard is BASE_B_H"),
    ("guards", {"base/b.h": "int a;\n"}, "no guard"),
    ("opening", {"base/a.c": HEAD}, None),
    ("opening", {"base/a.c": "int a;\n"}, "what it is for"),
    ("mirror", {"base/a.c": "", "tests/unit/base/a_test.c": "", "node/gateway.c": ""}, None),
    ("mirror", {"base/a.c": ""}, "tests/unit/base/a_test.c is missing"),
    ("mirror", {"tests/unit/base/a_test.c": ""}, "there is no base/a.c"),
    ("scripts", {"adapter/a.c": SCRIPT % "return redis.call('GET', KEYS[1], redis.call('TIME'))"}, None),
    ("scripts", {"adapter/a.c": SCRIPT % "local a, k = ARGV[1], KEYS[1]\\n redis.call('GET', k)"}, None),
    ("scripts", {"adapter/a.c": SCRIPT % "local a, k = ARGV[1], KEYS[1]\\n redis.call('GET', a)"}, "GET of a, which is not"),
    ("scripts", {"adapter/a.c": SCRIPT % "redis.call('GET', 'name')"}, "GET of ', which is not"),
    ("scripts", {"adapter/a.c": (SCRIPT % "return 1").replace(".keys_count", ".count")}, "without .keys"),
    ("todo", {"base/a.c": "/* TODO(#12): later */\n/* TODO #3 */\n"}, None),
    ("todo", {"base/a.c": "/* TODO: later */\n"}, "number of an issue"),
    ("places", {"docs/a.md": "see /var/run and example/work/x and https://npmjs.com/\n"}, None),
    ("places", {"docs/a.md": "see /wo" "rk/main\n"}, "one machine"),
    ("places", {"a/package-lock.json": '"resolved": "https://registry.' 'npm' 'js.org/ws"\n'}, "registry"),
    ("syntax", {"a.sh": "if true; then :; fi\n", "a.json": "{}"}, None),
    ("syntax", {"a.sh": "if true; then\n"}, "a.sh:1: syntax"),
    ("syntax", {"a.py": "def f(:\n"}, "a.py:1: syntax"),
    ("syntax", {"a.json": "{,}"}, "a.json:1: syntax"),
    ("headers", {"base/a.h": GUARDED % "#include <stddef.h>\nsize_t a(void);"}, None),
    ("headers", {"base/a.h": GUARDED % "size_t a(void);"}, "base/a.h:5: headers"),
    ("format", {"base/a.c": "int a = 1;\n"}, None),
    ("format", {"base/a.c": "int   a=1;\n"}, "clang-format"),
    ("cppcheck", {"base/a.c": "int f(void)\n{\n    int a[2] = {0, 1};\n    return a[1];\n}\n"}, None),
    ("cppcheck", {"base/a.c": "int f(void)\n{\n    int a[2] = {0, 1};\n    return a[2];\n}\n"}, "arrayIndexOutOfBounds"),
)
TIDY_GOOD = "int f(int a);\nint f(int a)\n{\n    return a + 1;\n}\n"
TIDY_BAD = "int f(int a);\nint f(int a)\n{\n    int *p = 0;\n    return a ? *p : 1;\n}\n"


def findings(check, files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                f.write(text.replace("@ROOT@", root))
        checks = {**house.CHECKS, **machines.CHECKS}
        return [str(f) for f in checks[check](Tree(root)) if not f.note]


def settings(name):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", name), encoding="utf-8") as f:
        return f.read()


class Lint(unittest.TestCase):
    def test_each_check_passes_the_good_and_fails_the_bad(self):
        for check, files, want in ROWS:
            if check == "format":
                files = {**files, ".clang-format": settings(".clang-format")}
            with self.subTest(check=check, files=sorted(files), want=want):
                try:
                    found = findings(check, files)
                except machines.Skip as reason:
                    self.skipTest(str(reason))
                if want is None:
                    self.assertEqual(found, [])
                else:
                    self.assertTrue(any(want in line for line in found), found)

    def test_tidy(self):
        database = '[{"directory": "@ROOT@", "file": "@ROOT@/base/a.c", "command": "cc -c base/a.c"}]'
        for source, want in ((TIDY_GOOD, None), (TIDY_BAD, "base/a.c:5: tidy")):
            files = {"base/a.c": source, ".clang-tidy": settings(".clang-tidy"), "build/asan/compile_commands.json": database}
            try:
                found = findings("tidy", files)
            except machines.Skip as reason:
                self.skipTest(str(reason))
            self.assertEqual(bool(found), want is not None, found)
            self.assertTrue(want is None or want in found[0], found)

    def test_generated(self):
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "docs.py"), encoding="utf-8") as f:
            docs_py = f.read()
        pages = re.findall(r'"(\w+)"', re.search(r"^PAGES = \((.*)\)$", docs_py, re.M).group(1))
        good = {"tools/docs.py": docs_py, "schemas/gen.py": "", **{"docs/%s.md" % p: p + "\n" for p in pages},
                "build/asan/ingoma-docs": "#!/bin/sh\necho $1\n"}
        for change, want in (({}, None), ({"docs/errors.md": "old\n"}, "docs/errors.md:1: generated"),
                             ({"schemas/gen.py": "raise SystemExit('events differ')"}, "events differ"),
                             ({"README.md": "[a](docs/none.md)\n"}, "README.md:1: generated: link")):
            with self.subTest(change=change):
                found = self.generated({**good, **change})
                self.assertEqual(bool(found), want is not None, found)
                self.assertTrue(want is None or want in found[0], found)

    def generated(self, files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                    f.write(text)
            os.chmod(os.path.join(root, "build/asan/ingoma-docs"), 0o755)
            return [str(f) for f in machines.check_generated(Tree(root))]

    def test_every_check_has_a_sample(self):
        tested = {row[0] for row in ROWS} | {"tidy", "generated"}
        self.assertEqual(tested, set(house.CHECKS) | set(machines.CHECKS))


if __name__ == "__main__":
    unittest.main()
