"""shellcheck has nothing to say about any script."""

import re
import subprocess
import sys

import tree

SHEBANG = re.compile(r"^#!.*\b(ba|da)?sh\b")


def scripts(root):
    for path in tree.files(root):
        if path.suffix in {".sh", ".bash", ""} or path.parent.name == "deploy":
            with open(path, "rb") as file:
                first = file.readline(200).decode("utf-8", "replace")
            if SHEBANG.match(first) or path.suffix == ".sh":
                yield path


def main():
    root = tree.arguments(__doc__).root
    report = tree.Report(root)
    found = list(scripts(root))
    if not found:
        sys.exit("no script found, so nothing was checked")
    ran = subprocess.run(["shellcheck", "-x", "-f", "gcc", *found], capture_output=True, text=True,
                         cwd=root)
    for line in ran.stdout.splitlines():
        path, number, _, message = line.split(":", 3)
        report.fail(tree.Path(path), int(number), message.strip())
    if ran.returncode != 0 and report.failures == 0:
        sys.exit(ran.stderr)
    report.finish(f"{len(found)} scripts")


if __name__ == "__main__":
    main()
