"""Nodes on the nats-server configurations that are shipped: with TLS, accounts and the deny list.

shipped_test.py SKEIN
"""

import os
import pathlib
import socket
import ssl
import subprocess
import sys

import nodes_under_test
from nodes_under_test import ClusterTest, Node, free_port, until
from node_under_test import QUICK

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "faults"))
from nats_wire import Wire  # noqa: E402

DEPLOY = ROOT / "deploy"
DENIED = ["$JS.API.ACCOUNT.PURGE.ACME", "$JS.API.SERVER.REMOVE",
          "$JS.API.ACCOUNT.STREAM.MOVE.ACME.X", "$JS.API.ACCOUNT.STREAM.CANCEL_MOVE.ACME.X",
          "$JS.API.STREAM.RESTORE.X"]


class ShippedBroker:
    """A nats-server with a file of deploy/nats, in which only places are changed."""

    def __init__(self, folder, name, file, routes=()):
        self.name, self.port = name, free_port()
        self.place = folder / name
        self.place.mkdir()
        self.environment = {**os.environ, "SYS_PASSWORD": "of-sys", "SKEIN_PASSWORD": "of-skein",
                            "ACME_PASSWORD": "of-acme", "NATS_NAME": name}
        changes = {"0.0.0.0:4222": f"127.0.0.1:{self.port}",
                   "127.0.0.1:8222": f"127.0.0.1:{free_port()}",
                   "/etc/nats/tls": str(folder / "tls"),
                   "/var/lib/nats/jetstream": str(self.place / "store")}
        if routes:
            changes["0.0.0.0:6222"] = f"127.0.0.1:{routes[int(name[-1]) - 1]}"
            for i, port in enumerate(routes):
                self.environment[f"NATS_ROUTE_{i + 1}"] = f"nats-route://localhost:{port}"
        text = (DEPLOY / "nats" / file).read_text()
        for old, new in changes.items():
            if old not in text:
                raise AssertionError(f"{file} does not say {old}")
            text = text.replace(old, new)
        (self.place / file).write_text(text)
        (self.place / "accounts.conf").write_text((DEPLOY / "nats/accounts.conf").read_text())
        self.command = ["nats-server", "-c", str(self.place / file)]
        self.process = None

    def test(self):
        return subprocess.run([*self.command, "-t"], env=self.environment, capture_output=True,
                              text=True, check=False)

    def start(self):
        with open(self.place / "log", "wb") as log:
            self.process = subprocess.Popen(self.command, env=self.environment, stderr=log)

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def log(self):
        return (self.place / "log").read_text()


