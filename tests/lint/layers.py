"""Which folder may include which, and which folder may name which library."""

import re

import tree

MAY_INCLUDE = {
    "core": set(),
    "schemas": {"core"},
    "storage": {"core", "schemas"},
    "broker": {"core", "schemas"},
    "actors": {"core"},
    "models": {"core"},
    "tools": {"core"},
    "gateway": {"core"},
}
MAY_INCLUDE["node"] = set(MAY_INCLUDE)
MAY_INCLUDE["cli"] = set(MAY_INCLUDE)
ANYTHING = {"tests", "bench"}

LIBRARIES = {
    r"caf/": {"actors", "node"},
    r"rocksdb/": {"storage"},
    r"nats/|nats\.h": {"broker"},
    r"flatbuffers/|.*_generated\.h": {"schemas"},
    r"yaml-cpp/": {"schemas"},
    r"curl/": {"tools", "models", "node"},
    r"boost/(asio|beast)": {"gateway"},
    r"CLI/": {"cli"},
    r"spdlog/": set(MAY_INCLUDE) - {"core"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def main():
    root = tree.arguments(__doc__).root
    report = tree.Report(root)
    checked = 0
    for path in tree.files(root, ".h", ".cc"):
        folder = path.relative_to(root).parts[0]
        if folder in ANYTHING:
            continue
        checked += 1
        if folder not in MAY_INCLUDE:
            report.fail(path, 0, f"'{folder}/' has no row in the table of layers")
            continue
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            target = found.group(2)
            if ".." in target.split("/"):
                report.fail(path, number, f"'{target}' climbs out of its folder")
            other = target.split("/")[0]
            if other in MAY_INCLUDE and other != folder and other not in MAY_INCLUDE[folder]:
                report.fail(path, number, f"{folder}/ may not include {other}/: '{target}'")
            if other in ANYTHING:
                report.fail(path, number, f"{folder}/ may not include {other}/")
            for library, allowed in LIBRARIES.items():
                if re.match(library, target) and folder not in allowed:
                    report.fail(path, number, f"'{target}' belongs to {', '.join(sorted(allowed))}")
    report.finish(f"layers of {checked} files")


if __name__ == "__main__":
    main()
