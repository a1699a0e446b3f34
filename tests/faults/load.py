"""What goes on while things break: clients that start runs, tell them things, and keep a record
of everything that was acknowledged to them."""

import http.client
import json
import pathlib
import random
import threading
import time

from processes import until

FLOWS = pathlib.Path(__file__).resolve().parent / "flows"
KINDS = ["chain", "chain", "pay", "nap", "nap", "heed", "agree", "long", "caught", "parent", "adult"]
CONFLICT = "SK1301"  # it is decided, or has ended
ONCE_MORE = (404, 409, 429, 500, 502, 503, 504)  # a node that has not read it yet, or has no leader


class Record:
    """What was acknowledged, in memory and in a file. Thread-safe."""

    def __init__(self, path):
        self.lines, self.lock = [], threading.Lock()
        self.file = open(path, "a", encoding="utf-8")

    def add(self, what, **fields):
        line = {"what": what, "at": round(time.time() * 1000), **fields}
        with self.lock:
            self.lines.append(line)
            self.file.write(json.dumps(line) + "\n")
            self.file.flush()

    def of(self, what):
        with self.lock:
            return [line for line in self.lines if line["what"] == what]


class Load:
    def __init__(self, cluster, tools, seed, clients):
        self.cluster, self.seed = cluster, seed
        self.record = Record(cluster.folder / "acknowledged")
        self.ledger_file = cluster.folder / "ledger"
        self.ledger_file.touch()
        self.given = {"line": tools.ledger_line, "ledger": str(self.ledger_file)}
        self.stopping = threading.Event()
        self.attempts = self.answered = 0
        self.clients = [Client(self, i) for i in range(clients)]

    def apply(self):
        for flow in sorted(FLOWS.glob("*.yaml")):
            code, said = self.cluster.nodes[0].command("apply", "-f", str(flow))
            if code != 0:
                raise AssertionError(f"{flow.name} was refused: {said}")
        for node in self.cluster.nodes:
            until(lambda node=node: self.in_force(node), f"the trigger on {node.name}")

    @staticmethod
    def in_force(node):
        """Whether events start runs, as the node sees it: it looks for new triggers once a second."""
        shown = node.ask("/v1/triggers")
        return bool(shown and shown["items"])

    def start(self):
        for client in self.clients:
            client.thread.start()

    def stop(self):
        """Ends what begins anew; clients finish what they owe their runs."""
        self.stopping.set()

    def join(self, limit):
        end = time.monotonic() + limit
        for client in self.clients:
            client.thread.join(max(0.1, end - time.monotonic()))
        stuck = [client.doing for client in self.clients if client.thread.is_alive()]
        failed = [str(client.failed) for client in self.clients if client.failed]
        return [f"a client is stuck: {doing}" for doing in stuck] + failed

    def ledger(self):
        """The whole lines of the ledger: what a kill cut short did not happen."""
        lines = []
        for text in self.ledger_file.read_text(encoding="utf-8").split("\n"):
            try:
                lines.append(json.loads(text))
            except ValueError:
                pass
        return lines


class Client:
    """One sender: it does one thing after the other, each until it is answered."""

    def __init__(self, load, number):
        self.load, self.number = load, number
        self.rng = random.Random(f"{load.seed} client {number}")
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.begun = 0
        self.doing = ""
        self.failed = None
        self.later = []  # (when, what is owed to a run)

    def run(self):
        try:
            while not self.load.stopping.is_set():
                kind = self.rng.choice(KINDS)
                self.begin(kind)
                self.pay_debts(time.monotonic())
                time.sleep(self.rng.random() * 0.4)
            self.pay_debts(float("inf"))
        except Exception as wrong:  # told by join
            self.failed = AssertionError(f"a client failed at {self.doing}: {wrong!r}")

    def pay_debts(self, until):
        while self.later and self.later[0][0] <= until:
            self.later.pop(0)[1]()

    def owe(self, seconds, debt):
        self.later.append((time.monotonic() + seconds, debt))
        self.later.sort(key=lambda debt: debt[0])

    def ask(self, method, path, body, known=()):
        """Asks node after node until one of them has answered for it. Answers (status, JSON, whether
        an earlier attempt may have happened)."""
        self.doing = f"{method} {path} {json.dumps(body)[:200]}"
        attempts = 0
        while True:
            node = self.rng.choice(self.load.cluster.nodes)
            self.load.attempts += 1
            attempts += 1
            try:
                status, answer = node.request(method, path, body, timeout=8)
            except (OSError, http.client.HTTPException, ValueError):
                status, answer = 0, None
            if status and (status < 400 or status not in ONCE_MORE or code_of(answer) in known):
                self.load.answered += 1
                return status, answer, attempts > 1
            time.sleep(0.05 + self.rng.random() * 0.2)

    def begin(self, kind):
        self.begun += 1
        run = f"{kind}-{self.number}-{self.begun}"
        if kind == "caught":
            self.publish(run)
            return
        given = dict(self.load.given)
        if kind == "nap":
            given["ms"] = self.rng.choice([300, 900, 2500])
        status, answer, _ = self.ask("POST", "/v1/runs", {"flow": kind, "id": run, "input": given})
        if status >= 400:
            raise AssertionError(f"{run} was refused: {answer}")
        self.load.record.add("run", run=run, flow=kind)
        if kind == "heed":
            for n in range(4):
                self.owe(self.rng.random() * 3 + n * 3, lambda n=n: self.signal(run, n))
        elif kind == "agree":
            for by in ("ann", "ann", "bob"):
                self.owe(self.rng.random() * 3, lambda by=by: self.approve(run, by))
            self.owe(self.rng.choice([1, 6, 6]), lambda: self.approve(run, "carol"))
        elif kind in ("long", "adult"):
            self.owe(self.rng.random() * 3, lambda: self.cancel(run))

    def signal(self, run, n):
        number = f"{run}-{n}"
        status, answer, _ = self.ask("POST", f"/v1/runs/{run}/signal",
                                     {"name": "say", "payload": n, "id": number})
        if status >= 400:
            raise AssertionError(f"signal {number} was refused: {answer}")
        self.load.record.add("signal", run=run, id=number, n=n)

    def approve(self, run, by):
        """Carol rejects. A second time by the same person changes nothing; after it is decided it
        is refused."""
        verb = "reject" if by == "carol" else "approve"
        status, answer, _ = self.ask("POST", f"/v1/runs/{run}/{verb}", {"step": "both", "by": by},
                                     known={CONFLICT})
        self.load.record.add("approval" if status < 400 else "approval refused", run=run, by=by,
                             verb=verb, code=code_of(answer))

    def cancel(self, run):
        status, answer, again = self.ask("POST", f"/v1/runs/{run}/cancel", {"by": "ann"},
                                         known={CONFLICT})
        if status < 400 or again:
            self.load.record.add("cancel", run=run)
        else:
            raise AssertionError(f"cancel of {run} was refused: {answer}")

    def publish(self, number):
        """Twice: the second time as somebody who has not heard the answer to the first."""
        event = {"specversion": "1.0", "id": number, "source": f"/client/{self.number}",
                 "type": "fault.test", "data": self.load.given}
        for again in range(2):
            status, answer, _ = self.ask("POST", "/v1/events", event)
            if status >= 400:
                raise AssertionError(f"event {number} was refused: {answer}")
            if not again:
                self.load.record.add("event", id=number)


def code_of(answer):
    return (answer.get("error") or {}).get("code") if isinstance(answer, dict) else None
