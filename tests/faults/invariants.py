"""What must hold whatever broke: one function for each invariant, which yields every breach of it as
a sentence. They see nothing but Evidence, so a doctored one shows that each can fail."""

import collections
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
from crash_test import check  # noqa: E402

FINAL = check.FINAL
UNSAFE = {("pay", "pay")}
CLASSES = {("chain", "second"): "idempotent", ("pay", "pay"): "unsafe"}  # the others are keyed
CANCELLED = {"long", "adult"}  # by their client, or with their parent
CHILDREN = 3  # of a parent
LONGEST_EFFECT = 30_000  # ms from a cancel on that an attempt under way may take to end


def i1_durability(seen):
    """Whatever was acknowledged is an entry, on every node."""
    kinds = {
        "signal": lambda p, e: e["kind"] == "signal.received" and e["event"]["id"] == p["id"],
        "approval": lambda p, e: (e["kind"] == "approval.answered"
                                  and e["event"]["more"]["by"] == p["by"]),
        "cancel": lambda _, e: e["kind"] == "run.cancel_asked",
        "settled": lambda _, e: e["kind"] == "step.settled",
    }
    for name, replica in seen.replicas.items():
        runs = replica["runs"]
        for promise in seen.promises:
            if promise["what"] == "run" and promise["run"] not in runs:
                yield f"run {promise['run']} was acknowledged and is not on {name}"
            if promise["what"] not in kinds:
                continue
            run = runs.get(promise["run"])
            if run is None or not any(kinds[promise["what"]](promise, e) for e in run["entries"]):
                yield f"{promise} was acknowledged and is no entry on {name}"


def i2_exactly_once(seen):
    """One recorded outcome for each effect, which is one that really was; unsafe ones happen once."""
    lines = by_key(seen)
    children = collections.Counter(run["parent"] for run in seen.any_replica().values())
    for run in seen.any_replica().values():
        if run["definition"] == "parent" and children[run["run"]] != CHILDREN:
            yield f"{run['run']} has {children[run['run']]} children"
        for key, entries in effects_of(run).items():
            done = lines.get(key, [])
            succeeded = [e for e in entries if e["kind"] == "step.succeeded"]
            settled = [e for e in entries if e["kind"] == "step.settled"
                       and e["event"]["more"] == "succeed"]
            if len(succeeded) + len(settled) > 1:
                yield f"{key} has {len(succeeded) + len(settled)} outcomes"
            if len({line["work"] for line in done}) > 1:
                yield f"{key} was done with different input"
            for entry in succeeded:
                nonce = check.nonce_of(entry["event"]["more"])
                if nonce and nonce not in {line["nonce"] for line in done}:
                    yield f"the outcome of {key} is of nothing that was done"
            if (run["definition"], step_of(entries)) in UNSAFE:
                allowed = 1 + sum(e["kind"] == "step.failed" or
                                  (e["kind"] == "step.settled" and e["event"]["more"] == "retry")
                                  for e in entries)
                if len(done) > allowed:
                    yield f"{key} is unsafe and was done {len(done)} times, {allowed} allowed"


def i3_intent_first(seen):
    """Nothing was done without an intent, nor before it."""
    runs = seen.any_replica()
    for line in seen.ledger:
        run = runs.get(line["run"])
        begun = [] if run is None else [
            e for e in effects_of(run).get(line["key"], [])
            if e["kind"] == "step.begun" and e["event"]["attempt"] == line["attempt"]]
        if not begun:
            yield f"attempt {line['attempt']} of {line['key']} was done without an intent"
        elif line["at"] < milliseconds(begun[0]["at"]):
            yield f"attempt {line['attempt']} of {line['key']} was done before its intent"


def i4_single_writer(seen):
    """Epochs rise; in each of them one node writes; what counts is one chain; every node has it."""
    yield from fold(seen.stream)[1]


def i5_chain_and_replicas(seen):
    """Every node has the same rows, ends where the stream ends, and its chain adds up."""
    counted, _ = fold(seen.stream)
    first_name, first = next(iter(seen.replicas.items()))
    for name, replica in seen.replicas.items():
        yield from (f"{name}: {finding}" for finding in replica["doctor"]["findings"])
        tails = {t["partition"]: t for t in replica["log"]["tails"]}
        for partition, (epoch, last, hash_, _) in counted.items():
            tail = tails.get(partition, {"epoch": 0, "last": 0, "hash": ZERO})
            if (tail["last"], tail["hash"]) != (last, hash_):
                yield (f"{name} has partition {partition} up to {tail['last']} {tail['hash'][7:15]}, "
                       f"the stream says {last} {hash_[7:15]} (epoch {epoch})")
        for run in first["runs"].keys() ^ replica["runs"].keys():
            yield f"run {run} is on one of {first_name} and {name} only"
        for run in first["runs"].keys() & replica["runs"].keys():
            yield from different(run, first_name, first["runs"][run], name, replica["runs"][run])
    for name, replica in seen.replicas.items():
        for run in replica["runs"].values():
            yield from (f"{what} ({run['run']} on {name})" for what in check.check_journal(run))


