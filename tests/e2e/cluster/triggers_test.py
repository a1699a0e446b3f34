"""Triggers of three served nodes: one of them fires."""

import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from nodes_under_test import ClusterTest, main, until  # noqa: E402

TICKS = """
apiVersion: skein.dev/v1
kind: Flow
metadata: { name: ticks }
spec:
  on: [ { name: s, schedule: { cron: "* * * * * *", input: "${ event.time }" } } ]
  steps: [ { id: a, tool: transform, with: "${ input }" } ]
  output: ${ steps.a.output }
"""

QUIET = """
apiVersion: skein.dev/v1
kind: Flow
metadata: { name: quiet }
spec:
  on: [ { event: { type: door.opened }, debounce: { quiet: 1s } } ]
  steps: [ { id: a, tool: transform, with: "${ input.n }" } ]
  output: ${ steps.a.output }
"""

HEARS = """
apiVersion: skein.dev/v1
kind: Flow
metadata: { name: hears }
spec:
  on: [ { event: { type: skein.run.succeeded, when: event.data.definition == 'quiet' } } ]
  steps: [ { id: a, tool: transform, with: "${ input.run }" } ]
  output: ${ steps.a.output }
"""


class TriggersOfACluster(ClusterTest):
    def apply(self, node, name, text):
        (node.folder / f"{name}.yaml").write_text(text)
        node.command("apply", "-f", f"{name}.yaml")

    def runs(self, node, flow):
        return [r for r in node.ask("GET", "/v1/runs?limit=1000")["items"]
                if r["definition"] == flow]

    def started(self, nodes):
        """Runs that each node began for a trigger, as it counts."""
        return [n.ask("GET", "/v1/events/status")["started"] for n in nodes]

    def who_fires(self, nodes):
        """The one node that does, once partitions do not move any more."""
        for _ in range(5):
            before = self.started(nodes)
            until(lambda: sum(self.started(nodes)) >= sum(before) + 3, "three firings")
            firing = [n for n, now, then in zip(nodes, self.started(nodes), before) if now > then]
            if len(firing) == 1:
                return firing[0]
        self.fail(f"more than one fires: {self.started(nodes)}")

    def test_a_schedule_fires_on_one_node_and_on_the_next_after_a_takeover(self):
        nodes = self.cluster()
        self.apply(nodes[0], "ticks", TICKS)
        gone = self.who_fires(nodes)
        others = [n for n in nodes if n is not gone]
        gone.kill()
        before = len(self.runs(others[0], "ticks"))
        until(lambda: len(self.runs(others[0], "ticks")) >= before + 3, "firings elsewhere", 30)
        self.who_fires(others)
        times = [r["output"] for r in self.runs(others[0], "ticks") if r["output"]]
        self.assertEqual(len(times), len(set(times)), "a time twice")

    def test_events_go_on_once_the_broker_has_lost_its_disk(self):
        nodes = self.cluster(2)
        self.apply(nodes[0], "quiet", QUIET.replace("quiet: 1s", "quiet: 100ms"))
        self.tell(nodes[0], 1)
        until(lambda: len(self.runs(nodes[1], "quiet")) == 1, "a run", 30)
        self.broker.kill()
        shutil.rmtree(self.broker.folder / "nats")
        self.broker.start()

        def told():
            try:
                self.tell(nodes[1], 2)
            except AssertionError:
                return False  # it is on its way to the broker
            return True
        until(told, "a publication", 60)
        until(lambda: len(self.runs(nodes[0], "quiet")) == 2, "a run of the new stream", 60)
        for node in nodes:
            self.assertIn("they begin anew", node.log())

    def tell(self, node, n):
        node.ask("POST", "/v1/events", {"specversion": "1.0", "id": f"e-{n}", "source": "/door",
                                        "type": "door.opened", "data": {"n": n}})

    def test_a_debounce_survives_the_node_that_held_it_and_its_end_is_told_once(self):
        nodes = self.cluster()
        self.apply(nodes[0], "quiet", QUIET.replace("quiet: 1s", "quiet: 4s"))
        self.apply(nodes[0], "hears", HEARS)
        for n in range(3):
            nodes[n].ask("POST", f"/v1/events?type=door.opened&source=/e2e&id={n}", {"n": n})
        nodes[1].kill()
        left = [nodes[0], nodes[2]]
        until(lambda: [r["output"] for r in self.runs(left[0], "hears")
                       if r["state"] == "succeeded"], "the last run", 40)
        quiet = self.runs(left[0], "quiet")
        self.assertEqual([r["output"] for r in quiet], [2], json.dumps(quiet))
        told = self.runs(left[0], "hears")
        self.assertEqual([r["output"] for r in told], [quiet[0]["id"]])
        listed = left[1].ask("GET", "/v1/events?limit=1000")["items"]
        ends = [e["event"]["id"] for e in listed if e["event"]["type"] == "skein.run.succeeded"]
        self.assertEqual(len(ends), len(set(ends)), "an end told twice")
        self.assertEqual(len(ends), 2)


if __name__ == "__main__":
    main()
