"""What a Dockerfile must be."""

import json
import re

PINNED = re.compile(r"^[\w./-]+:[\w.-]*\d[\w.-]*(@sha256:[0-9a-f]{64})?$")


def is_pinned(image):
    """A tag with a number in it; never the newest of whatever there is."""
    return bool(PINNED.match(image)) and not image.endswith(":latest")


def instructions(text):
    """[(word, rest)] with continued lines joined."""
    lines = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", text)).splitlines()
    return [tuple(line.split(None, 1)) for line in lines if len(line.split(None, 1)) == 2]


def check(text, root, facts):
    stages, last = set(), {}
    for word, rest in instructions(text):
        last[word] = rest
        if word == "FROM":
            image, *more = rest.split()
            if image not in stages and not is_pinned(image):
                yield f"the image {image} is not pinned"
            if more[:1] == ["AS"]:
                stages.add(more[1])
            last = {"FROM": rest}
        elif word == "COPY":
            yield from check_copy(rest.split(), root, stages)
        elif word == "ADD":
            yield "ADD fetches and unpacks: use COPY"
        elif word == "WORKDIR" and not rest.startswith("/"):
            yield f"WORKDIR {rest} is not absolute"
        elif word == "RUN":
            yield from check_run(rest)
    yield from check_end(last, facts)


def check_copy(words, root, stages):
    source = [word.split("=", 1)[1] for word in words if word.startswith("--from=")]
    if source:
        if source[0] not in stages:
            yield f"COPY --from={source[0]}: there is no such stage"
        return
    for path in [word for word in words if not word.startswith("--")][:-1]:
        if path != "." and not list(root.glob(path)):
            yield f"COPY {path}: it is not there"


def check_run(rest):
    if "apt-get install" in rest:
        if "--no-install-recommends" not in rest:
            yield "apt-get install without --no-install-recommends"
        if "apt-get update" not in rest:
            yield "apt-get install without apt-get update in the same step"
    if ("apt-get" in rest or "/install" in rest) and "/var/lib/apt/lists" not in rest:
        yield "a step installs and leaves the package lists in its layer"
    if re.search(r"\bsudo\b|curl .*\|\s*(ba)?sh", rest):
        yield "a step uses sudo, or runs what it fetched"


def check_end(last, facts):
    user = last.get("USER", "root").split(":")[0]
    if not user.isdigit() or int(user) == 0:
        yield f"it runs as {user}: give a number that is not 0"
    for word in ("HEALTHCHECK", "ENTRYPOINT", "CMD", "STOPSIGNAL"):
        if word not in last:
            yield f"it has no {word}"
    for word in ("ENTRYPOINT", "CMD"):
        try:
            words = json.loads(last.get(word, "[]"))
        except ValueError:
            yield f"{word} is not a list: a shell would get the signals"
            continue
        yield from unknown_options(words, facts)


def unknown_options(words, facts):
    """Options that `skein serve` does not have."""
    for word in words:
        if word.startswith("--") and word.split("=")[0] not in facts.options:
            yield f"skein serve has no {word.split('=')[0]}"


def seconds(text):
    """Of "45s" or "2m"."""
    number, unit = re.fullmatch(r"(\d+)(s|m)", str(text)).groups()
    return int(number) * (60 if unit == "m" else 1)


def drain_of(words):
    """The seconds of --drain-timeout; 30 where it is not said."""
    for word in words:
        if word.startswith("--drain-timeout="):
            return seconds(word.split("=")[1])
    return 30
