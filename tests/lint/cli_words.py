"""Every `skein …` in the docs and in hints names a command that exists, with flags that it has."""

import re

import tree

HEADING = re.compile(r"^## (skein .+)$", re.MULTILINE)
FLAG = re.compile(r"(?<![\w-])(--?[a-z][a-z-]*)")
QUOTED = re.compile(r"`(skein(?: [^`\n]+)?)`")
BLOCK = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.DOTALL | re.MULTILINE)
HINT = re.compile(r"(?:`|with: |: )(skein [a-z][^`\"]*)")


def commands_of(page):
    """path → its flags, and the flags that go with every command."""
    head, *sections = re.split(r"(?m)^## ", page)
    table = {}
    for section in sections:
        rows = re.findall(r"^\| `(-[^`]*)`", section, re.MULTILINE)
        table[section.partition("\n")[0]] = {f for row in rows for f in FLAG.findall(row)}
    common = {f for row in re.findall(r"^\| `(-[^`]*)`", head, re.MULTILINE)
              for f in FLAG.findall(row)}
    return table, common


def complaint(command, table, common):
    """What is wrong with the words of a command; nothing where they can be run."""
    words = re.split(r"\s+(?:[|&;>]|2>)", command)[0].split()
    path, groups = "skein", {p.rsplit(" ", n)[0] for p in table for n in range(1, p.count(" ") + 1)}
    flags = set(common)
    options = [w for w in words if w.startswith("-")]
    plain = [w for w in words[1:] if not w.startswith("-")]
    for word in plain:
        choices = word.split("|")
        if path in table:
            break
        unknown = [c for c in choices if f"{path} {c}" not in table and f"{path} {c}" not in groups]
        if word.isupper() or word in {"…", "..."}:
            return None
        if unknown and path in groups:
            # `-o json` before the command: the value of a flag stands in its way.
            if words[words.index(word) - 1].startswith("-"):
                continue
            return f"`{path}` has no command \"{unknown[0]}\""
        path = f"{path} {choices[0]}"
    flags |= table.get(path, set())
    for option in options:
        name = option.split("=")[0].strip("[](),")
        if name != "--" and FLAG.fullmatch(name) and name not in flags:
            return f"`{path}` has no flag {name}"
    return None


def spoken(text, source):
    """(line, command) of each command that a text names."""
    if source:
        joined = re.sub(r'"\s*\n?\s*"', "", text)
        found = [(0, m.group(1)) for m in HINT.finditer(joined)]
        return [(line, re.split(r'"| \+', command)[0].strip()) for line, command in found]
    found = [(text.count("\n", 0, m.start()) + 1, m.group(1)) for m in QUOTED.finditer(text)]
    for block in BLOCK.finditer(text):
        first = text.count("\n", 0, block.start()) + 2
        for number, line in enumerate(block.group(1).splitlines()):
            match = re.match(r"(?:\$ )?(skein .*)", line)
            if match:
                found.append((first + number, match.group(1).split("  #")[0]))
    return found


def main():
    root = tree.arguments(__doc__).root
    report = tree.Report(root)
    page = root / "docs/cli.md"
    table, common = commands_of(tree.text(page))
    if not table or not common:
        report.fail(page, 0, "no command found, so nothing was checked")
    seen = 0
    for path in [*tree.files(root, ".md"), *tree.files(root, ".cc", ".h")]:
        source = path.suffix != ".md"
        inside = path.relative_to(root).parts
        if inside[0] in {"tests", "bench"} or "decisions" in inside or path == page:
            continue
        for line, command in spoken(tree.text(path), source):
            seen += 1
            wrong = complaint(command, table, common)
            if wrong:
                report.fail(path, line, f"`{command}`: {wrong}")
    report.finish(f"{seen} mentions of commands")


if __name__ == "__main__":
    main()
