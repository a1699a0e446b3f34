"""Attempts that run on other nodes than the one that leads their run, over three nodes.

work_test.py SKEIN
"""

import nodes_under_test
from nodes_under_test import ClusterTest, until

# Each line of the ledger is an effect that happened; doing it twice would be two lines.
PAY = """apiVersion: skein.dev/v1
kind: Flow
metadata: { name: pay }
spec:
  steps:
    - id: pay
      tool: shell
      effect: unsafe
      with:
        command: [sh, -c, "echo RUN >> LEDGER; until test -e GO; do sleep 0.1; done; pwd"]
    - { id: answer, respond: "${ steps.pay.output.stdout.trim() }" }
"""

WIDE = """apiVersion: skein.dev/v1
kind: Flow
metadata: { name: wide }
spec:
  steps:
    - id: each
      for_each:
        in: "${ input.items }"
        max_parallel: 100
        steps:
          - { id: here, tool: shell, effect: idempotent, with: { command: [sh, -c, "sleep 0.3; pwd"] } }
"""


class Work(ClusterTest):
    takeover = "800ms"

    def three(self, *slots):
        nodes = [self.node(f"n{i + 1}", "--slots", str(count)) for i, count in enumerate(slots)]
        for node in nodes:
            node.start()
        for node in nodes:
            node.ready()
        until(lambda: min(n.leads() for n in nodes) >= 10, "a share for each", 60)
        return nodes

    def pay(self, node, count):
        self.ledger = self.folder / "ledger"
        self.go = self.folder / "go"
        text = PAY.replace("LEDGER", str(self.ledger)).replace("GO", str(self.go))
        (node.folder / "pay.yaml").write_text(text.replace("RUN", "paid"))
        node.command("apply", "-f", "pay.yaml")
        for i in range(count):
            node.ask("POST", "/v1/runs", {"flow": "pay", "id": f"pay-{i}"})

    def paid(self):
        return len(self.ledger.read_text().splitlines()) if self.ledger.exists() else 0

    def test_nodes_without_slots_lead_and_another_works_for_them(self):
        a, b, c = self.three(0, 0, 64)
        self.pay(a, 12)
        until(lambda: self.paid() == 12, "every payment", 60)
        self.go.touch()
        for i in range(12):
            b.until_state(f"pay-{i}", "succeeded", 60)
            self.assertEqual(b.ask("GET", f"/v1/runs/pay-{i}")["output"], str(c.folder))
        self.assertEqual(self.paid(), 12)

    def test_what_runs_elsewhere_outlives_the_node_that_led_it(self):
        a, b, c = self.three(0, 0, 64)
        self.pay(a, 12)
        until(lambda: self.paid() == 12, "every payment", 60)
        a.kill()
        until(lambda: b.leads() + c.leads() == 64, "others to take over", 60)
        self.go.touch()
        for i in range(12):
            b.until_state(f"pay-{i}", "succeeded", 60)
        self.assertEqual(self.paid(), 12, "an unsafe effect happened once, and none is in doubt")

    def test_a_node_that_is_asked_to_end_does_not_wait_for_what_runs_elsewhere(self):
        a, b, _ = self.three(0, 0, 64)
        a.stop()
        a.words += ["--drain-timeout", "1s"]
        a.start().ready()
        until(lambda: a.leads() >= 10, "its share", 60)
        self.pay(a, 12)
        until(lambda: self.paid() == 12, "every payment", 60)
        self.assertEqual(a.stop(), 0)
        self.go.touch()
        for i in range(12):
            b.until_state(f"pay-{i}", "succeeded", 60)
        self.assertEqual(self.paid(), 12)

    def test_what_a_worker_takes_with_it_is_in_doubt_where_it_may_not_happen_twice(self):
        a, b, c = self.three(0, 0, 64)
        self.pay(a, 6)
        until(lambda: self.paid() == 6, "every payment", 60)
        c.kill()
        for i in range(6):
            b.until_state(f"pay-{i}", "paused", 60)
            self.assertIn("doubt", b.command("run", "status", f"pay-{i}"))
        self.assertEqual(self.paid(), 6)

    def test_the_attempts_of_one_run_spread_over_the_nodes_by_room(self):
        a, b, c = self.three(2, 2, 2)
        (a.folder / "wide.yaml").write_text(WIDE)
        a.command("apply", "-f", "wide.yaml")
        a.ask("POST", "/v1/runs", {"flow": "wide", "id": "wide-1", "input": {"items": list(range(36))}})
        a.until_state("wide-1", "succeeded", 60)
        where = [one["stdout"].strip() for one in a.ask("GET", "/v1/runs/wide-1")["output"]]
        self.assertEqual(len(where), 36)
        for node in (a, b, c):
            self.assertGreater(where.count(str(node.folder)), 3, where)


if __name__ == "__main__":
    nodes_under_test.main()
