"""Lengths of files, functions, lines and folders: past the soft limit a warning, past the hard one a failure."""

import re

import tree

COLUMNS = 100
LINES = {".h": (150, 300), ".cc": (300, 600), ".py": (300, 600)}
# What no formatter can break: an address and a raw string.
UNBREAKABLE = re.compile(r'https?://|R"(\w*)\(.*?\)\1"', re.DOTALL)
FUNCTION = (25, 60)
FOLDER = (15, 25)
TYPE = re.compile(r"\b(class|struct|union|enum)\b[^()]*$")


def unbreakable(source):
    """The numbers of the lines that no formatter can break."""
    found = set()
    for match in UNBREAKABLE.finditer(source):
        first = source.count("\n", 0, match.start()) + 1
        found.update(range(first, first + match.group(0).count("\n") + 1))
    return found


def functions(source):
    """(first line, length) of every function body that is not inside another."""
    code = tree.code_only(source)
    # Attributes of the preprocessor are no code, and template heads hide the word `class`.
    code = re.sub(r"^[ \t]*#.*$", lambda m: " " * len(m.group(0)), code, flags=re.MULTILINE)
    code = re.sub(r"template\s*<[^<>;{}]*(<[^<>;{}]*>[^<>;{}]*)*>",
                  lambda m: re.sub(r"[^\n]", " ", m.group(0)), code)
    head, line, stack, found = "", 1, [], []
    for char in code:
        if char == "\n":
            line += 1
        if char == "{":
            inside = any(kind == "function" for kind, _ in stack)
            namespace = re.search(r"\b(namespace|extern)\b", head)
            body = ")" in head and not namespace and not TYPE.search(head) and not inside
            stack.append(("function" if body else "other", line))
            head = ""
        elif char == "}" and stack:
            kind, first = stack.pop()
            if kind == "function":
                found.append((first, line - first + 1))
            head = ""
        elif char == ";":
            head = ""
        else:
            head += char
    return found


def check(report, path, line, what, length, limits):
    soft, hard = limits
    if length > hard:
        report.fail(path, line, f"{what} has {length} lines, the limit is {hard}")
    elif length > soft:
        report.warn(path, line, f"{what} has {length} lines, aim for {soft}")


def main():
    root = tree.arguments(__doc__).root
    report = tree.Report(root)
    sources = tree.files(root, *LINES)
    folders = {}
    for path in sources:
        folders[path.parent] = folders.get(path.parent, 0) + 1
        source = tree.text(path)
        lines = source.splitlines()
        raw = unbreakable(source)
        check(report, path, 0, "the file", len(lines), LINES[path.suffix])
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS and path.suffix != ".py" and number not in raw:
                report.fail(path, number, f"{len(line)} columns, the limit is {COLUMNS}")
        if path.suffix != ".py":
            for first, length in functions(source):
                check(report, path, first, "the function", length, FUNCTION)
    for folder, count in sorted(folders.items()):
        if count > FOLDER[1]:
            report.fail(folder, 0, f"{count} source files, the limit is {FOLDER[1]}")
        elif count > FOLDER[0]:
            report.warn(folder, 0, f"{count} source files, aim for {FOLDER[0]}")
    report.finish(f"sizes of {len(sources)} files")


if __name__ == "__main__":
    main()
