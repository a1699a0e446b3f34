"""Every relative link of a page leads to a file, and every anchor to a heading."""

import re

import tree

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def anchors(page):
    """The anchors of a page's headings, as forges make them."""
    body = FENCE.sub("", tree.text(page))
    heads = re.findall(r"^#+ (.+)$", body, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in heads}


def main():
    root = tree.arguments(__doc__).root
    report = tree.Report(root)
    count = 0
    for page in tree.files(root, ".md"):
        body = FENCE.sub(lambda m: "\n" * m.group(0).count("\n"), tree.text(page))
        for number, line in enumerate(body.splitlines(), 1):
            for link in LINK.findall(line):
                if re.match(r"[a-z]+:", link):
                    continue
                count += 1
                path, _, anchor = link.partition("#")
                target = (page.parent / path) if path else page
                if not target.exists():
                    report.fail(page, number, f"broken link: {link}")
                elif anchor and target.suffix == ".md" and anchor not in anchors(target):
                    report.fail(page, number, f"no such heading: {link}")
    report.finish(f"{count} links")


if __name__ == "__main__":
    main()
