"""Every public error code has a page, a line in the index and a test; no page is left over.

With --write it writes the index, docs/errors/README.md, anew from the pages.
"""

import re

import tree

CODE = re.compile(r"^\s*(\w+)\s*=\s*(\d{4}),", re.MULTILINE)
AREAS = {"1": "Values, expressions, files and runs", "2": "Wire formats", "3": "Storage", "4": "Broker",
         "5": "Tools and models", "6": "Gateway and command line"}
SECTIONS = ["## What it means", "## Why", "## What to do next"]


def index_of(pages, codes):
    """The text of the index: by area, each code with the first sentence of its page."""
    lines = ["# Errors", "",
             "`SKnnnn` in a message is a public number: it is never reused and never changes its meaning."]
    area = ""
    for code, name in codes.items():
        if code[2] != area:
            area = code[2]
            lines += ["", f"## {AREAS[area]}", "", "| Code | Name | What it means |", "|---|---|---|"]
        page = pages / f"{code}.md"
        meaning = tree.text(page).partition("## What it means\n")[2] if page.exists() else ""
        sentence = re.split(r"(?<=[.:])\s", " ".join(meaning.split("##")[0].split()))[0].rstrip(":.")
        lines.append(f"| [{code}]({code}.md) | `{name}` | {sentence} |")
    return "\n".join(lines) + "\n"


def main():
    args = tree.arguments(__doc__, ("--write", {"action": "store_true"}))
    root = args.root
    report = tree.Report(root)
    header = tree.text(root / "core/base/code.h")
    codes = {f"SK{number}": name for name, number in CODE.findall(header)}
    if not codes:
        report.fail("core/base/code.h", 0, "no code found, so nothing was checked")
    pages = root / "docs/errors"
    index = pages / "README.md"
    if args.write:
        index.write_text(index_of(pages, codes), encoding="utf-8")
    if not index.exists() or tree.text(index) != index_of(pages, codes):
        report.fail(index, 0, "not as the pages say; run tests/lint/error_pages.py --write")
    tests = "".join(
        tree.text(p) for p in tree.files(root / "tests")
        if "lint" not in p.parts and p.suffix not in {".bin", ".fb", ".zip"})
    for code, name in codes.items():
        page = pages / f"{code}.md"
        if not page.exists():
            report.fail(page, 0, f"missing: the page of {name}")
            continue
        body = tree.text(page)
        if not re.match(rf"# {code}\b", body):
            report.fail(page, 1, f"the title does not begin with '# {code}'")
        for section in SECTIONS:
            if f"\n{section}\n" not in body:
                report.fail(page, 0, f"no section '{section}'")
        if not re.search(rf"\b(Code::{name}|{code})\b", tests):
            report.fail(page, 0, f"no test provokes {code} {name}")
    for page in sorted(pages.glob("SK*.md")):
        if page.stem not in codes:
            report.fail(page, 0, "no such code in core/base/code.h")
    report.finish(f"{len(codes)} error codes")


if __name__ == "__main__":
    main()
