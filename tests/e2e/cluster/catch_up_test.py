"""Nodes get what they lack: from another node, or from what is left of the broker.

catch_up_test.py SKEIN
"""

import json
import shutil

import nodes_under_test
from nodes_under_test import ClusterTest, until


class CatchUp(ClusterTest):
    def runs(self, node, names, **more):
        node.command("apply", "-f", "waiting.yaml")
        for name in names:
            node.ask("POST", "/v1/runs", {"flow": "waiting", "id": name, **more})
        for name in names:
            node.until_state(name, "waiting")

    def finish(self, node, names):
        for i, name in enumerate(names):
            until(lambda i=i, name=name: node.request(
                "POST", f"/v1/runs/{name}/signal",
                {"name": "go", "payload": i, "id": f"go-{name}"})[0] < 400, f"signal to {name}")

    def ended(self, nodes, names):
        for i, name in enumerate(names):
            for node in nodes:
                node.until_state(name, "succeeded")
                self.assertEqual(node.ask("GET", f"/v1/runs/{name}")["output"], i)

    def test_a_data_directory_becomes_a_cluster_with_its_runs(self):
        names = [f"e-{i}" for i in range(20)]
        a = self.node("n1")
        a.command("apply", "-f", "waiting.yaml")
        for name in names:
            a.command("run", "flow", "waiting", "--id", name, "--detach")
        said = a.command("cluster", "init", "--nats", self.broker.url, "--name", "n1")
        self.assertIn("20 run(s)", said)
        self.assertIn("SK4104", a.command("runs", "list", code=1))  # cluster_data
        b, c = self.node("n2"), self.node("n3")
        for node in (a, b, c):
            node.start()
        for node in (a, b, c):
            node.ready()
        for name in names:
            for node in (b, c):
                until(lambda n=node, r=name: n.state(r) is not None, f"{name} on {node.name}")
        a.kill()
        self.finish(b, names)
        self.ended((b, c), names)
        a.start().ready()
        self.ended((a,), names)

    def test_a_node_that_lost_its_disk_gets_everything_again(self):
        a, b, c = self.cluster()
        names = [f"d-{i}" for i in range(12)]
        self.runs(a, names)
        b.kill()
        shutil.rmtree(b.data)
        self.finish(a, names[:6])
        b.start().ready()
        self.finish(b, names)
        self.ended((a, b, c), names)
        nodes = json.loads(b.command("cluster", "status", "-o", "json"))["nodes"]
        self.assertEqual(sorted(nodes), ["n1", "n2", "n3"], "the one before is forgotten")

    def test_a_broker_that_lost_everything_is_filled_again(self):
        a, b, c = self.cluster()
        names = [f"l-{i}" for i in range(12)]
        self.runs(a, names)
        self.broker.kill()
        shutil.rmtree(self.folder / "nats")
        self.broker.start()
        until(lambda: all(n.ask("GET", "/v1/cluster")["log"]["generation"] == 1
                          for n in (a, b, c)), "the next stream", 60)
        until(lambda: a.ask("GET", "/v1/cluster")["state"] == "ready", "leaders", 60)
        self.finish(b, names)
        self.ended((a, b, c), names)
        b.command("apply", "-f", "quick.yaml")  # the charter is there again, with its resources
        until(lambda: c.request("GET", "/v1/resources/Flow/quick")[0] == 200, "quick on n3")
        d = self.node("n4").start()
        d.ready()
        self.ended((d,), names)

    def test_nobody_leads_in_a_new_stream_without_a_node_that_may_know_more(self):
        a, b, c = self.cluster()
        names = [f"m-{i}" for i in range(6)]
        self.runs(a, names)
        c.kill()
        self.broker.kill()
        shutil.rmtree(self.folder / "nats")
        self.broker.start()
        until(lambda: a.ask("GET", "/v1/cluster")["awaited"] == ["n3"], "who is awaited", 60)
        self.assertEqual(a.ask("GET", "/v1/cluster")["state"], "waiting")
        self.assertIn("running", a.command("node", "forget", "n1", code=1))
        until(lambda: a.request("DELETE", "/v1/nodes/n3")[0] == 200, "n3 is forgotten")
        until(lambda: b.ask("GET", "/v1/cluster")["state"] == "ready", "leaders", 60)
        self.finish(b, names)
        self.ended((a, b), names)

    def test_a_drained_node_leads_nothing_until_it_is_resumed(self):
        a, b, c = self.cluster()
        until(lambda: min(a.leads(), b.leads(), c.leads()) > 10, "a share for each", 60)
        a.command("node", "drain", "n2")
        until(lambda: b.leads() == 0, "n2 leads nothing", 60)
        self.assertTrue(b.is_ready(), "it goes on answering")
        until(lambda: "draining" in a.command("node", "list"), "what the others hear")
        b.command("node", "resume", "n2")
        until(lambda: b.leads() > 10, "its share", 60)
        self.assertIn("SK", a.command("node", "drain", "n9", code=1))
        c.kill()
        until(lambda: "gone" in a.command("node", "list"), "that it is gone")
        self.assertIn("n3", a.command("node", "forget", "n3"))
        self.assertEqual(json.loads(a.command("cluster", "status", "-o", "json"))["nodes"],
                         ["n1", "n2"])


if __name__ == "__main__":
    nodes_under_test.main()
