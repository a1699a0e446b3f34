"""No header includes itself, however far around."""

import re

import tree

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def cycle_from(graph, start, state, stack):
    """The first cycle met from start, as a list of headers, or None. state: 1 open, 2 done."""
    state[start] = 1
    stack.append(start)
    for target in graph[start]:
        if state.get(target) == 1:
            return stack[stack.index(target):] + [target]
        if target not in state:
            found = cycle_from(graph, target, state, stack)
            if found:
                return found
    stack.pop()
    state[start] = 2
    return None


def main():
    root = tree.arguments(__doc__).root
    report = tree.Report(root)
    headers = {p.relative_to(root).as_posix(): p for p in tree.files(root, ".h")}
    graph = {
        name: [t for t in INCLUDE.findall(tree.text(path)) if t in headers]
        for name, path in headers.items()
    }
    state = {}
    for name in graph:
        if name not in state:
            found = cycle_from(graph, name, state, [])
            if found:
                report.fail(name, 0, "include cycle: " + " -> ".join(found))
                break
    report.finish(f"include cycles of {len(headers)} headers")


if __name__ == "__main__":
    main()
