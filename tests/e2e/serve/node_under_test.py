"""A node that a test starts, asks and ends."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

WAITING = """
apiVersion: skein.dev/v1
kind: Flow
metadata: { name: waiting }
spec:
  steps:
    - { id: before, tool: shell, effect: idempotent, with: { command: [echo, one], sandbox: none } }
    - { id: pause, wait: { signal: go, timeout: 1h } }
    - { id: after, tool: transform, with: "${ steps.pause.output }" }
  output: ${ steps.after.output }
"""
QUICK = """
apiVersion: skein.dev/v1
kind: Flow
metadata: { name: quick }
spec:
  steps:
    - { id: twice, tool: transform, with: "${ input.n * 2 }" }
  output: ${ steps.twice.output }
"""


def until(said, what="that", limit=30):
    """Asks until it is so; fails after `limit` seconds."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        answer = said()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come about in {limit} seconds")


class NodeTest(unittest.TestCase):
    skein = ""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="skein-serve-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.data = self.folder / "data"
        for name, text in (("waiting", WAITING), ("quick", QUICK)):
            (self.folder / f"{name}.yaml").write_text(text)
        self.environment = {
            "HOME": str(self.folder), "PATH": "/usr/local/bin:/usr/bin:/bin", "USER": "ann",
            "SKEIN_DATA": str(self.data), "LANG": "C.UTF-8", "SKEIN_SANDBOX": "none"}
        self.node = None

    def serve(self, *words, **environment):
        """Starts a node; answers once it listens."""
        log = open(self.folder / "node.log", "ab")
        self.addCleanup(log.close)
        self.node = subprocess.Popen(
            [self.skein, "serve", "--listen", "127.0.0.1:0", *words], cwd=self.folder,
            env={**self.environment, **environment}, stdout=subprocess.PIPE, stderr=log)
        self.addCleanup(self.end)
        url = self.node.stdout.readline().decode().strip()
        self.assertTrue(url.startswith("http://127.0.0.1:"), self.log())
        self.port = int(url.rsplit(":", 1)[1])
        return self.node

    def end(self):
        if self.node and self.node.poll() is None:
            self.node.kill()
            self.node.wait()
        if self.node:
            self.node.stdout.close()

    def log(self):
        return (self.folder / "node.log").read_text()

    def token(self):
        return (self.data / "token").read_text().strip()

    def request(self, method, path, body=None, headers=None):
        """(status, headers, body) of one request with the token."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Authorization": f"Bearer {self.token()}", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def ask(self, method, path, body=None):
        """The JSON of an answer that is good."""
        status, _, text = self.request(method, path, body)
        self.assertLess(status, 400, text)
        return json.loads(text)

    def ready(self):
        until(lambda: self.request("GET", "/readyz")[0] == 200, "readiness")

    def begin(self, *words):
        """A command under way."""
        command = subprocess.Popen([self.skein, *words], cwd=self.folder, env=self.environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (command.kill(), command.communicate()))
        return command

    def command(self, *words, code=0):
        """Standard output of a command that ends with `code`."""
        ran = subprocess.run([self.skein, *words], cwd=self.folder, env=self.environment,
                             capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(ran.returncode, code, ran.stdout + ran.stderr + self.log())
        self.stderr = ran.stderr
        return ran.stdout

    def state(self, run):
        return self.ask("GET", f"/v1/runs/{run}")["state"]

    def until_state(self, run, state):
        def now():
            status, _, text = self.request("GET", f"/v1/runs/{run}")
            return status == 200 and json.loads(text)["state"] == state
        until(now, f"{run} {state}")


def main():
    NodeTest.skein = os.path.abspath(sys.argv.pop(1))
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    unittest.main()
