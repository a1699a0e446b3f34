"""Runs every ```sh block of one page, in order, in one shell, in a scratch home beside the examples; and has
every ```yaml block, a flow or the steps of one, validated."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
FLOW = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
HEAD = "apiVersion: skein.dev/v1\nkind: Flow\nmetadata: { name: page }\nspec:\n  steps:\n"


def validated(flows, work):
    """Commands that validate each flow, once it is a file there."""
    commands = []
    for number, text in enumerate(flows, 1):
        if not text.startswith("apiVersion:"):
            text = HEAD + "".join(f"    {line}\n" for line in text.splitlines())
        (work / f"yaml-block-{number}.yaml").write_text(text, encoding="utf-8")
        commands.append(f"skein validate -f yaml-block-{number}.yaml")
    return commands


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--skein", type=Path, required=True)
    parser.add_argument("page", type=Path)
    args = parser.parse_args()
    page = args.page.read_text(encoding="utf-8")
    blocks = BLOCK.findall(page)
    flows = FLOW.findall(page)
    if not blocks and not flows:
        sys.exit(f"{args.page}: no ```sh or ```yaml block, so nothing was checked")
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
        script = "\n".join(blocks + validated(flows, work))
        ran = subprocess.run(["bash", "-euo", "pipefail", "-x", "-c", script], cwd=work,
                             env=environment, stdin=subprocess.DEVNULL)
    sys.exit(ran.returncode)


if __name__ == "__main__":
    main()
