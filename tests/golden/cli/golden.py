"""Runs the commands of a file of cases with the real binary, and compares what they print.

golden.py --skein SKEIN --root ROOT FILE [--bless] [--served]

A file has cases, each a line `$ COMMAND` (for bash, in a folder of its own, `skein` on the PATH) with
what it prints below it: standard output as it is, lines of standard error after `! `, and at the end
`[N]` where the exit code is not 0. Lines with `# ` before the first case say what the file is about.
With --served a node has the data directory open all the while, so that every command speaks to it
over HTTP; where a node makes a difference on purpose, the file of the same name in served/ says what
is printed then.
Ids, times, hashes, process numbers and the folder are written as <id>, <time>, <hash>, <pid>, <work>.
"""

import argparse
import contextlib
import difflib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

NORMAL = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"), "<time>"),
    (re.compile(r"sha256:[0-9a-f]{12,64}"), "<hash>"),
    (re.compile(r"\b[0-9a-f]{32,64}\b"), "<digest>"),
    (re.compile(r"\b([a-z][a-z-]*)-[a-kmnp-z2-9]{8}\b(?=[\s\"`,:]|$)"), r"\1-<id>"),
    (re.compile(r"process \d+"), "process <pid>"),
    (re.compile(r'"duration_ms": ?\d+'), '"duration_ms": 0'),
]


def normal(text, work):
    text = text.replace(str(work), "<work>")
    for pattern, by in NORMAL:
        text = pattern.sub(by, text)
    return text


def cases_of(text):
    """The head of the file and its commands."""
    head, commands = [], []
    for line in text.splitlines():
        if line.startswith("$ "):
            commands.append(line[2:])
        elif not commands:
            head.append(line)
    return head, commands


def answer(command, environment, work):
    ran = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=work, env=environment,
                         stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    lines = ["$ " + command]
    out = ran.stdout.decode("utf-8", "replace")
    lines += normal(out, work).splitlines()
    errors = ran.stderr.decode("utf-8", "replace")
    lines += ["! " + line for line in normal(errors, work).splitlines()]
    if ran.returncode != 0:
        lines.append(f"[{ran.returncode}]")
    return [line.rstrip() for line in lines] + [""]


@contextlib.contextmanager
def served(skein, environment, work):
    """A node on the data directory, until the block ends; it has to end well."""
    with open(work / ".node.log", "wb") as log, subprocess.Popen(
            [skein, "serve", "--listen", "127.0.0.1:0", "--drain-timeout", "5s"], cwd=work,
            env=environment, stdout=subprocess.PIPE, stderr=log) as node:
        try:
            node.stdout.readline()  # its address: it listens
            yield
        finally:
            node.terminate()
            code = node.wait(timeout=30)
    if code != 0:
        sys.exit(f"the node ended with {code}: {(work / '.node.log').read_text()}")


def expected_file(file, is_served):
    """Where it is written what is printed."""
    other = file.parent / "served" / file.name
    return other if is_served and other.exists() else file


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--skein", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--bless", action="store_true", help="write down what is printed now")
    parser.add_argument("--served", action="store_true", help="with a node on the data directory")
    parser.add_argument("file", type=Path)
    given = parser.parse_args()
    file = expected_file(given.file, given.served)
    wanted = file.read_text(encoding="utf-8")
    head, commands = cases_of(given.file.read_text(encoding="utf-8"))
    if not commands:
        sys.exit(f"{given.file}: no case")
    with tempfile.TemporaryDirectory(prefix="skein-cli-") as scratch:
        work = Path(scratch).resolve()
        os.symlink(given.root.resolve() / "examples", work / "examples")
        os.symlink(Path(__file__).resolve().parent / "files", work / "files")
        environment = {
            "HOME": str(work), "SKEIN_DATA": str(work / "data"), "USER": "ann", "NO_COLOR": "1",
            "PATH": f"{given.skein.resolve().parent}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8", "SKEIN_SANDBOX": "none",
        }
        lines = [*head]
        with served(given.skein.resolve(), environment, work) if given.served \
                else contextlib.nullcontext():
            for command in commands:
                lines += answer(command, environment, work)
    found = "\n".join(lines).rstrip("\n") + "\n"
    if given.bless:
        target = given.file
        if given.served and found != given.file.read_text(encoding="utf-8"):
            target = given.file.parent / "served" / given.file.name
            target.parent.mkdir(exist_ok=True)
        target.write_text(found, encoding="utf-8")
    elif found != wanted:
        sys.stdout.writelines(difflib.unified_diff(wanted.splitlines(True), found.splitlines(True),
                                                   str(file), "printed now"))
        sys.exit(1)


if __name__ == "__main__":
    main()
