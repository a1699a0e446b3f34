"""Each invariant can fail: a history in which all is well, and one for each lie about it."""

import collections
import copy
import datetime
import unittest

import invariants
from evidence import Evidence

BEGIN = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
HASHES = ["sha256:" + digit * 64 for digit in "0123"]


def at(ms):
    return (BEGIN + datetime.timedelta(milliseconds=ms)).isoformat().replace("+00:00", "Z")


def clock(ms):
    return invariants.milliseconds(at(ms))


def run_of(definition, number, events, state="succeeded", output=None, given=None):
    run = f"{definition}-{number}"
    entries = [{"seq": 1, "kind": "run.created", "at": at(0), "event": {"input": given or {}}}]
    for ms, kind, event in events:
        if "step" in event:
            event = {"key": f"{run}/{event['step']}/0", "attempt": 1, "more": None} | event
        entries.append({"seq": len(entries) + 1, "kind": kind, "at": at(ms), "event": event})
    return {"run": run, "definition": definition, "parent": "", "state": state, "reason": "", "waiting_for": "",
            "output": output, "machine_state": state, "machine_output": output,
            "entries": entries, "steps": [], "outstanding": 0, "at_rest": True, "timers": [],
            "waits": [], "replay": {"entries": len(entries), "state": state, "difference": None}}


def step(ms, name, effect="keyed", work=None):
    """An attempt that succeeds: its entries."""
    output = {"stdout": f'{{"work":"{work or name}","nonce":"{name}-nonce"}}'}
    return [(ms, "step.begun", {"step": name, "more": effect}),
            (ms + 20, "step.succeeded", {"step": name, "more": output})]


def line(run, name, ms):
    return {"key": f"{run}/{name}/0", "run": run, "step": name, "attempt": 1, "at": clock(ms),
            "work": name, "nonce": f"{name}-nonce"}


def answer(ms, by, approved=True):
    return (ms, "approval.answered", {"step": "both", "more": {"by": by, "approved": approved}})


def good():
    runs = [
        run_of("pay", 1, step(10, "pay", "unsafe")),
        run_of("nap", 1, [*step(10, "before"), (340, "timer.expired", {"timer": 1}),
                          *step(350, "after")], given={"ms": 300}),
        run_of("heed", 1, [(10 + n, "signal.received", {"id": f"heed-1-{n}", "name": "say"})
                           for n in range(4)], output=[0, 1, 2, 3]),
        run_of("agree", 1, [answer(10, "ann"), answer(20, "bob"), *step(30, "act")],
               output="succeeded"),
        run_of("long", 1, [*step(10, "work"), (40, "run.cancel_asked", {})], state="cancelled"),
        run_of("caught", 1, step(10, "work"), given={"id": "e1"}),
    ]
    replica = {
        "runs": {run["run"]: run for run in runs}, "outbox": [],
        "doctor": {"findings": [], "entries": 9},
        "log": {"position": 4, "tails": [
            {"partition": 1, "epoch": 2, "last": 3, "hash": HASHES[2]}]}}
    seen = Evidence()
    seen.replicas = {name: copy.deepcopy(replica) for name in ("n1", "n2", "n3")}
    seen.ledger = [line("pay-1", "pay", 20), line("nap-1", "before", 20), line("nap-1", "after", 360),
                   line("agree-1", "act", 40), line("long-1", "work", 20),
                   line("caught-1", "work", 20)]
    seen.promises = [
        {"what": "run", "run": "pay-1", "at": 0}, {"what": "event", "id": "e1", "at": 0},
        {"what": "signal", "run": "heed-1", "id": "heed-1-3", "n": 3, "at": 0},
        {"what": "approval", "run": "agree-1", "by": "ann", "at": 0},
        {"what": "cancel", "run": "long-1", "at": 0}]
    seen.stream = [
        {"seq": 1, "kind": "announced", "partition": 1, "epoch": 1, "node": "7", "last": 0},
        batch(2, 1, "7", 1, 1, HASHES[0], HASHES[1]),
        {"seq": 3, "kind": "announced", "partition": 1, "epoch": 2, "node": "8", "last": 1},
        batch(4, 1, "7", 2, 1, HASHES[1], HASHES[3]),  # of the old leader: everybody ignores it
        batch(5, 2, "8", 2, 2, HASHES[1], HASHES[2])]
    seen.replays = [{"run": "pay-1", "code": 0, "said": ""}]
    return seen


def batch(seq, epoch, node, first, count, previous, its_hash):
    return {"seq": seq, "kind": "batch", "partition": 1, "epoch": epoch, "node": node,
            "first": first, "count": count, "previous": previous, "hash": its_hash}


