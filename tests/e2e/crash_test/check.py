"""What must hold of a data directory and the ledger outside it, whatever was killed when.

    I1  nothing that was acknowledged is lost, and a journal only ever grows
    I2  an unsafe effect is done once unless somebody said so; repeats of others share their key
    I3  no effect without a committed intent
    I5  entries without a gap, hashes and rows in order
    I6  a replay gives the recorded state
    I9  a timer fires once; a run that waits has something that can wake it
    I10 a child begins and ends once for its parent, and none is without a parent that named it

I4, one writer, is what the harness sees when it starts a second process.
"""

import collections
import datetime
import json

FINAL = {"succeeded", "failed", "cancelled"}
ENDED = {"succeeded", "failed", "skipped", "cancelled"}
RESULTS = {"step.succeeded", "step.failed"}

# Steps whose flow says `in_doubt: retry`: their author has allowed a second time.
MAY_REPEAT = {("careless", "again")}

EXPECTED = {
    "family": ["firstsecond", 3],
    "agree": "act",
    "boxed": ["succeeded", "succeeded"],
    "careless": "end",
    "nap": [1, 2, 3],
    "heed": ["go", "stop"],
    "pay": "firstsecond",
    "paper": ["one", [2, 4]],
    "race": ["succeeded", "right"],
    "retry": ["third", "skipped", "succeeded"],
}


class World:
    """One look from outside: what the directory says, what was done, and what was promised."""

    def __init__(self, lines, ledger, promises):
        self.runs = {}
        self.outbox, self.doctor = [], None
        for line in lines:
            if "run" in line:
                self.runs[line["run"]] = line
            elif "outbox" in line:
                self.outbox = line["outbox"]
            elif "doctor" in line:
                self.doctor = line["doctor"]
        self.ledger = ledger
        self.promises = promises


def check(world, before=None, settled=False):
    """Everything that is wrong, as sentences. `before` is an earlier look; `settled` says that
    nothing is left to do."""
    wrong = []
    keys = collections.defaultdict(list)
    for line in world.ledger:
        keys[line["key"]].append(line)
        if line["run"] not in world.runs:
            wrong.append(f"I3 {line['key']} was done for a run that is not there")
    for run in world.runs.values():
        if "broken" in run:
            wrong.append(f"I5 {run['run']} cannot be read: {run['broken']}")
            continue
        for what in check_run(run, keys, settled):
            wrong.append(f"{what} ({run['run']}, {run['state']})")
    wrong += check_promises(world)
    wrong += check_families(world)
    wrong += check_growth(world, before) if before else []
    wrong += check_directory(world)
    return wrong


def check_run(run, keys, settled):
    yield from check_journal(run)
    yield from check_replay(run)
    yield from check_effects(run, keys)
    yield from check_rows(run)
    if settled:
        yield from check_end(run)


def check_journal(run):
    entries = run["entries"]
    if [e["seq"] for e in entries] != list(range(1, len(entries) + 1)):
        yield "I5 the entries have a gap"
    if not entries or entries[0]["kind"] != "run.created":
        yield "I5 the first entry is not the beginning"
    times = [datetime.datetime.fromisoformat(e["at"]) for e in entries]
    if any(a > b for a, b in zip(times, times[1:])):
        yield "I5 time goes backwards"
    for what, count in collections.Counter(
            e["event"]["timer"] for e in entries if e["kind"] == "timer.expired").items():
        if count > 1:
            yield f"I9 timer {what} fired {count} times"


def check_replay(run):
    replay = run["replay"]
    if replay["difference"]:
        yield f"I6 the replay differs: {replay['difference']}"
    if replay["entries"] != len(run["entries"]):
        yield "I6 the replay saw other entries"
    if not run["state"] == run["machine_state"] == replay["state"]:
        yield f"I6 the record says {run['state']}, the journal {run['machine_state']}"
    if run["output"] != run["machine_output"]:
        yield "I6 the record has another output than the journal"


def check_effects(run, keys):
    events = collections.defaultdict(list)
    for entry in run["entries"]:
        if "key" in (entry["event"] or {}):
            events[entry["event"]["key"]].append(entry)
    for key, lines in keys.items():
        if lines[0]["run"] != run["run"]:
            continue
        if key not in events:
            yield f"I3 {key} was done without an entry"
        if len({line["work"] for line in lines}) > 1:
            yield f"I2 {key} was done with different input"
    for key, entries in events.items():
        yield from check_key(run, key, entries, keys.get(key, []))


def check_key(run, key, entries, lines):
    begun = collections.Counter(
        e["event"]["attempt"] for e in entries if e["kind"] == "step.begun")
    ended = collections.Counter(e["event"]["attempt"] for e in entries if e["kind"] in RESULTS)
    for attempt in begun.keys() | ended.keys():
        if begun[attempt] > 1:
            yield f"I2 attempt {attempt} of {key} begins {begun[attempt]} times"
        if ended[attempt] > 1:
            yield f"I2 attempt {attempt} of {key} ends {ended[attempt]} times"
    if sum(e["kind"] == "step.succeeded" for e in entries) > 1:
        yield f"I2 {key} succeeds twice"
    for attempt, count in collections.Counter(line["attempt"] for line in lines).items():
        if attempt not in begun:
            yield f"I3 attempt {attempt} of {key} was done without an intent"
        elif count > 1 and class_of(entries) == "unsafe":
            yield f"I2 attempt {attempt} of {key} is unsafe and was done {count} times"
    yield from check_results(key, entries, lines)
    yield from check_repeats(run, key, entries, lines)


