"""core/ports/failpoint.h lists exactly the failpoints that the sources pass."""

import re

import tree

LIST = "core/ports/failpoint.h"
PASSED = re.compile(r'\bfailpoint\("([^"]+)"\)')
SOURCES = {"actors", "broker", "core", "gateway", "models", "node", "schemas", "storage", "tools"}


def main():
    root = tree.arguments(__doc__).root
    report = tree.Report(root)
    page = root / LIST
    array = tree.text(page).partition("kFailpoints")[2] if page.exists() else ""
    listed = set(re.findall(r'"([^"]+)"', array.partition("};")[0]))
    passed = {}
    for path in tree.files(root, ".cc", ".h"):
        if path.relative_to(root).parts[0] in SOURCES:
            for number, line in enumerate(tree.text(path).splitlines(), 1):
                for name in PASSED.findall(line):
                    passed.setdefault(name, (path, number))
    for name in sorted(passed.keys() - listed):
        report.fail(*passed[name], f"{name} is not in the list of {LIST}")
    for name in sorted(listed - passed.keys()):
        report.fail(page, 0, f"nothing passes {name}")
    report.finish(f"{len(passed)} failpoints")


if __name__ == "__main__":
    main()
