"""Runs that start runs, over three nodes: where children are led, and what a kill does to families.

children_test.py SKEIN
"""

import collections

import nodes_under_test
from nodes_under_test import ClusterTest, until

CHILD = """apiVersion: skein.dev/v1
kind: Flow
metadata: { name: child }
spec:
  steps:
    - { id: ask, wait: { signal: go } }
    - { id: answer, respond: "${ {'n': input.n, 'said': steps.ask.output} }" }
"""

QUICK_CHILD = """apiVersion: skein.dev/v1
kind: Flow
metadata: { name: quick-child }
spec:
  steps:
    - { id: here, tool: shell, effect: idempotent, with: { command: [pwd] } }
    - { id: answer, respond: "${ {'n': input.n, 'where': steps.here.output.stdout.trim()} }" }
"""

PARENT = """apiVersion: skein.dev/v1
kind: Flow
metadata: { name: NAME }
spec:
  steps:
    - id: each
      for_each:
        in: "${ input.items }"
        max_parallel: 500
        steps: [ { id: sub, flow: CHILD, with: { n: "${ item }" }, placement: PLACEMENT } ]
"""


class Children(ClusterTest):
    takeover = "800ms"

    def family(self, labels=None):
        nodes = [self.node(f"n{i + 1}", *(labels or {}).get(i, ())) for i in range(3)]
        for node in nodes:
            node.start()
        for node in nodes:
            node.ready()
        until(lambda: min(n.leads() for n in nodes) >= 10, "a share for each", 60)
        return nodes

    def apply(self, node, child, placement="spread"):
        text = CHILD if child == "child" else QUICK_CHILD
        (node.folder / "child.yaml").write_text(text)
        (node.folder / "parent.yaml").write_text(
            PARENT.replace("NAME", "parent").replace("CHILD", child)
            .replace("PLACEMENT", placement))
        node.command("apply", "-f", "child.yaml")
        node.command("apply", "-f", "parent.yaml")

    def children(self, node, state=None):
        found = []
        runs = node.ask("GET", "/v1/runs?limit=500&flow=child")["items"]
        for run in runs:
            if run["parent"] and (state is None or run["state"] == state):
                found.append(run)
        return found

    def test_children_of_any_node_begin_and_end_once_for_their_parent(self):
        a, b, c = self.family()
        self.apply(a, "quick-child")
        for i, node in enumerate((a, b, c)):
            node.ask("POST", "/v1/runs", {"flow": "parent", "id": f"p-{i}",
                                          "input": {"items": list(range(100))}})
        for i in range(3):
            for node in (a, b, c):
                node.until_state(f"p-{i}", "succeeded", 60)
            said = a.ask("GET", f"/v1/runs/p-{i}")["output"]
            self.assertEqual([one["n"] for one in said], list(range(100)))
            where = collections.Counter(one["where"] for one in said)
            self.assertEqual(len(where), 3)
            self.assertGreater(min(where.values()), 10)

    def test_parents_and_children_outlive_their_nodes(self):
        a, b, c = self.family()
        self.apply(a, "child")
        for i in range(6):
            a.ask("POST", "/v1/runs",
                  {"flow": "parent", "id": f"p-{i}", "input": {"items": [1, 2, 3, 4, 5]}})
        until(lambda: len(self.children(b, "waiting")) == 30, "every child", 60)
        a.kill()
        for run in self.children(b):
            b.ask("POST", f"/v1/runs/{run['id']}/signal",
                  {"name": "go", "payload": run["id"], "id": f"go-{run['id']}"})
        for i in range(6):
            b.until_state(f"p-{i}", "succeeded", 60)
            c.until_state(f"p-{i}", "succeeded", 60)
            told = [o["said"] for o in b.ask("GET", f"/v1/runs/p-{i}")["output"]]
            self.assertEqual(len(set(told)), 5)
        self.assertEqual(len(self.children(c)), 30)
        a.start().ready()
        for i in range(6):
            a.until_state(f"p-{i}", "succeeded", 60)

    def test_a_cancelled_parent_cancels_children_on_other_nodes(self):
        a, b, c = self.family()
        self.apply(a, "child")
        a.ask("POST", "/v1/runs",
              {"flow": "parent", "id": "p-1", "input": {"items": list(range(30))}})
        until(lambda: len(self.children(c, "waiting")) == 30, "every child", 60)
        b.ask("POST", "/v1/runs/p-1/cancel", {"reason": "enough"})
        until(lambda: len(self.children(c, "cancelled")) == 30, "every cancel", 60)
        self.assertIn("run p-1", self.children(c)[0]["reason"])

    def test_children_are_led_where_their_step_asks_for(self):
        a, b, _ = self.family({1: ("--label", "zone=eu"), 2: ("--label", "zone=us")})
        self.apply(a, "quick-child", "{ labels: { zone: eu } }")
        a.ask("POST", "/v1/runs",
              {"flow": "parent", "id": "p-1", "input": {"items": list(range(20))}})
        a.until_state("p-1", "succeeded", 60)
        where = {one["where"] for one in a.ask("GET", "/v1/runs/p-1")["output"]}
        self.assertEqual(where, {str(b.folder)})

    def test_a_local_child_stays_with_its_parent(self):
        nodes = self.family()
        self.apply(nodes[0], "quick-child", "local")
        for i in range(6):
            nodes[0].ask("POST", "/v1/runs",
                         {"flow": "parent", "id": f"p-{i}", "input": {"items": list(range(5))}})
        where = []
        for i in range(6):
            nodes[0].until_state(f"p-{i}", "succeeded", 60)
            said = nodes[0].ask("GET", f"/v1/runs/p-{i}")["output"]
            self.assertEqual(len({one["where"] for one in said}), 1)
            where.append(said[0]["where"])
        self.assertGreater(len(set(where)), 1)

    def test_a_step_fails_where_no_node_has_the_labels(self):
        a, *_ = self.family({1: ("--label", "zone=eu")})
        self.apply(a, "child", "{ labels: { zone: mars } }")
        a.ask("POST", "/v1/runs", {"flow": "parent", "id": "p-1", "input": {"items": [1]}})
        a.until_state("p-1", "failed")
        self.assertEqual(a.ask("GET", "/v1/runs/p-1")["error"]["code"], "SK1314")


if __name__ == "__main__":
    nodes_under_test.main()
