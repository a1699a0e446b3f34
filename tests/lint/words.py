"""Names that say nothing, and habits that this code does without."""

import re

import tree

EMPTY_WORDS = {"Manager", "Helper", "Helpers", "Util", "Utils", "Impl", "Base", "Data", "Info"}
EMPTY_FILES = {"common", "utils", "util", "helpers", "helper", "manager", "misc", "impl"}
DECLARED = re.compile(r"\b(?:class|struct|enum(?: class)?|union|using|concept)\s+([A-Z]\w*)")
LATER = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b")
HABITS = [
    (re.compile(r"^\s*using namespace (?!std::(chrono_)?literals|std::string(_view)?_literals)"),
     "using namespace"),
    (re.compile(r"^\s*#\s*define (?!(_GNU_SOURCE|XXH_|BOOST_|CAF_))"), "a macro"),
]


def check_source(report, path, folder):
    source = tree.text(path)
    # Nothing includes the sources of tests and benchmarks; they may open the project's namespaces.
    leaf = folder in {"tests", "bench"} and path.suffix == ".cc"
    for number, line in enumerate(tree.code_only(source).splitlines(), 1):
        for name in DECLARED.findall(line):
            for word in re.findall(r"[A-Z][a-z0-9]*", name):
                if word in EMPTY_WORDS:
                    report.fail(path, number, f"'{name}' says nothing with '{word}'")
        for pattern, what in HABITS:
            if pattern.search(line) and not (leaf and "namespace" in what):
                report.fail(path, number, f"{what}")
    if path.suffix == ".h" and not source.startswith("#pragma once\n"):
        report.fail(path, 1, "a header begins with #pragma once")


def main():
    root = tree.arguments(__doc__).root
    report = tree.Report(root)
    count = 0
    for path in tree.files(root):
        parts = path.relative_to(root).parts
        if path.suffix in {".h", ".cc"}:
            check_source(report, path, parts[0])
        if path.suffix in {".h", ".cc", ".py", ".sh", ".cmake", ".md", ".fbs", ".txt", ""}:
            count += 1
            for number, line in enumerate(tree.text(path).splitlines(), 1):
                if LATER.search(line):
                    report.fail(path, number, "a note to do something later")
        for word in set(parts[:-1]) | set(path.stem.split("_")):
            if word in EMPTY_FILES:
                report.fail(path, 0, f"'{word}' names nothing")
    report.finish(f"words of {count} files")


if __name__ == "__main__":
    main()
