"""Runs every ```sh block of one page, in order, in one shell, in a scratch home beside the examples."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--skein", type=Path, required=True)
    parser.add_argument("page", type=Path)
    args = parser.parse_args()
    blocks = BLOCK.findall(args.page.read_text(encoding="utf-8"))
    if not blocks:
        sys.exit(f"{args.page}: no ```sh block, so nothing was checked")
    with tempfile.TemporaryDirectory(prefix="skein-docs-") as scratch:
        home = Path(scratch) / "home"
        work = Path(scratch) / "work"
        home.mkdir()
        work.mkdir()
        if (args.root / "examples").exists():
            os.symlink(args.root / "examples", work / "examples")
        environment = {
            "HOME": str(home),
            "PATH": f"{args.skein.parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
        }
        ran = subprocess.run(["bash", "-euo", "pipefail", "-x", "-c", "\n".join(blocks)], cwd=work,
                             env=environment, stdin=subprocess.DEVNULL)
    sys.exit(ran.returncode)


if __name__ == "__main__":
    main()