class Shipped(ClusterTest):
    def setUp(self):
        super().setUp()
        subprocess.run([DEPLOY / "nats/certificates", self.folder / "tls", "localhost", "127.0.0.1"],
                       check=True, stdout=subprocess.DEVNULL)

    def brokers(self, file, count=1):
        routes = [free_port() for _ in range(count)] if count > 1 else ()
        brokers = [ShippedBroker(self.folder, f"nats-{i + 1}", file, routes) for i in range(count)]
        for broker in brokers:
            self.addCleanup(broker.end)
            told = broker.test()
            self.assertEqual(told.returncode, 0, told.stdout + told.stderr)
            broker.start()
        for broker in brokers:
            until(lambda broker=broker: self.is_up(broker), f"{broker.name}")
        return brokers

    @staticmethod
    def is_up(broker):
        try:
            socket.create_connection(("localhost", broker.port), timeout=1).close()
            return True
        except OSError:
            return False

    def secured(self, name, brokers, *words):
        tls = self.folder / "tls"
        urls = ",".join(f"tls://skein:of-skein@localhost:{broker.port}" for broker in brokers)
        node = Node(self.skein, self.folder, name,
                    ["--nats-ca", str(tls / "ca.crt"), "--nats-cert", str(tls / "node.crt"),
                     "--nats-key", str(tls / "node.key"), "--takeover-after", "2s", *words])
        node.environment["SKEIN_NATS"] = urls
        (node.folder / "quick.yaml").write_text(QUICK)
        self.addCleanup(node.end)
        return node

    def context(self, certificate=True):
        tls = self.folder / "tls"
        made = ssl.create_default_context(cafile=tls / "ca.crt")
        if certificate:
            made.load_cert_chain(tls / "node.crt", tls / "node.key")
        return made

    def wire(self, broker, **more):
        return Wire.to("localhost", broker.port, tls=self.context(), **more)

    def works(self, node, run):
        node.command("apply", "-f", "quick.yaml")
        node.ask("POST", "/v1/runs", {"flow": "quick", "id": run, "input": {"n": 4}})
        node.until_state(run, "succeeded")

    def test_a_node_works_on_the_single_broker_and_shows_no_password(self):
        broker, = self.brokers("single.conf")
        node = self.secured("n1", [broker]).start().ready()
        self.works(node, "q-1")
        words = pathlib.Path(f"/proc/{node.process.pid}/cmdline").read_bytes()
        self.assertNotIn(b"of-skein", words)
        self.assertNotIn("of-skein", node.log())

    def test_whoever_shows_no_certificate_or_no_password_is_refused(self):
        broker, = self.brokers("single.conf")
        self.assertRaises(PermissionError, self.wire, broker)
        self.assertRaises(PermissionError, self.wire, broker, user="skein", password="of-acme")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            Wire.to("localhost", broker.port, tls=self.context(False), user="skein",
                    password="of-skein")
        node = self.secured("n1", [broker])
        node.environment["SKEIN_NATS"] = f"tls://skein:wrong@localhost:{broker.port}"
        self.assertRaises(AssertionError, node.start)
        self.assertRegex(node.log(), r"SK40\d\d")

    def test_calls_that_reach_beyond_the_account_are_denied(self):
        broker, = self.brokers("single.conf")
        wire = self.wire(broker, user="skein", password="of-skein")
        self.assertNotIn("error", wire.api("INFO"))
        for subject in DENIED:
            wire.errors.clear()
            wire.publish(subject, b"", "_INBOX.x")
            wire.flush()
            self.assertTrue(any("Permissions Violation" in e for e in wire.errors), subject)
        wire.close()

    def test_a_tenant_publishes_its_events_and_reaches_nothing_else(self):
        broker, = self.brokers("single.conf")
        node = self.secured("n1", [broker]).start().ready()
        wire = self.wire(broker, user="acme", password="of-acme")
        wire.publish("skein.acme.event.paid", b"{}")
        wire.flush()
        self.assertEqual(wire.errors, [])
        for subject in ("skein.default.event.paid", "skein.skein.alive.1", "$JS.API.INFO", ">"):
            wire.errors.clear()
            wire.publish(subject, b"{}")
            wire.subscribe(subject)
            wire.flush()
            self.assertEqual(len(wire.errors), 2, f"{subject}: {wire.errors}")
        wire.close()
        self.assertTrue(node.is_ready())

    def test_nodes_work_on_three_brokers_and_one_of_these_may_die(self):
        brokers = self.brokers("cluster.conf", 3)
        until(lambda: any("JetStream cluster new metadata leader" in b.log() for b in brokers),
              "a leader of the brokers", 60)
        one = self.secured("n1", brokers, "--replicas", "3").start().ready()
        two = self.secured("n2", brokers, "--replicas", "3").start().ready()
        self.works(one, "q-1")
        two.until_state("q-1", "succeeded")
        wire = self.wire(brokers[1], user="skein", password="of-skein")
        for stream in wire.stream_names():
            if stream.startswith("SKEIN_LOG"):
                self.assertEqual(wire.api(f"STREAM.INFO.{stream}")["config"]["num_replicas"], 3)
        wire.close()
        brokers[0].end()

        def again():
            return two.request("POST", "/v1/runs", {"flow": "quick", "id": "q-2",
                                                    "input": {"n": 5}})[0] == 201
        until(again, "a run without one of the brokers", 60)
        two.until_state("q-2", "succeeded", 60)


if __name__ == "__main__":
    nodes_under_test.main()