class Invariants(unittest.TestCase):
    def setUp(self):
        self.seen = good()

    def everywhere(self, run, change):
        """Changes the run on every node in the same way."""
        for replica in self.seen.replicas.values():
            change(replica["runs"][run])

    def add(self, run, *events):
        def change(its):
            made = run_of(its["definition"], 1, events)["entries"][1:]
            for entry in made:
                entry["seq"] = len(its["entries"]) + 1
                its["entries"].append(entry)
            its["replay"]["entries"] = len(its["entries"])
        self.everywhere(run, change)

    def assert_found(self, number, text):
        found = invariants.breaches(self.seen)
        self.assertTrue(any(text in what for what in found), found)
        counted = collections.Counter(what.split()[0] for what in found)
        self.assertEqual(set(counted), {number}, found)

    def test_a_good_history_breaks_nothing(self):
        self.assertEqual(invariants.breaches(self.seen), [])
        self.assertEqual(len(invariants.ALL), 12)

    def test_an_acknowledged_run_that_is_nowhere_is_found(self):
        self.seen.promises.append({"what": "run", "run": "pay-2", "at": 0})
        self.assert_found("I1", "pay-2")

    def test_an_acknowledged_signal_that_is_no_entry_is_found(self):
        self.seen.promises.append({"what": "signal", "run": "agree-1", "id": "s", "at": 0})
        self.assert_found("I1", "is no entry")

    def test_an_acknowledged_settlement_that_is_no_entry_is_found(self):
        self.seen.promises.append({"what": "settled", "run": "pay-1", "how": "retry", "at": 0})
        self.assert_found("I1", "is no entry")

    def test_an_unsafe_effect_that_happened_twice_is_found(self):
        self.seen.ledger.append(line("pay-1", "pay", 25) | {"nonce": "other"})
        self.assert_found("I2", "unsafe and was done 2 times")

    def test_a_keyed_effect_may_happen_twice(self):
        self.seen.ledger.append(line("caught-1", "work", 25) | {"nonce": "other"})
        self.assertEqual(invariants.breaches(self.seen), [])

    def test_two_outcomes_of_one_effect_are_found(self):
        self.add("caught-1", step(60, "work")[1])
        self.assert_found("I2", "has 2 outcomes")

    def test_an_outcome_of_nothing_is_found(self):
        self.seen.ledger[-1]["nonce"] = "other"
        self.assert_found("I2", "of nothing that was done")

    def test_a_child_too_many_is_found(self):
        for replica in self.seen.replicas.values():
            replica["runs"]["parent-1"] = run_of("parent", 1, [])
            for number in range(4):
                child = run_of("chain", number, []) | {"parent": "parent-1"}
                replica["runs"][child["run"]] = child
        self.assert_found("I2", "parent-1 has 4 children")

    def test_an_effect_with_other_input_is_found(self):
        self.seen.ledger.append(line("caught-1", "work", 25) | {"work": "other"})
        self.assert_found("I2", "different input")

    def test_an_effect_without_an_intent_is_found(self):
        self.seen.ledger.append(line("caught-1", "work", 25) | {"attempt": 2})
        self.assert_found("I3", "without an intent")

    def test_an_effect_before_its_intent_is_found(self):
        self.seen.ledger[-1]["at"] = clock(5)
        self.assert_found("I3", "before its intent")

    def test_a_second_writer_in_an_epoch_is_found(self):
        self.seen.stream.append(batch(6, 2, "7", 4, 1, HASHES[2], HASHES[3]))
        self.assert_found("I4", "is led by 8")

    def test_a_batch_of_an_epoch_that_nobody_announced_is_found(self):
        self.seen.stream.append(batch(6, 3, "8", 4, 1, HASHES[2], HASHES[3]))
        self.assert_found("I4", "nobody announced")

    def test_a_hole_in_the_stream_is_found(self):
        self.seen.stream.append(batch(6, 2, "8", 5, 1, HASHES[2], HASHES[3]))
        self.assert_found("I4", "begins at 5")

    def test_a_fork_of_the_chain_is_found(self):
        self.seen.stream.append(batch(6, 2, "8", 4, 1, HASHES[1], HASHES[3]))
        self.assert_found("I4", "begins at 4")

    def test_a_message_that_nobody_can_read_is_found(self):
        self.seen.stream.append({"seq": 6, "kind": "unreadable", "why": "x"})
        self.assert_found("I4", "unreadable")

    def test_a_node_that_has_less_than_the_stream_is_found(self):
        self.seen.replicas["n2"]["log"]["tails"][0] |= {"last": 1, "hash": HASHES[1]}
        self.assert_found("I5", "n2 has partition 1 up to 1")

    def test_a_node_with_another_chain_is_found(self):
        self.seen.replicas["n3"]["log"]["tails"][0]["hash"] = HASHES[3]
        self.assert_found("I5", "n3 has partition 1")

    def test_an_entry_that_differs_on_one_node_is_found(self):
        self.seen.replicas["n2"]["runs"]["pay-1"]["entries"][1]["event"]["attempt"] = 2
        self.assert_found("I5", "differs between n1 and n2 from entry 2")

    def test_a_row_that_differs_on_one_node_is_found(self):
        self.seen.replicas["n2"]["runs"]["heed-1"]["steps"] = [{"step": "one", "status": "failed"}]
        self.assert_found("I5", "another steps")

    def test_a_finding_of_the_doctor_is_found(self):
        self.seen.replicas["n2"]["doctor"]["findings"] = ["SK3002: hash"]
        self.assert_found("I5", "n2: SK3002")

    def test_a_run_that_cannot_be_read_is_found(self):
        self.seen.replicas["n2"]["runs"]["pay-1"] = {"run": "pay-1", "broken": "SK2003"}
        self.assert_found("I5", "pay-1 cannot be read on n2: SK2003")

    def test_a_replay_that_differs_is_found(self):
        self.everywhere("pay-1", lambda run: run["replay"].update(difference={"entry": 2}))
        self.assert_found("I6", "the replay differs")

    def test_a_replay_that_does_something_is_found(self):
        self.seen.replayed_lines = 1
        self.assert_found("I6", "replays did 1 things")

    def test_a_replay_that_the_command_refuses_is_found(self):
        self.seen.replays[0] |= {"code": 1, "said": "SK1311"}
        self.assert_found("I6", "ends with 1")

    def test_an_event_without_a_run_is_found(self):
        self.seen.promises.append({"what": "event", "id": "e2", "at": 0})
        self.assert_found("I7", "event e2 started nothing")

    def test_an_event_with_two_runs_is_found(self):
        for replica in self.seen.replicas.values():
            replica["runs"]["caught-2"] = run_of("caught", 2, [], given={"id": "e1"})
        self.assert_found("I7", "event e1 started 2 runs")

    def test_signals_in_another_order_are_found(self):
        def swap(run):
            first, second = run["entries"][1], run["entries"][2]
            first["event"], second["event"] = second["event"], first["event"]
        self.everywhere("heed-1", swap)
        self.assert_found("I8", "in the order")

    def test_a_signal_that_was_taken_twice_is_found(self):
        self.everywhere("heed-1", lambda run: run.update(output=[0, 0, 1, 2],
                                                         machine_output=[0, 0, 1, 2]))
        self.assert_found("I8", "took its signals as")

    def test_a_timer_that_fires_twice_is_found(self):
        def twice(run):
            run["entries"][-1] |= {"kind": "timer.expired", "event": {"timer": 1}}
        self.everywhere("nap-1", twice)
        found = invariants.breaches(self.seen)
        self.assertIn("I9 timer 1 of nap-1 fired 2 times", found)

    def test_a_timer_that_is_early_is_found(self):
        self.seen.ledger[2]["at"] = clock(300)
        found = invariants.breaches(self.seen)
        self.assertIn("I9 nap-1 went on 30 ms early", found)

    def test_a_run_that_nothing_can_wake_is_found(self):
        def stuck(run):
            run.update(state="waiting", machine_state="waiting", waiting_for="timer 1")
            run["replay"]["state"] = "waiting"
        self.everywhere("caught-1", stuck)
        self.assertTrue(any(what.startswith("I9 ") and "nothing can wake" in what
                            for what in invariants.breaches(self.seen)))

    def test_an_approver_who_counts_twice_is_found(self):
        self.add("agree-1")
        self.everywhere("agree-1", lambda run: run["entries"][2]["event"]["more"].update(by="ann"))
        found = invariants.breaches(self.seen)
        self.assertIn("I10 agree-1 counts ann twice", found)
        self.assertTrue(any("agree-1 acted" in what for what in found))

    def test_an_answer_after_the_decision_is_found(self):
        self.add("agree-1", answer(90, "carol", False))
        self.assert_found("I10", "took an answer of carol after it was succeeded")

    def test_what_has_not_ended_in_time_is_found(self):
        self.seen.unfinished = ["n1 shows pay-1 running: "]
        self.assert_found("I11", "pay-1 running")

    def test_a_run_that_failed_is_found(self):
        def fail(run):
            run.update(state="failed", machine_state="failed", reason="SK1")
            run["replay"]["state"] = "failed"
        self.everywhere("caught-1", fail)
        self.assert_found("I11", "caught-1 is failed")

    def test_a_step_that_begins_after_the_cancel_is_found(self):
        self.add("long-1", (50, "step.begun", {"step": "more", "more": "keyed"}))
        self.assert_found("I12", "began long-1/more/0 after it was cancelled")

    def test_an_effect_long_after_the_cancel_is_found(self):
        self.seen.ledger[4]["at"] = clock(40_000)
        self.assert_found("I12", "after long-1 was cancelled")


if __name__ == "__main__":
    unittest.main()
