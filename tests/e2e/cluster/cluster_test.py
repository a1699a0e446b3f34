"""Three nodes and a broker as processes: runs move, and nothing is lost.

cluster_test.py SKEIN
"""

import signal
import subprocess

import nodes_under_test
from nodes_under_test import ClusterTest, until


class Cluster(ClusterTest):
    def test_any_node_starts_and_shows_any_run(self):
        a, b, c = self.cluster()
        a.command("apply", "-f", "quick.yaml")
        for i in range(12):
            node = (a, b, c)[i % 3]
            node.ask("POST", "/v1/runs", {"flow": "quick", "id": f"q-{i}", "input": {"n": i}})
        for i in range(12):
            for node in (a, b, c):
                node.until_state(f"q-{i}", "succeeded")
                self.assertEqual(node.ask("GET", f"/v1/runs/q-{i}")["output"], 2 * i)

    def test_partitions_spread_over_the_nodes_and_come_back_from_one_that_drains(self):
        a, b, c = self.cluster()

        def spread(*nodes):
            shares = [n.leads() for n in nodes]
            return sum(shares) == 64 and min(shares) >= 64 // len(nodes) // 2
        until(lambda: spread(a, b, c), "a share for each", 60)
        self.assertEqual(c.stop(), 0, c.log())
        until(lambda: a.leads() + b.leads() == 64, "everything led by those who stay")

    def test_runs_of_a_killed_node_go_on_elsewhere(self):
        a, b, c = self.cluster()
        a.command("apply", "-f", "waiting.yaml")
        for i in range(30):
            a.ask("POST", "/v1/runs", {"flow": "waiting", "id": f"w-{i}"})
        for i in range(30):
            a.until_state(f"w-{i}", "waiting")
            b.until_state(f"w-{i}", "waiting")
        a.kill()
        for i in range(30):
            b.ask("POST", f"/v1/runs/w-{i}/signal",
                  {"name": "go", "payload": i, "id": f"go-{i}"})
        for i in range(30):
            c.until_state(f"w-{i}", "succeeded")
            self.assertEqual(c.ask("GET", f"/v1/runs/w-{i}")["output"], i)
        a.start().ready()
        for i in range(30):
            a.until_state(f"w-{i}", "succeeded")

    def test_a_frozen_leader_finds_out_that_it_is_none_any_more(self):
        a, b, _ = self.cluster()
        a.command("apply", "-f", "waiting.yaml")
        a.process.send_signal(signal.SIGSTOP)
        for i in range(20):
            b.ask("POST", "/v1/runs", {"flow": "waiting", "id": f"f-{i}"})
        for i in range(20):
            b.until_state(f"f-{i}", "waiting")
        a.process.send_signal(signal.SIGCONT)
        for i in range(20):
            a.until_state(f"f-{i}", "waiting")  # it reads what it has missed
            a.ask("POST", f"/v1/runs/f-{i}/signal", {"name": "go", "payload": i, "id": f"go-{i}"})
        for i in range(20):
            for node in self.nodes:
                node.until_state(f"f-{i}", "succeeded")

    def test_a_directory_of_the_cluster_is_not_opened_by_itself(self):
        a = self.cluster(1)[0]
        a.command("apply", "-f", "quick.yaml")
        a.stop()
        self.assertIn("SK4104", a.command("runs", "list", code=1))  # cluster_data
        a.start().ready()
        a.command("runs", "list")

    def test_a_copy_of_a_node_is_refused(self):
        a = self.cluster(1)[0]
        a.stop()
        copy = self.node("copy")
        subprocess.run(["cp", "-r", str(a.data), str(copy.data)], check=True)
        a.start().ready()
        copy.start()
        self.assertEqual(copy.process.wait(timeout=30), 1)
        self.assertIn("SK4103", copy.log())  # node_duplicate
        until(a.is_ready, "the older goes on")

    def test_a_killed_broker_delays_and_loses_nothing(self):
        a, b, c = self.cluster()
        a.command("apply", "-f", "waiting.yaml")
        for i in range(10):
            a.ask("POST", "/v1/runs", {"flow": "waiting", "id": f"k-{i}"})
        self.broker.kill()
        self.broker.start()
        for i in range(10):
            until(lambda i=i: b.request("POST", f"/v1/runs/k-{i}/signal",
                                        {"name": "go", "payload": i, "id": f"go-{i}"})[0] < 400,
                  "the signal")
        for i in range(10):
            for node in (a, b, c):
                node.until_state(f"k-{i}", "succeeded")


if __name__ == "__main__":
    nodes_under_test.main()
