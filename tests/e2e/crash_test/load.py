"""What the runs do while they are killed: eleven kinds of flows, and people who look after them."""

import json
import pathlib

from crash_test.place import Refused

FLOWS = pathlib.Path(__file__).resolve().parent.parent / "flows"
KINDS = sorted(path.stem for path in FLOWS.glob("*.yaml"))
GOING_ON = {"pending", "running"}


class Load:
    def __init__(self, place, rng, sandbox):
        self.place = place
        self.rng = rng
        self.sandbox = sandbox
        self.started = 0

    def apply(self):
        for kind in KINDS:
            if self.place.run("apply", "-f", str(FLOWS / f"{kind}.yaml")) != 0:
                raise Refused(f"the flow {kind} was refused")

    def words_of_new_run(self, kind=None):
        kind = kind or self.rng.choice(KINDS)
        self.started += 1
        run = f"{kind}-{self.started}"
        # Now and then enough entries for a checkpoint, whatever the seed.
        items = 24 if self.started % 4 == 0 else self.rng.randint(2, 14)
        given = {
            "line": str(self.place.work / "ledger_line"),
            "ledger": str(self.place.ledger_file),
            "folder": str(self.place.work),
            "sandbox": self.sandbox,
            "items": list(range(items)),
        }
        return run, ["run", "flow", kind, "--id", run, "-i", json.dumps(given)]

    def begin(self, kind=None):
        """A new run, acknowledged."""
        run, words = self.words_of_new_run(kind)
        if self.place.run(*words, "--detach") == 0:
            self.place.promises.append({"run": run})
        else:
            raise Refused(f"run {run} was refused")

    def answers(self, look):
        """What people have to do now: (words, user, what it promises) for each."""
        for name, run in sorted(look.runs.items()):
            if run.get("state") == "paused":
                yield self.settle(name, run, look)
            for wait in run.get("waits", []):
                if wait["what"] == "signal" and wait["name"] != "never":
                    yield self.signal(name, wait["name"])
                elif wait["what"] == "approval":
                    yield from self.answer(name, wait["name"], run)

    def signal(self, run, name):
        number = f"{run}-{name}"
        return (["run", "signal", run, name, "--payload", json.dumps(name), "--id", number],
                "operator",
                {"run": run, "kind": "signal.received", "event": {"id": number, "name": name}})

    def answer(self, name, step, run):
        answered = {e["event"]["more"]["by"] for e in run["entries"]
                    if e["kind"] == "approval.answered" and e["event"]["step"] == step}
        user = "ann" if "ann" not in answered else "bob"
        verb = "reject" if step == "one" and self.rng.random() < 0.3 else "approve"
        yield (["run", verb, name, step], user,
               {"run": name, "kind": "approval.answered",
                "event": {"step": step, "more": {"by": user, "approved": verb == "approve"}}})

    def settle(self, name, run, look):
        """An operator asks the ledger whether a step in doubt has happened."""
        step = run["waiting_for"].removeprefix("settle ")
        done = [line for line in look.ledger if line["run"] == name and line["step"] == step]
        words = ["run", "retry", name, "--step", step]
        if done:
            told = {"work": done[-1]["work"], "nonce": done[-1]["nonce"]}
            words += ["--done", json.dumps({"stdout": json.dumps(told), "parsed": told})]
        how = "succeed" if done else "retry"
        return (words, "operator", {"run": name, "kind": "step.settled",
                                    "event": {"step": step, "more": how}})
