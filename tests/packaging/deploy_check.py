"""Everything in deploy/ that cannot run here is right as far as reading it can tell.

deploy_check.py ROOT SKEIN

What it is judged by comes from the program itself: the options of `skein serve --help`, and the
paths of the OpenAPI document.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

import yaml

import compose_rules
import docker_rules
import kubernetes_rules


class Facts:
    """What the program says of itself."""

    def __init__(self, options, paths):
        self.options, self.paths = set(options), set(paths)

    @staticmethod
    def of(skein):
        told = subprocess.run([skein, "serve", "--help"], capture_output=True, text=True, check=True)
        everywhere = subprocess.run([skein, "--help"], capture_output=True, text=True, check=True)
        options = re.findall(r"--[a-z][a-z-]+", told.stdout + everywhere.stdout)
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "HOME": folder, "SKEIN_DATA": folder + "/data"}
            with subprocess.Popen([skein, "serve", "--nats", "none", "--listen", "127.0.0.1:0"],
                                  env=environment, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True) as node:
                url = node.stdout.readline().strip()
                token = pathlib.Path(folder, "data/token").read_text().strip()
                asked = urllib.request.Request(url + "/v1/openapi.json",
                                               headers={"Authorization": f"Bearer {token}"})
                with urllib.request.urlopen(asked) as answer:
                    paths = json.load(answer)["paths"]
                node.terminate()
                node.wait()
        return Facts(options, paths)


def documents(path, found):
    """The YAML documents of a file."""
    try:
        return [document for document in yaml.safe_load_all(path.read_text()) if document]
    except yaml.YAMLError as wrong:
        found.append(f"{path.name}: is no YAML: {str(wrong).splitlines()[0]}")
        return []


def check(root, facts):
    """Everything that is wrong, as sentences."""
    deploy, found = root / "deploy", []
    for path in sorted(deploy.glob("compose*.yaml")):
        for document in documents(path, found):
            found += [f"{path.name}: {what}"
                      for what in compose_rules.check(document, deploy, facts)]
    kustomization = documents(deploy / "kustomization.yaml", found)
    objects = []
    for path in sorted(deploy.glob("kubernetes/*.yaml")):
        objects += [(path.name, document) for document in documents(path, found)]
    for one in kustomization:
        found += kubernetes_rules.check_kustomization(one, deploy)
        found += kubernetes_rules.check(objects, one, facts)
    found += [f"Dockerfile: {what}"
              for what in docker_rules.check((deploy / "Dockerfile").read_text(), root, facts)]
    found += check_unit((deploy / "skein.service.in").read_text(), facts)
    return found


def check_unit(text, facts):
    """As the manager reads it, where there is one; and its options."""
    for option in re.findall(r"(?<=\s)--[a-z-]+", "".join(re.findall(r"ExecStart=.*", text))):
        if option not in facts.options:
            yield f"skein.service: skein serve has no {option}"
    if "Type=notify" not in text:
        yield "skein.service: Type is not notify"
    stop = int(re.search(r"TimeoutStopSec=(\d+)s", text)[1])
    drain = int(re.search(r"--drain-timeout (\d+)s", text)[1])
    if stop <= drain:
        yield f"skein.service: stops after {stop} s, drains for {drain} s"
    if not shutil.which("systemd-analyze"):
        return
    with tempfile.TemporaryDirectory() as folder:
        unit = pathlib.Path(folder, "skein.service")
        unit.write_text(text.replace("@SKEIN_UNIT_BINARY@", "/bin/true"))
        ran = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True,
                             text=True, check=False)
        for line in ran.stderr.splitlines():
            if "skein.service" in line:
                yield f"skein.service: {line.strip()}"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    found = check(root, Facts.of(sys.argv[2]))
    for what in found:
        print(what)
    print(f"deploy/: {len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
