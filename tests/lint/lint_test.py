"""Each lint fails on a seeded violation, with the words that name it, and passes without."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
GUARD = "#pragma once\n"
CODE_H = GUARD + "enum class Code {\n  lost = 1001,\n};\n"
PAGE = "# SK1001 lost\n\n## What it means\n\nIt is gone.\n\n## Why\n\n## What to do next\n"
LONG = "int f() {\n" + "  ;\n" * 60 + "}\n"

CLEAN = {
    "core/base/code.h": CODE_H,
    "core/base/code.cc": '#include "core/base/code.h"\n',
    "core/ports/failpoint.h": GUARD + 'inline constexpr auto kFailpoints{"log.write"};\n',
    "core/write.cc": 'void f() { failpoint("log.write"); }\n',
    "storage/log.h": GUARD + '\n#include "core/base/code.h"\n',
    "tests/unit/core/code_test.cc": "// SK1001\n",
    "docs/errors/SK1001.md": PAGE,
    "README.md": "# A\n\n| `core/` | a |\n| `docs/` | b |\n| `storage/` | c |\n| `tests/` | d |\n",
    "deploy.sh": "#!/bin/sh\necho ready\n",
}

# lint, the violation (a file to write, or to take away with None), and what the lint must say.
SEEDED = [
    ("layers", "core/a.cc", '#include "storage/log.h"\n', "core/ may not include storage/"),
    ("layers", "core/a.cc", "#include <caf/all.hpp>\n", "belongs to"),
    ("layers", "core/a.cc", '#include "../storage/log.h"\n', "climbs out"),
    ("layers", "plumbing/a.cc", "\n", "no row in the table"),
    ("include_cycles", "core/base/code.h", GUARD + '#include "storage/log.h"\n', "include cycle"),
    ("sizes", "core/a.cc", LONG, "the function has 62 lines"),
    ("sizes", "core/a.h", GUARD + "\n" * 300, "the file has 301 lines"),
    ("sizes", "core/a.cc", "// " + "x" * 98 + "\n", "101 columns"),
    ("sizes", "core/wide/", 26, "26 source files"),
    ("error_pages", "docs/errors/SK1001.md", None, "missing: the page of lost"),
    ("error_pages", "docs/errors/SK1002.md", PAGE, "no such code"),
    ("error_pages", "docs/errors/SK1001.md", "# SK1001 lost\n", "no section"),
    ("error_pages", "docs/errors/README.md", "# Errors\n", "not as the pages say"),
    ("error_pages", "tests/unit/core/code_test.cc", "\n", "no test provokes"),
    ("folder_table", "bench/a.cc", "\n", "lacks `bench/`"),
    ("folder_table", "storage/log.h", None, "names `storage/`, which is not there"),
    ("format", "core/a.cc", "int  a ;\n", "clang-format"),
    ("doc_links", "docs/a.md", "[a](missing.md)\n", "broken link"),
    ("doc_links", "docs/a.md", "[a](../README.md#nowhere)\n", "no such heading"),
    ("words", "core/a.cc", "class RunManager {};\n", "'RunManager' says nothing"),
    ("words", "core/a.cc", "#define A 1\n", "a macro"),
    ("words", "core/a.cc", "using namespace std;\n", "using namespace"),
    ("words", "core/a.cc", "// TO" + "DO\n", "do something later"),
    ("words", "core/utils/a.cc", "\n", "'utils' names nothing"),
    ("words", "core/a.h", "int a();\n", "#pragma once"),
    ("failpoints", "storage/a.cc", 'failpoint("log.sync");\n', "log.sync is not in the list"),
    ("failpoints", "core/write.cc", "\n", "nothing passes log.write"),
    ("shell", "deploy.sh", "#!/bin/sh\necho $1\n", "SC2086"),
]


def write(root, path, content):
    target = root / path
    if content is None:
        target.unlink()
    elif isinstance(content, int):
        for number in range(content):
            write(root, f"{path}f{number}.h", GUARD)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")


def run(lint, *arguments):
    ran = subprocess.run([sys.executable, HERE / f"{lint}.py", *map(str, arguments)],
                         capture_output=True, text=True)
    return ran.returncode, ran.stdout + ran.stderr


class LintTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name) / "tree"
        for path, content in CLEAN.items():
            write(self.root, path, content)
        run("error_pages", "--root", self.root, "--write")
        write(self.root, ".clang-format", "BasedOnStyle: Google\nColumnLimit: 100\n")

    def test_every_lint_passes_on_a_clean_tree(self):
        for lint in sorted({row[0] for row in SEEDED}):
            with self.subTest(lint):
                code, said = run(lint, "--root", self.root)
                self.assertEqual(code, 0, said)

    def test_every_lint_fails_on_each_of_its_violations(self):
        for lint, path, content, expected in SEEDED:
            with self.subTest(lint=lint, says=expected):
                before = (self.root / path).read_text() if (self.root / path).is_file() else None
                write(self.root, path, content)
                code, said = run(lint, "--root", self.root)
                self.assertEqual(code, 1, said)
                self.assertIn(expected, said)
                self.restore(path, before)

    def restore(self, path, before):
        target = self.root / path
        if before is not None:
            write(self.root, path, before)
        elif target.is_file():
            target.unlink()
            if not any(target.parent.iterdir()):
                target.parent.rmdir()

    def test_banned_symbols_names_the_call_and_the_object(self):
        for body, expected in [
            ("#include <chrono>\nauto f() { return std::chrono::system_clock::now(); }\n", "_clock::now"),
            ("#include <cstdlib>\nauto f() { return std::getenv(\"A\"); }\n", "getenv"),
            ("#include <random>\nunsigned f() { return std::random_device{}(); }\n", "random_device"),
            ("#include <fstream>\nvoid f() { std::ifstream in(\"a\"); }\n", "fstream"),
            ("#include <sys/socket.h>\nint f() { return socket(1, 1, 0); }\n", "socket"),
        ]:
            with self.subTest(expected):
                write(self.root, "core/a.cc", body)
                subprocess.run(["g++", "-std=c++20", "-c", "core/a.cc", "-o", "a.o"], cwd=self.root,
                               check=True)
                subprocess.run(["ar", "rcs", "core.a", "a.o"], cwd=self.root, check=True)
                code, said = run("banned_symbols", "--library", self.root / "core.a")
                self.assertEqual(code, 1, said)
                self.assertIn(expected, said)

    def test_doc_commands_fails_where_a_command_of_the_page_fails(self):
        page = self.root / "page.md"
        for body, expected in [("true\n", 0), ("false\n", 1), ("cd \"$HOME\"\ntest -d .\n", 0)]:
            page.write_text(f"# A\n\n```sh\n{body}```\n", encoding="utf-8")
            code, said = run("doc_commands", "--root", self.root, "--skein", self.root / "skein", page)
            self.assertEqual(code, expected, said)


if __name__ == "__main__":
    unittest.main()
