"""Every C++ file is as clang-format leaves it."""

import subprocess
import sys

import tree


def main():
    root = tree.arguments(__doc__).root
    report = tree.Report(root)
    sources = tree.files(root, ".h", ".cc")
    if not sources:
        sys.exit("no C++ file found, so nothing was checked")
    ran = subprocess.run(["clang-format", "--dry-run", "-Werror", "--ferror-limit=1", *sources],
                         capture_output=True, text=True, cwd=root)
    for line in ran.stderr.splitlines():
        if ": error:" in line:
            path, number = line.split(":")[:2]
            report.fail(tree.Path(path), int(number), "run clang-format -i on it")
    if ran.returncode != 0 and report.failures == 0:
        sys.exit(ran.stderr)
    report.finish(f"format of {len(sources)} files")


if __name__ == "__main__":
    main()
