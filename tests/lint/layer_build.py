"""The build itself refuses an include against the layers: compiles one of each and expects no file."""

import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import layers
import tree


def preprocessor(entry):
    """The compiler and the include flags of one entry of compile_commands.json."""
    words = shlex.split(entry["command"])
    compiler = next(w for w in words if w.rsplit("/", 1)[-1].startswith(("c++", "g++", "clang++")))
    flags, rest = [], iter(words)
    for word in rest:
        if word == "-isystem":
            flags += [word, next(rest)]
        elif word.startswith(("-I", "-std=")):
            flags.append(word)
    return [compiler, *flags, "-E", "-H", "-o", "/dev/null"]


def finds(command, directory, root, header):
    """Whether the compiler opens this project's header, and what it says. A package of the machine
    may have a file of the same name (nodejs: node/node.h), which is not the one meant."""
    with tempfile.NamedTemporaryFile("w", suffix=".cc") as source:
        source.write(f'#include "{header}"\n')
        source.flush()
        ran = subprocess.run([*command, source.name], capture_output=True, text=True, cwd=directory)
    opened = [line.lstrip(". ") for line in ran.stderr.splitlines() if line.startswith(".")]
    ours = (root / header).resolve()
    return any(Path(directory, file).resolve() == ours for file in opened), ran.stderr


def main():
    args = tree.arguments(__doc__, ("--build", {"type": Path, "required": True}))
    report = tree.Report(args.root)
    entries = {}
    for entry in json.loads(tree.text(args.build / "compile_commands.json")):
        folder = Path(entry["file"]).relative_to(args.root).parts[0]
        if Path(entry["file"]).suffix == ".cc" and folder in layers.MAY_INCLUDE:
            entries.setdefault(folder, entry)
    headers = {}
    for folder in entries:
        found = tree.files(args.root / folder, ".h")
        if found:
            headers[folder] = found[0].relative_to(args.root).as_posix()
    tried = 0
    for folder, entry in entries.items():
        command = preprocessor(entry)
        for other, header in headers.items():
            reached, errors = finds(command, entry["directory"], args.root, header)
            tried += 1
            allowed = other == folder or other in layers.MAY_INCLUDE[folder]
            if reached and not allowed:
                report.fail(folder, 0, f"the build lets it include {header}")
            if other == folder and not reached:
                report.fail(folder, 0, f"cannot reach its own {header}: {errors}")
    if tried < 4:
        sys.exit("fewer than two folders are built, so nothing was checked")
    report.finish(f"{tried} pairs of folders")


if __name__ == "__main__":
    main()
