"""Every public error code has a page, a line in the index and a test; no page is left over."""

import re

import tree

CODE = re.compile(r"^\s*(\w+)\s*=\s*(\d{4}),", re.MULTILINE)
SECTIONS = ["## What it means", "## Why", "## What to do next"]


def main():
    root = tree.arguments(__doc__).root
    report = tree.Report(root)
    header = tree.text(root / "core/base/code.h")
    codes = {f"SK{number}": name for name, number in CODE.findall(header)}
    if not codes:
        report.fail("core/base/code.h", 0, "no code found, so nothing was checked")
    pages = root / "docs/errors"
    index = tree.text(pages / "README.md") if (pages / "README.md").exists() else ""
    tests = "".join(
        tree.text(p) for p in tree.files(root / "tests")
        if "lint" not in p.parts and p.suffix in {".cc", ".h", ".scenario", ".sh", ".py", ".txt", ""})
    for code, name in codes.items():
        page = pages / f"{code}.md"
        if not page.exists():
            report.fail(page, 0, f"missing: the page of {name}")
            continue
        body = tree.text(page)
        if not body.startswith(f"# {code} {name}\n"):
            report.fail(page, 1, f"the title is not '# {code} {name}'")
        for section in SECTIONS:
            if f"\n{section}\n" not in body:
                report.fail(page, 0, f"no section '{section}'")
        if f"({code}.md)" not in index:
            report.fail(pages / "README.md", 0, f"{code} is not listed")
        if not re.search(rf"\b(Code::{name}|{code})\b", tests):
            report.fail(page, 0, f"no test provokes {code} {name}")
    for page in sorted(pages.glob("SK*.md")):
        if page.stem not in codes:
            report.fail(page, 0, "no such code in core/base/code.h")
    report.finish(f"{len(codes)} error codes")


if __name__ == "__main__":
    main()
