"""Runs the commands of an example's README, and compares what they print with its `expected`.

example_test.py --root ROOT --skein SKEIN EXAMPLE

The ```sh blocks run in order, in one shell, in a scratch folder beside `examples`. `...` in
`expected` stands for anything.
"""

import argparse
import doctest
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)


def run(blocks, root, skein, scratch):
    work = Path(scratch) / "work"
    work.mkdir()
    os.symlink(root / "examples", work / "examples")
    environment = {
        "HOME": scratch,
        "PATH": f"{skein.parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "SKEIN": str(skein),
        "USER": "you",
    }
    sandbox = subprocess.run("bwrap --unshare-all --ro-bind / / true", shell=True,
                             capture_output=True, check=False)
    if sandbox.returncode != 0:
        environment["SKEIN_SANDBOX"] = "none"
    return subprocess.run(["bash", "-euo", "pipefail", "-c", "\n".join(blocks)], cwd=work,
                          env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          text=True, timeout=240, check=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--skein", type=Path, required=True)
    parser.add_argument("--bless", action="store_true", help="print what `expected` would be")
    parser.add_argument("example")
    given = parser.parse_args()
    folder = given.root / "examples" / given.example
    blocks = BLOCK.findall((folder / "README.md").read_text(encoding="utf-8"))
    if not blocks:
        sys.exit(f"{folder}/README.md has no ```sh block")
    with tempfile.TemporaryDirectory(prefix="skein-example-") as scratch:
        ran = run(blocks, given.root.resolve(), given.skein.resolve(), scratch)
    if given.bless:
        print(ran.stdout, end="")
    if ran.returncode != 0:
        sys.exit(f"{ran.stdout}\nthe commands ended with {ran.returncode}")
    wanted = (folder / "expected").read_text(encoding="utf-8")
    if not given.bless and not doctest.OutputChecker().check_output(
            wanted, ran.stdout, doctest.ELLIPSIS):
        sys.exit(f"expected:\n{wanted}\nprinted:\n{ran.stdout}")


if __name__ == "__main__":
    main()
