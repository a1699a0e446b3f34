"""The source tree as the lints see it, and how they report."""

import argparse
import os
import re
import sys
from pathlib import Path

SKIPPED = {"build", ".git", "__pycache__"}


def arguments(description, *more):
    """Parses --root, and whatever `more` adds: pairs of (flag, keywords)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    for flag, keywords in more:
        parser.add_argument(flag, **keywords)
    return parser.parse_args()


def files(root, *suffixes):
    """Every file below root with one of the suffixes (all without any), sorted."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in SKIPPED and not f.startswith("build-"))
        found += [Path(folder) / n for n in sorted(names) if not suffixes or n.endswith(suffixes)]
    return found


def text(path):
    return path.read_text(encoding="utf-8", errors="replace")


def code_only(source):
    """The source with comments and literals blanked out; lines and columns stay where they are."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'',
        re.DOTALL)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), source)


class Report:
    """Collects what is wrong, prints it as path:line: text, and is the exit code."""

    def __init__(self, root):
        self.root = root
        self.failures = 0
        self.warnings = 0

    def _place(self, path, line):
        path = os.path.relpath(path, self.root) if isinstance(path, Path) else path
        return f"{path}:{line}" if line else str(path)

    def fail(self, path, line, message):
        self.failures += 1
        print(f"{self._place(path, line)}: {message}")

    def warn(self, path, line, message):
        self.warnings += 1
        print(f"{self._place(path, line)}: warning: {message}")

    def finish(self, checked):
        print(f"{checked}: {self.failures} failures, {self.warnings} warnings")
        sys.exit(1 if self.failures else 0)