def i6_replay(seen):
    """A replay gives what is recorded, and does nothing."""
    for name, replica in seen.replicas.items():
        for run in replica["runs"].values():
            yield from (f"{what} ({run['run']} on {name})" for what in check.check_replay(run))
    for replay in seen.replays:
        if replay["code"] != 0:
            yield f"the replay of {replay['run']} ends with {replay['code']}: {replay['said']}"
    if seen.replayed_lines:
        yield f"replays did {seen.replayed_lines} things"


def i7_triggers(seen):
    """One run for each event that was acknowledged, and at most one for any other."""
    started = collections.Counter(
        run["entries"][0]["event"]["input"].get("id") for run in seen.any_replica().values()
        if run["definition"] == "caught" and run.get("entries"))
    for event in seen.of("event"):
        if started[event["id"]] == 0:
            yield f"event {event['id']} started nothing"
    for event, count in started.items():
        if count > 1:
            yield f"event {event} started {count} runs"


def i8_order(seen):
    """Signals of one sender are taken in the order in which they were sent."""
    for run in seen.any_replica().values():
        if run["definition"] != "heed":
            continue
        received = [e["event"]["id"] for e in run["entries"] if e["kind"] == "signal.received"]
        if len(set(received)) != len(received):
            yield f"{run['run']} has a signal twice: {received}"
        if received != [f"{run['run']}-{n}" for n in range(len(received))]:
            yield f"{run['run']} has its signals in the order {received}"
        if run["state"] == "succeeded" and run["output"] != [0, 1, 2, 3]:
            yield f"{run['run']} took its signals as {run['output']}"


def i9_timers(seen):
    """Timers fire once, never early: in the journal, and as the ledger outside saw it."""
    done = collections.defaultdict(list)
    for line in seen.ledger:
        done[line["run"], line["step"]].append(line["at"])
    for run in seen.any_replica().values():
        fired = collections.Counter(e["event"]["timer"] for e in run["entries"]
                                    if e["kind"] == "timer.expired")
        yield from (f"timer {timer} of {run['run']} fired {count} times"
                    for timer, count in fired.items() if count > 1)
        yield from (f"{what} ({run['run']})" for what in check.check_rows(run))
        if run["definition"] != "nap":
            continue
        if run["state"] == "succeeded" and len(fired) != 1:
            yield f"{run['run']} ended and its timer fired {len(fired)} times"
        ms = run["entries"][0]["event"]["input"]["ms"]
        before = [milliseconds(e["at"]) for e in run["entries"] if e["kind"] == "step.succeeded"
                  and e["event"]["step"] == "before"]
        after = done.get((run["run"], "after"))
        if after and before and min(after) < before[0] + ms:
            yield f"{run['run']} went on {before[0] + ms - min(after)} ms early"


def i10_ballots(seen):
    """Approvals of two: each approver counts once, and what was decided stays."""
    for run in seen.any_replica().values():
        if run["definition"] != "agree":
            continue
        answers = [e for e in run["entries"] if e["kind"] == "approval.answered"]
        yes, outcome = set(), None
        for answer in answers:
            more = answer["event"]["more"]
            if outcome:
                yield f"{run['run']} took an answer of {more['by']} after it was {outcome}"
            elif not more["approved"]:
                outcome = "failed"
            elif more["by"] in yes:
                yield f"{run['run']} counts {more['by']} twice"
            else:
                yes.add(more["by"])
                outcome = "succeeded" if len(yes) == 2 else None
        acted = any(line["run"] == run["run"] for line in seen.ledger)
        if run["state"] == "succeeded" and run["output"] != outcome:
            yield f"{run['run']} says {run['output']}, its answers {outcome}"
        if acted and outcome != "succeeded":
            yield f"{run['run']} acted, and its answers say {outcome}"


def i11_liveness(seen):
    """Once nothing is broken any more, everything ends."""
    yield from seen.unfinished
    for name, replica in seen.replicas.items():
        for run in replica["runs"].values():
            expected = "cancelled" if run["definition"] in CANCELLED else "succeeded"
            if run["state"] not in FINAL:
                yield f"{run['run']} is {run['state']} on {name}: {run['waiting_for']}"
            elif run["state"] != expected:
                yield f"{run['run']} is {run['state']} on {name}: {run['reason']}"


