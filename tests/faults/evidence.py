"""What is left when a test is over: what every node has, the stream, the ledger, the promises."""

import json
import random
import subprocess
import time

from nats_wire import Wire

PATIENCE = 120


class Evidence:
    """
    promises   what was acknowledged: [{"what", "run", "at", …}]
    ledger     what was done outside: [{"key", "run", "step", "attempt", "at", "work", "nonce"}]
    replicas   for each node {"runs": {id: …}, "doctor", "outbox", "log"} (journal_dump)
    stream     what the broker's log stream says, in order (stream_dump)
    replays    [{"run", "code", "said"}] of `skein run replay`; `replayed_lines` is how many lines
               the ledger got meanwhile
    unfinished what had not ended in time, as sentences
    """

    def __init__(self):
        self.promises, self.ledger, self.replicas = [], [], {}
        self.stream, self.replays, self.unfinished = [], [], []
        self.replayed_lines = 0

    def of(self, what):
        return [promise for promise in self.promises if promise["what"] == what]

    def any_replica(self):
        return next(iter(self.replicas.values()))["runs"]

    def save(self, path):
        path.write_text(json.dumps(vars(self)))

    @staticmethod
    def load(path):
        made = Evidence()
        vars(made).update(json.loads(path.read_text()))
        return made


def read_lines(command, given=None):
    ran = subprocess.run(command, input=given, capture_output=True, text=True, check=False,
                         timeout=PATIENCE)
    if ran.returncode != 0:
        raise AssertionError(f"{command[0]}: {ran.stderr.strip()}")
    return [json.loads(line) for line in ran.stdout.splitlines()]


def replica_of(tools, node):
    """REQUIRES: the node does not run."""
    replica = {"runs": {}}
    for line in read_lines([tools.journal_dump, str(node.data)]):
        if "run" in line:
            replica["runs"][line["run"]] = line
        else:
            replica.update(line)
    return replica


def stream_of(tools, broker):
    wire = Wire.to(broker.host, broker.port)
    try:
        names = [name for name in wire.stream_names() if name.startswith("SKEIN_LOG_")]
        if len(names) != 1:
            raise AssertionError(f"{len(names)} logs: {names}")
        given = "".join(f"{seq} {data.hex()}\n" for seq, _, data in wire.everything(names[0]))
    finally:
        wire.close()
    return read_lines([tools.stream_dump], given)


def replay_some(cluster, load, runs, seed, count):
    """`skein run replay` of some runs. Answers what was said, and lines of the ledger meanwhile."""
    rng = random.Random(f"{seed} replay")
    lines = len(load.ledger())
    replays = []
    for run in rng.sample(sorted(runs), min(count, len(runs))):
        code, said = rng.choice(cluster.nodes).command("run", "replay", run)
        replays.append({"run": run, "code": code, "said": said[-500:]})
    return replays, len(load.ledger()) - lines


class Watch:
    """Waits for the end of every run that was promised, and settles what is in doubt."""

    def __init__(self, cluster, load, hands):
        self.cluster, self.load, self.hands = cluster, load, hands

    def states(self, node):
        """{run: shown} of everything; None where the node does not answer."""
        shown, after = {}, ""
        while True:
            answer = node.ask(f"/v1/runs?limit=500{after}")
            if answer is None:
                return None
            for run in answer["items"]:
                shown[run["id"]] = run
            if not answer.get("next"):
                return shown
            after = f"&after={answer['next']}"

    def until_all_ended(self, limit):
        """Answers what has not, as sentences."""
        end = time.monotonic() + limit
        left = ["nothing was seen"]
        while time.monotonic() < end:
            left = []
            self.hands.look_for_ended("at rest")
            for node in self.cluster.nodes:
                shown = self.states(node)
                if shown is None:
                    left.append(f"{node.name} does not answer")
                    continue
                left += [f"{node.name} does not have {name}"
                         for name in self.promised() - shown.keys()]
                left += [f"{node.name} shows {name} {run['state']}: {why_of(run)}"
                         for name, run in shown.items() if run["state"] not in FINAL]
                self.settle(node, shown)
                missing = len(self.load.record.of("event")) - sum(
                    run["definition"] == "caught" for run in shown.values())
                left += [f"{node.name} has no run of {missing} events"] if missing > 0 else []
            if not left:
                return []
            time.sleep(0.3)
        return left

    def promised(self):
        return {promise["run"] for promise in self.load.record.of("run")}

    def settle(self, node, shown):
        """An operator asks the ledger whether a step in doubt has happened."""
        for name, run in shown.items():
            if run["state"] == "paused" and run["definition"] == "pay":
                done = [line for line in self.load.ledger()
                        if line["run"] == name and line["step"] == "pay"]
                told = {"step": "pay", "how": "retry"}
                if done:
                    line = {"work": done[-1]["work"], "nonce": done[-1]["nonce"]}
                    told = {"step": "pay", "how": "succeed",
                            "output": {"stdout": json.dumps(line), "parsed": line}}
                try:
                    status, _ = node.request("POST", f"/v1/runs/{name}/settle", told)
                    if status < 400:
                        self.load.record.add("settled", run=name, how=told["how"])
                except (OSError, ValueError):
                    pass


FINAL = {"succeeded", "failed", "cancelled"}


def why_of(run):
    return run.get("waiting_for") or run.get("reason") or ""


def gather(cluster, load, tools, seed, replays, unfinished):
    """Everything, from a cluster at rest. Its nodes are killed: what they have is on their disks."""
    seen = Evidence()
    seen.unfinished = unfinished
    seen.replays, seen.replayed_lines = replay_some(
        cluster, load, {p["run"] for p in load.record.of("run")}, seed, replays)
    for node in cluster.nodes:
        node.kill()
    seen.promises = list(load.record.lines)
    seen.ledger = load.ledger()
    seen.stream = stream_of(tools, cluster.broker)
    seen.replicas = {node.name: replica_of(tools, node) for node in cluster.nodes}
    return seen
