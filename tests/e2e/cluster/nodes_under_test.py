"""Several nodes and a broker that a test starts, asks, breaks and ends."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "serve"))
from node_under_test import QUICK, WAITING, until  # noqa: E402



def free_port():
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


class Broker:
    """A nats-server of the test's own, at one port for as long as it lives."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self.process = None
        self.words = []

    def start(self):
        log = self.folder / "nats.log"
        self.process = subprocess.Popen(
            ["nats-server", "-a", "127.0.0.1", "-p", str(self.port), "-js",
             "-sd", str(self.folder / "nats"), "-l", str(log), *self.words])
        until(self.answers, "the broker's answer")

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as there:
                return there.recv(4).startswith(b"INFO")
        except OSError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()


class Node:
    """One `skein serve` in a directory of its own."""

    def __init__(self, skein, folder, name, words):
        self.skein = skein
        self.folder = Path(folder) / name
        self.folder.mkdir()
        self.data = self.folder / "data"
        self.name = name
        self.words = words
        self.process = None
        self.environment = {
            "HOME": str(self.folder), "PATH": "/usr/local/bin:/usr/bin:/bin", "USER": "ann",
            "SKEIN_DATA": str(self.data), "LANG": "C.UTF-8", "SKEIN_SANDBOX": "none"}

    def start(self):
        if self.process:
            self.process.stdout.close()
        with open(self.folder / "node.log", "ab") as log:
            self.process = subprocess.Popen(
                [self.skein, "serve", "--listen", "127.0.0.1:0", "--name", self.name, *self.words],
                cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=log)
        url = self.process.stdout.readline().decode().strip()
        if not url.startswith("http://127.0.0.1:"):
            raise AssertionError(self.log())
        self.port = int(url.rsplit(":", 1)[1])
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.kill()
        if self.process:
            self.process.stdout.close()

    def log(self):
        return (self.folder / "node.log").read_text()

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            token = (self.data / "token").read_text().strip()
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ask(self, method, path, body=None):
        status, text = self.request(method, path, body)
        if status >= 400:
            raise AssertionError(f"{self.name}: {method} {path}: {status} {text}")
        return json.loads(text)

    def is_ready(self):
        try:
            return self.request("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def ready(self):
        until(self.is_ready, f"readiness of {self.name}", 60)
        return self

    def state(self, run):
        status, text = self.request("GET", f"/v1/runs/{run}")
        return json.loads(text)["state"] if status == 200 else None

    def until_state(self, run, state, limit=30):
        until(lambda: self.state(run) == state, f"{run} {state} on {self.name}", limit)

    def command(self, *words, code=0):
        ran = subprocess.run([self.skein, *words], cwd=self.folder, env=self.environment,
                             capture_output=True, text=True, timeout=60, check=False)
        if ran.returncode != code:
            raise AssertionError(f"{words}: {ran.returncode}\n{ran.stdout}{ran.stderr}{self.log()}")
        return ran.stdout + ran.stderr

    def leads(self):
        """Partitions that it leads, as it knows."""
        return next(m["leads"] for m in self.ask("GET", "/v1/nodes")["items"]
                    if m["name"] == self.name)


class ClusterTest(unittest.TestCase):
    skein = ""
    takeover = "600ms"

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="skein-cluster-")
        self.addCleanup(folder.cleanup)
        self.nodes = []
        self.addCleanup(self.tell_of_failure)
        self.folder = Path(folder.name)
        self.broker = Broker(self.folder)
        self.broker.start()
        self.addCleanup(lambda: self.broker.process.poll() is None and self.broker.kill())

    def tell_of_failure(self):
        result = self._outcome and self._outcome.result
        if result and any(case is self for case, _ in result.failures + result.errors):
            for node in self.nodes:
                print(f"--- {node.name}\n{node.log()[-4_000:]}", file=sys.stderr)

    def node(self, name, *words):
        node = Node(self.skein, self.folder, name,
                    ["--nats", self.broker.url, "--takeover-after", self.takeover, *words])
        for flow, text in (("waiting", WAITING), ("quick", QUICK)):
            (node.folder / f"{flow}.yaml").write_text(text)
        self.addCleanup(node.end)
        self.nodes.append(node)
        return node

    def cluster(self, count=3):
        nodes = [self.node(f"n{i + 1}") for i in range(count)]
        for node in nodes:
            node.start()
        for node in nodes:
            node.ready()
        return nodes


def main():
    ClusterTest.skein = os.path.abspath(sys.argv.pop(1))
    unittest.main()


__all__ = ["ClusterTest", "Node", "main", "time", "until"]