def i12_cancel(seen):
    """Nothing begins for a run after it was cancelled."""
    done = collections.defaultdict(list)
    for line in seen.ledger:
        done[line["run"]].append(line)
    for run in seen.any_replica().values():
        seqs = [e["seq"] for e in run["entries"] if e["kind"] == "run.cancel_asked"]
        if not seqs:
            continue
        entry = run["entries"][seqs[0] - 1]
        for later in run["entries"][seqs[0]:]:
            if later["kind"] == "step.begun":
                yield f"{run['run']} began {later['event']['key']} after it was cancelled"
        for line in done[run["run"]]:
            if line["at"] > milliseconds(entry["at"]) + LONGEST_EFFECT:
                yield f"{line['key']} was done {line['at'] - milliseconds(entry['at'])} ms after " \
                      f"{run['run']} was cancelled"


ALL = {name.split("_")[0].upper(): check_one for name, check_one in list(globals().items())
       if name[0] == "i" and name[1].isdigit()}
ZERO = "sha256:" + "0" * 64


def breaches(seen):
    """All of them, with the number of the invariant in front. Where a run cannot be read, that."""
    broken = [f"I5 {run['run']} cannot be read on {name}: {run['broken']}"
              for name, replica in seen.replicas.items() for run in replica["runs"].values()
              if "broken" in run]
    if broken:
        return broken
    return [f"{number} {what}" for number, of_one in ALL.items() for what in of_one(seen)]


def fold(stream):
    """Which batches count, as the rule of the log says, written down a second time: after an
    announcement of a higher epoch its leader's batches count, each chained to the one before.
    Answers {partition: (epoch, last, hash, leader)} and what is wrong with the stream."""
    at = collections.defaultdict(lambda: (0, 0, ZERO, None))
    writers, wrong = {}, []
    for message in stream:
        partition = message.get("partition")
        if message["kind"] in ("unreadable", "other"):
            wrong.append(f"message {message['seq']} of the stream is {message['kind']}")
        elif message["kind"] == "announced":
            epoch, last, hash_, _ = at[partition]
            if message["epoch"] > epoch:
                at[partition] = (message["epoch"], last, hash_, message["node"])
                if message["last"] > last:
                    wrong.append(f"the announcement {message['seq']} knows of entries of partition "
                                 f"{partition} up to {message['last']}, the stream had {last}")
        elif message["kind"] == "batch":
            epoch, last, hash_, leader = at[partition]
            if (message["epoch"], message["node"]) != (epoch, leader):
                if message["epoch"] > epoch:
                    wrong.append(f"batch {message['seq']} is of epoch {message['epoch']}, which "
                                 "nobody announced")
                elif message["epoch"] == epoch:
                    wrong.append(f"batch {message['seq']} is of {message['node']}, epoch {epoch} "
                                 f"of partition {partition} is led by {leader}")
                continue
            if writers.setdefault((partition, epoch), leader) != leader:
                wrong.append(f"partition {partition} has two writers in epoch {epoch}")
            if message["first"] == last + 1 and message["previous"] == hash_:
                at[partition] = (epoch, last + message["count"], message["hash"], leader)
            elif message["first"] > last:
                wrong.append(f"batch {message['seq']} of partition {partition} begins at "
                             f"{message['first']} {message['previous'][7:15]}, after {last} "
                             f"{hash_[7:15]}")
    return dict(at), wrong


def different(run, one, its, other, others):
    for field in ("entries", "state", "output", "timers", "waits", "steps", "replay"):
        if its.get(field) != others.get(field):
            if field == "entries":
                pairs = zip(its.get(field, []), others.get(field, []))
                where = next((i + 1 for i, (a, b) in enumerate(pairs) if a != b), "the end")
                yield f"{run} differs between {one} and {other} from entry {where} on"
            else:
                yield f"{run} has another {field} on {one} than on {other}"


def by_key(seen):
    lines = collections.defaultdict(list)
    for line in seen.ledger:
        lines[line["key"]].append(line)
    return lines


def effects_of(run):
    events = collections.defaultdict(list)
    for entry in run["entries"]:
        if "key" in (entry["event"] or {}):
            events[entry["event"]["key"]].append(entry)
    return events


def step_of(entries):
    return entries[0]["event"]["step"].split("[")[0]


def milliseconds(text):
    return round(check.datetime.datetime.fromisoformat(text).timestamp() * 1000)


def summary(seen):
    runs = seen.any_replica().values()
    kinds = collections.Counter(run["definition"] for run in runs)
    batches = sum(message["kind"] == "batch" for message in seen.stream)
    took_over = sum(message["kind"] == "announced" for message in seen.stream)
    return (f"{len(seen.promises)} acknowledged, {len(runs)} runs "
            f"({json.dumps(dict(sorted(kinds.items()))).strip('{}')}), {len(seen.ledger)} effects, "
            f"{batches} batches, {took_over} announcements")
