"""The crash test finds what it looks for: a true record is altered in one way after the other.

crash_check_test.py BUILD
"""

import copy
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from crash_test import check, harness, load  # noqa: E402  (the path comes first)


class CheckTest(unittest.TestCase):
    build = ""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        tools = harness.Tools(pathlib.Path(cls.build), None)
        crash = harness.Harness(pathlib.Path(cls.folder.name), tools, 1, 1)
        crash.begin_directory()
        place = crash.place
        for kind in load.KINDS:
            crash.load.begin(kind)
        crash.look()
        cls.waiting = crash.seen
        crash.end_directory()
        assert not crash.wrong, crash.wrong
        cls.true = place.look()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        self.world = copy.deepcopy(self.true)

    def run_of(self, kind):
        return next(run for run in self.world.runs.values() if run["definition"] == kind)

    def event(self, kind, what):
        return next(e for e in self.run_of(kind)["entries"] if e["kind"] == what)

    def begun_once(self, kind):
        """A step that no operator had to settle: starting may leave the first in doubt."""
        begun = [e for e in self.run_of(kind)["entries"] if e["kind"] == "step.begun"]
        keys = [e["event"]["key"] for e in begun]
        return next(e for e in reversed(begun) if keys.count(e["event"]["key"]) == 1)

    def found(self, words, before=None, settled=True):
        wrong = check.check(self.world, before, settled)
        self.assertTrue(any(words in what for what in wrong), (words, wrong))

    def test_the_true_record_has_nothing_wrong(self):
        self.assertEqual(check.check(self.world, self.waiting, True), [])

    def test_an_unsafe_effect_that_was_done_twice_is_found(self):
        begun = self.begun_once("pay")
        line = next(line for line in self.world.ledger if line["key"] == begun["event"]["key"])
        self.world.ledger.append({**line, "pid": 1, "nonce": "other"})
        self.found(f"attempt {line['attempt']} of {line['key']} is unsafe and was done 2 times")
        self.found(f"{line['key']} is unsafe and was done 2 times, ")
        self.world.ledger[-1]["attempt"] = 9
        self.found("was done without an intent")

    def test_an_unsafe_effect_may_be_done_again_only_where_an_operator_said_so(self):
        pay = self.run_of("pay")
        begun = self.begun_once("pay")
        line = next(line for line in self.world.ledger if line["key"] == begun["event"]["key"])
        self.world.ledger.append({**line, "attempt": 9, "nonce": "other"})
        again = copy.deepcopy(begun)
        again["event"]["attempt"] = 9
        pay["entries"].append(again)
        self.found(f"{line['key']} is unsafe and was done 2 times, 1 allowed")
        settled = copy.deepcopy(begun)
        settled.update(kind="step.settled")
        settled["event"]["more"] = "retry"
        pay["entries"].append(settled)
        self.assertFalse([w for w in check.check(self.world) if "unsafe" in w])

    def test_an_effect_without_entry_or_run_is_found(self):
        line = self.world.ledger[0]
        self.world.ledger.append({**line, "key": "fan-1/none/0"})
        self.world.ledger.append({**line, "run": "nobody-1", "key": "nobody-1/act/0"})
        self.found("was done for a run that is not there")
        run = line["run"]
        self.world.ledger = [{**line, "key": f"{run}/none/0"}]
        self.found("was done without an entry")

    def test_other_input_under_the_same_key_is_found(self):
        line = next(line for line in self.world.ledger if line["run"].startswith("fan-"))
        self.world.ledger.append({**line, "work": "other"})
        self.found("was done with different input")

    def test_a_result_of_nothing_is_found(self):
        done = self.event("pay", "step.succeeded")
        done["event"]["more"]["stdout"] = '{"work":"first","nonce":"invented"}'
        self.found("is of nothing that was done")

    def test_a_lost_run_is_found(self):
        name = self.run_of("fan")["run"]
        del self.world.runs[name]
        self.found("was acknowledged and is not there")
        self.found("was there and is gone", before=self.true)

    def test_a_lost_answer_is_found(self):
        for kind, what in (("heed", "signal.received"), ("agree", "approval.answered")):
            self.run_of(kind)["entries"].remove(self.event(kind, what))
        self.found("signal.received")
        self.found("approval.answered")

    def test_a_gap_and_a_changed_entry_are_found(self):
        self.run_of("fan")["entries"].pop(3)
        self.found("the entries have a gap")
        self.found("are other than they were", before=self.true)
        self.found("the replay saw other entries")
        self.found("the log names")

    def test_a_step_that_begins_or_ends_twice_is_found(self):
        entries = self.run_of("fan")["entries"]
        entries.append(copy.deepcopy(self.event("fan", "step.begun")))
        entries.append(copy.deepcopy(self.event("fan", "step.succeeded")))
        self.found("begins 2 times")
        self.found("ends 2 times")
        self.found("succeeds twice")

    def test_a_timer_that_fires_twice_is_found(self):
        entries = self.run_of("nap")["entries"]
        entries.append(copy.deepcopy(self.event("nap", "timer.expired")))
        self.found("fired 2 times")

    def test_a_replay_that_differs_is_found(self):
        self.run_of("fan")["replay"]["difference"] = {"entry": 3, "what": "state"}
        self.run_of("nap")["machine_state"] = "running"
        self.run_of("pay")["machine_output"] = None
        for words in ("the replay differs", "the journal running", "another output"):
            self.found(words)

    def test_rows_that_say_something_else_are_found(self):
        self.run_of("fan")["timers"] = [{"timer": 1, "due": ""}, {"timer": 1, "due": ""}]
        self.found("it has ended and still has")
        self.found("a timer is armed twice")
        self.world = copy.deepcopy(self.waiting)
        heed = self.run_of("heed")
        heed["waits"] = []
        self.found("which would not wake it", settled=False)
        heed["timers"] = []
        self.found("nothing can wake it", settled=False)

    def test_an_end_that_is_not_the_expected_one_is_found(self):
        self.run_of("race")["output"] = None
        self.run_of("fan")["steps"][0]["status"] = "running"
        self.run_of("nap").update(state="failed", reason="x")
        for words in ("the output is None", "is running", "it did not succeed"):
            self.found(words)

    def test_what_the_examination_of_the_directory_finds_is_wrong(self):
        self.world.doctor["findings"].append("SK3006: batch 1 does not follow")
        self.world.outbox += ["e", "e"]
        self.found("batch 1 does not follow")
        self.found("in the outbox twice")


if __name__ == "__main__":
    CheckTest.build = sys.argv[1]
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
