"""The folder table of the README names the folders that are there, and no other."""

import re

import tree

ROW = re.compile(r"^\| `([a-z_.]+)/` \|", re.MULTILINE)


def main():
    root = tree.arguments(__doc__).root
    report = tree.Report(root)
    there = {
        p.relative_to(root).parts[0] for p in tree.files(root)
        if len(p.relative_to(root).parts) > 1 and not p.relative_to(root).parts[0].startswith(".")
    }
    named = set(ROW.findall(tree.text(root / "README.md")))
    for folder in sorted(there - named):
        report.fail("README.md", 0, f"the folder table lacks `{folder}/`")
    for folder in sorted(named - there):
        report.fail("README.md", 0, f"the folder table names `{folder}/`, which is not there")
    report.finish(f"{len(there)} folders")


if __name__ == "__main__":
    main()
