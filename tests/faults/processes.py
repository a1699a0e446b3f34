"""The processes of a cluster: a broker, a proxy before it, and nodes; each may be broken."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ENDING = 40  # seconds that a process may take to end by itself


class Stuck(Exception):
    """Something did not come about."""


def until(said, what, limit=30):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        answer = said()
        if answer:
            return answer
        time.sleep(0.05)
    raise Stuck(f"{what} did not come about in {limit} s")


def free_port(host="127.0.0.1"):
    with socket.socket() as asked:
        asked.bind((host, 0))
        return asked.getsockname()[1]


class Process:
    """What is common to them. `running` is false while a test keeps it down."""

    def __init__(self, name, network):
        self.name, self.network = name, network
        self.process = None
        self.frozen = False

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.running:
            self.process.kill()
        if self.process:
            self.process.wait()
        self.frozen = False

    def freeze(self):
        self.frozen = True
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.frozen = False
        if self.running:
            self.process.send_signal(signal.SIGCONT)


class Broker(Process):
    def __init__(self, folder, network, name="broker"):
        super().__init__(name, network)
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        self.host = network.address(name)
        self.port = free_port() if self.host == "127.0.0.1" else 4222

    def start(self):
        self.process = subprocess.Popen(
            [*self.network.within(self.name), "nats-server", "-a", self.host, "-p", str(self.port),
             "-js", "-sd", str(self.folder / "store"), "-l", str(self.folder / "log")])
        until(self.answers, "the broker's answer")

    def answers(self):
        try:
            with socket.create_connection((self.host, self.port), timeout=1) as there:
                return there.recv(4).startswith(b"INFO")
        except OSError:
            return False


class Proxy:
    """One link to the broker for each node."""

    def __init__(self, network, broker, nodes):
        self.lock = threading.Lock()
        self.ports = {name: free_port(network.gate) for name in nodes}
        self.gate = network.gate
        self.process = subprocess.Popen(
            [sys.executable, "-B", str(HERE / "proxy.py"),
             *(f"{name}={network.gate}:{port}={broker.host}:{broker.port}"
               for name, port in self.ports.items())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise Stuck("the proxy does not listen")

    def url(self, name):
        return f"nats://{self.gate}:{self.ports[name]}"

    def order(self, name, **order):
        with self.lock:
            self.process.stdin.write(json.dumps({"link": name, **order}) + "\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


class Node(Process):
    """One `skein serve` with a data directory of its own."""

    def __init__(self, skein, folder, network, name, words):
        super().__init__(name, network)
        self.skein, self.words = skein, words
        self.began = self.age = 0.0  # and how old it was when it was asked to end
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        self.data = self.folder / "data"
        self.port = free_port()
        self.environment = {
            "HOME": str(self.folder), "PATH": "/usr/local/bin:/usr/bin:/bin", "USER": "operator",
            "SKEIN_DATA": str(self.data), "LANG": "C.UTF-8", "SKEIN_SANDBOX": "none"}

    def start(self):
        if self.running:
            raise AssertionError(f"{self.name} runs already")
        self.began = time.monotonic()
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*self.network.within(self.name), self.skein, "serve", "--listen",
                 f"127.0.0.1:{self.port}", "--name", self.name, *self.words],
                cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL, stderr=log)

    def terminate(self):
        self.age = time.monotonic() - self.began
        self.process.send_signal(signal.SIGTERM)

    def drained(self):
        """The code it ends with after SIGTERM; None where it has to be killed."""
        try:
            return self.process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            return None

    def lose_directory(self):
        shutil.rmtree(self.data, ignore_errors=True)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def request(self, method, path, body=None, timeout=10):
        """(status, JSON) of the answer. Raises OSError or HTTPException where there is none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.sock = self.network.connect(self.name, self.port, timeout)
            token = (self.data / "token").read_text().strip()
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def ask(self, path):
        """The JSON of a good answer; None otherwise."""
        try:
            status, answer = self.request("GET", path)
            return answer if status < 400 else None
        except (OSError, http.client.HTTPException, ValueError):
            return None

    def is_ready(self):
        return self.ask("/readyz") is not None

    def command(self, *words):
        """(code, output) of a command on this node."""
        ran = subprocess.run([*self.network.within(self.name), self.skein, *words],
                             cwd=self.folder, env=self.environment, capture_output=True, text=True,
                             timeout=60, check=False)
        return ran.returncode, ran.stdout + ran.stderr


class Cluster:
    """Everything that runs, in one folder."""

    def __init__(self, skein, folder, network, names, takeover):
        self.folder, self.network = pathlib.Path(folder), network
        self.broker = Broker(self.folder, network)
        self.broker.start()
        self.proxy = Proxy(network, self.broker, names)
        # What the first one leads is run by the others.
        self.nodes = [Node(os.path.abspath(skein), self.folder, network, name,
                           ["--nats", self.proxy.url(name), "--takeover-after", takeover,
                            "--drain-timeout", "5s", *(("--slots", "0") if name == names[0] else ())])
                      for name in names]

    def start(self):
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            until(node.is_ready, f"readiness of {node.name}", 60)

    def close(self):
        for process in [*self.nodes, self.broker]:
            if process.running:
                process.thaw()
                process.kill()
        self.proxy.close()