def class_of(entries):
    found = next((e["event"]["more"] for e in entries if e["kind"] == "step.begun"), "pure")
    return "keyed" if isinstance(found, dict) else found


def nonce_of(output):
    """The number that ledger_line printed, where this is its output."""
    if isinstance(output, dict) and isinstance(output.get("stdout"), str):
        try:
            return json.loads(output["stdout"])["nonce"]
        except (ValueError, KeyError, TypeError):
            return None
    return None


def check_results(key, entries, lines):
    for entry in entries:
        nonce = nonce_of(entry["event"]["more"]) if entry["kind"] == "step.succeeded" else None
        if nonce and not any(
                line["nonce"] == nonce and line["attempt"] == entry["event"]["attempt"]
                for line in lines):
            yield f"I2 the result of {key} is of nothing that was done"


def check_repeats(run, key, entries, lines):
    """Times an unsafe effect was done, and times that somebody or a recorded failure allowed."""
    step = entries[0]["event"]["step"].split("[")[0]
    if class_of(entries) != "unsafe" or (run["definition"], step) in MAY_REPEAT:
        return
    allowed = 1 + sum(e["kind"] == "step.failed" or
                      (e["kind"] == "step.settled" and e["event"]["more"] == "retry")
                      for e in entries)
    if len(lines) > allowed:
        yield f"I2 {key} is unsafe and was done {len(lines)} times, {allowed} allowed"


def check_rows(run):
    state, waits, timers = run["state"], run["waits"], run["timers"]
    if state in FINAL and (waits or timers):
        yield f"I9 it has ended and still has {waits} {timers}"
    if state == "waiting":
        what, _, name = run["waiting_for"].partition(" ")
        if not run["at_rest"] or not (waits or timers or what == "child"):
            yield "I9 it waits and nothing can wake it"
        if what == "timer" and not timers:
            yield "I9 it waits for a timer that is not armed"
        if what in ("signal", "approval") and {"what": what, "name": name} not in waits:
            yield f"I9 it waits for {what} {name}, which would not wake it"
    if state == "paused" and not (run["reason"] and run["waiting_for"]):
        yield "I9 it is paused and does not say why"
    if state in ("pending", "running") and run["at_rest"]:
        yield "I9 it goes on by itself and has nothing to do"
    if len({t["timer"] for t in timers}) != len(timers):
        yield "I9 a timer is armed twice"


def check_end(run):
    if run["state"] == "cancelled" and run["parent"]:
        return
    if run["state"] != "succeeded":
        yield f"I1 it did not succeed: {run['reason'] or run['waiting_for']}"
        return
    for step in run["steps"]:
        if step["status"] not in ENDED:
            yield f"I1 step {step['step']} is {step['status']}"
    expected = EXPECTED.get(run["definition"])
    if run["definition"] == "fan":
        items = len(run["entries"][0]["event"]["input"]["items"])
        expected = f"{'big' if items > 4 else 'small'} {items}"
    if run["output"] != expected:
        yield f"I2 the output is {run['output']}, not {expected}"


def children_of(run):
    """Runs that the steps of a run have named, in order."""
    return [e["event"]["more"]["child"] for e in run["entries"]
            if e["kind"] == "step.begun" and isinstance(e["event"]["more"], dict)]


def check_families(world):
    whole = {name: run for name, run in world.runs.items() if "entries" in run}
    for name, run in whole.items():
        named = children_of(run)
        ended = collections.Counter(
            e["event"]["child"] for e in run["entries"] if e["kind"] == "child.ended")
        if len(set(named)) != len(named) or any(count > 1 for count in ended.values()):
            yield f"I10 a child of {name} begins or ends twice"
        parent = whole.get(run["parent"])
        if run["parent"] and (parent is None or name not in children_of(parent)):
            yield f"I10 {name} was begun without an intent of {run['parent']}"
        what, _, child = run["waiting_for"].partition(" ")
        if what == "child" and child not in whole and child not in world.outbox:
            yield f"I9 {name} waits for {child}, which nobody will begin"
        if what == "child" and child in whole and whole[child]["state"] in FINAL and \
                f"{child}/end" not in world.outbox:
            yield f"I9 {name} waits for {child}, which has ended and tells nobody"


def check_promises(world):
    """Whatever a command acknowledged is an entry."""
    for promise in world.promises:
        run = world.runs.get(promise["run"])
        if run is None:
            yield f"I1 run {promise['run']} was acknowledged and is not there"
        elif "kind" in promise and "entries" in run and not any(
                e["kind"] == promise["kind"] and
                all(e["event"].get(k) == v for k, v in promise["event"].items())
                for e in run["entries"]):
            yield f"I1 {promise} was acknowledged and is no entry"


def check_growth(world, before):
    for name, earlier in before.runs.items():
        later = world.runs.get(name)
        if later is None:
            yield f"I1 run {name} was there and is gone"
        elif "entries" in later and "entries" in earlier:
            kept = later["entries"][:len(earlier["entries"])]
            if kept != earlier["entries"]:
                yield f"I1 entries of run {name} are other than they were"
            if earlier["state"] in FINAL and earlier["state"] != later["state"]:
                yield f"I1 run {name} was {earlier['state']} and is {later['state']}"


def check_directory(world):
    if world.doctor is None:
        yield "I5 the directory was not examined"
        return
    for finding in world.doctor["findings"]:
        yield f"I5 {finding}"
    entries = sum(len(run.get("entries", [])) for run in world.runs.values())
    if world.doctor["entries"] != entries:
        yield f"I5 the log names {world.doctor['entries']} entries, the journals have {entries}"
    if len(set(world.outbox)) != len(world.outbox):
        yield "I2 an event is in the outbox twice"
