"""What nodes and outsiders should not say on the cluster's subjects: refused, logged once, and the
nodes go on.

bad_input_test.py SKEIN FORGE
"""

import hashlib
import hmac
import http.client
import json
import pathlib
import random
import socket
import subprocess
import sys

import nodes_under_test
from nodes_under_test import ClusterTest, until

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "faults"))
from nats_wire import Wire  # noqa: E402

TIMES = 5       # that each lie is told
SIGNATURE = 16  # bytes behind what nodes say to each other
OUTSIDER = "is not signed by a node"


def mac(subject, payload):
    """As nodes sign that were given no secret: it finds damage, and who knows it is one of them."""
    key = hmac.digest(b"", b"skein cluster skein", hashlib.sha256)
    return hmac.digest(key, subject.encode() + b"\0" + payload, hashlib.sha256)[:SIGNATURE]


class BadInput(ClusterTest):
    forge_program = ""

    def setUp(self):
        super().setUp()
        self.signed = False
        self.keyed = False
        self.rng = random.Random(1)
        self.runs = 0

    def begin(self, count=2, *words):
        """A cluster with some runs behind it, and somebody else on its broker."""
        for i in range(count):
            self.node(f"n{i + 1}", *words).start()
        for node in self.nodes:
            node.ready()
        self.nodes[0].command("apply", "-f", "quick.yaml")
        for _ in range(4):
            self.work()
        self.wire = Wire.to("127.0.0.1", self.broker.port)
        self.addCleanup(self.wire.close)
        self.log = next(name for name in self.wire.stream_names() if name.startswith("SKEIN_LOG_"))

    def work(self):
        """A run from one node, seen by every node."""
        self.runs += 1
        asked = self.nodes[self.runs % len(self.nodes)]
        run = {"flow": "quick", "id": f"q-{self.runs}", "input": {"n": self.runs}}

        def started():
            self.assertIsNone(asked.process.poll(), asked.log())
            status, text = asked.request("POST", "/v1/runs", run)
            return status == 201 or self.fail_if_refused(status, text)
        until(started, "a start")
        for node in self.nodes:
            node.until_state(f"q-{self.runs}", "succeeded")

    def fail_if_refused(self, status, text):
        """A node that has not read of the flow yet says 404."""
        if status < 500 and status != 404:
            self.fail(f"{status} {text}")
        return False

    def messages(self):
        """(sequence, subject, payload) of the log, without signatures."""
        stored = list(self.wire.everything(self.log))
        self.signed = stored[0][2][-SIGNATURE:] == mac(stored[0][1], stored[0][2][:-SIGNATURE])
        strip = self.signed or self.keyed
        return [(seq, subject, data[:-SIGNATURE] if strip else data)
                for seq, subject, data in stored]

    def forge(self, what, number):
        given = "".join(f"{seq} {data.hex()}\n" for seq, _, data in self.messages())
        made = subprocess.run([self.forge_program, what, str(number)], input=given, text=True,
                              capture_output=True, check=True)
        return bytes.fromhex(made.stdout)

    def newest(self, announced=False):
        """(subject, payload) of the newest batch, or of the newest announcement."""
        found = [(subject, data) for _, subject, data in self.messages()
                 if (len(data) < 200) == announced]
        return found[-1]

    def say(self, subject, *payloads):
        """As one of the nodes."""
        for payload in payloads:
            self.wire.publish(subject, payload + mac(subject, payload) if self.signed else payload)
        self.wire.flush()

    def say_outside(self, subject, *payloads):
        """As somebody who knows the format, and is no node."""
        for payload in payloads:
            self.wire.publish(subject, payload + b"\0" * SIGNATURE if self.signed else payload)
        self.wire.flush()

    def assert_all_is_well(self):
        for _ in range(6):
            self.work()
        for node in self.nodes:
            self.assertTrue(node.is_ready(), node.name)
            self.assertIsNone(node.process.poll(), node.log())

    def assert_logged_once(self, text):
        for node in self.nodes:
            until(lambda node=node: text in node.log(), f"{text!r} in the log of {node.name}")
            lines = [line for line in node.log().splitlines() if text in line]
            self.assertEqual(len(lines), 1, lines)

    def dropped(self, node):
        """What it has dropped, by kind."""
        return node.ask("GET", "/v1/cluster")["dropped"]

    def assert_refused(self, kind, subject, *payloads):
        before = [self.dropped(node).get(kind) for node in self.nodes]
        self.say(subject, *payloads)
        self.assert_all_is_well()
        for node, was in zip(self.nodes, before):
            if was is not None:
                self.assertGreaterEqual(self.dropped(node)[kind] - was, len(payloads))

    def test_what_nobody_signed_is_dropped(self):
        self.begin()
        subject, true = self.newest()
        lies = [self.flipped(true) for _ in range(TIMES)] + [true, self.forge("node", 12345)]
        self.say_outside(subject, *lies)
        self.assert_all_is_well()
        if self.signed:
            self.assert_logged_once(OUTSIDER)

    def test_a_batch_of_a_node_that_does_not_lead_is_dropped(self):
        self.begin()
        lie = self.forge("node", 12345)
        self.assert_refused("unannounced", self.newest()[0], *[lie] * TIMES)
        self.assert_logged_once("is unannounced and dropped")

    def test_a_batch_of_an_epoch_that_is_over_is_dropped(self):
        self.begin()
        lie = self.forge("epoch", 0)
        self.assert_refused("stale", self.newest()[0], *[lie] * TIMES)
        self.assert_logged_once("is stale and dropped")

    def test_a_batch_of_an_epoch_that_nobody_announced_is_dropped(self):
        self.begin()
        lie = self.forge("epoch", 1 << 60)
        self.assert_refused("unannounced", self.newest()[0], *[lie] * TIMES)

    def test_an_announcement_of_an_epoch_that_is_over_is_dropped(self):
        self.begin()
        lie = self.forge("announced", 0)
        self.assert_refused("stale", self.newest(True)[0], *[lie] * TIMES)
        self.assert_logged_once("is stale and dropped")

    def test_with_a_key_what_adds_up_but_is_not_signed_with_it_is_refused(self):
        key = self.folder / "key"
        key.write_text("a secret of this cluster alone\n")
        self.begin(2, "--cluster-key", str(key))
        self.keyed = True
        self.messages()
        self.assertFalse(self.signed, "nobody without the key can sign")
        lies = {what: self.forge(what, number) for what, number in (
            ("node", 12345), ("epoch", 1 << 60), ("chain", 9), ("gap", 5), ("log", 77),
            ("announced", 1 << 60), ("last", 1 << 40), ("alive", int(self.some_node(), 16)))}
        subject, _ = self.newest()
        alive = f"skein.skein.alive.{self.some_node()}"
        before = [self.dropped(node)["unsigned"] for node in self.nodes]
        for what, lie in lies.items():
            to = alive if what == "alive" else subject
            for _ in range(TIMES):
                self.wire.publish(to, lie + mac(to, lie))
        self.wire.flush()
        self.assert_all_is_well()
        for node, was in zip(self.nodes, before):
            until(lambda node=node, was=was:
                  self.dropped(node)["unsigned"] - was >= TIMES * len(lies), "every refusal")
            counted = {kind for kind, times in self.dropped(node).items() if times}
            self.assertLessEqual(counted, {"unsigned", "unreadable"})  # nothing got further
        self.assert_logged_once(OUTSIDER)

    def some_node(self):
        """The id of one of them, as subjects have it."""
        return next(self.heard("skein.skein.alive.*"))[0].rsplit(".", 1)[1]

    def test_a_batch_of_another_log_is_dropped(self):
        self.begin()
        lie = self.forge("log", 77)
        self.assert_refused("misplaced", self.newest()[0], *[lie] * TIMES)

    def test_a_batch_on_the_subject_of_another_partition_is_dropped(self):
        self.begin()
        subject, true = self.newest()
        head, partition = subject.rsplit(".", 1)
        other = f"{head}.{(int(partition) + 1) % 64}"
        self.assert_refused("misplaced", other, *[true] * TIMES)
        self.assert_logged_once("does not belong on")

    def test_messages_of_another_cluster_are_nobodys(self):
        self.begin()
        subject, true = self.newest()
        before = len(self.messages())
        self.say(subject.replace("skein.skein.", "skein.other."), *[true] * TIMES)
        self.assertEqual(len(self.messages()), before)
        self.assert_all_is_well()

    def test_true_messages_that_come_again_change_nothing(self):
        self.begin()
        for _, subject, data in self.messages():
            self.say(subject, data)
        self.assert_all_is_well()

    def test_truncated_messages_are_dropped(self):
        self.begin()
        subject, true = self.newest()
        lengths = sorted({0, 1, 4, 8, *self.rng.sample(range(len(true)), 60)})
        self.assert_refused("unreadable", subject, *[true[:length] for length in lengths])
        self.assert_logged_once("is not read")

    def test_batches_with_a_flipped_bit_are_dropped(self):
        self.begin()
        subject, true = self.newest()
        self.say(subject, *[self.flipped(true) for _ in range(400)])
        self.assert_all_is_well()

    def test_what_stands_on_other_subjects_of_the_cluster_is_refused(self):
        self.begin()
        _, batch = self.newest()
        beats = self.heard("skein.skein.alive.*")
        subject, beat = next(beats)
        beat = beat[:-SIGNATURE] if self.signed else beat
        node = subject.rsplit(".", 1)[1]
        for to in (subject, f"skein.skein.ask.{node}", "skein.skein.charter"):
            self.say(to, b"", b"x" * 100, batch, batch[:50], *[self.flipped(batch) for _ in range(20)])
        self.say(f"skein.skein.alive.{'0' * 16}", beat)          # of somebody else
        self.say(f"skein.skein.ask.{node}", beat, beat[:40])
        self.assert_all_is_well()

    def heard(self, subject):
        wire = Wire.to("127.0.0.1", self.broker.port)
        self.addCleanup(wire.close)
        wire.subscribe(subject)
        while message := wire.message(10):
            yield message[0], message[3]

    def flipped(self, data):
        at = self.rng.randrange(8 * len(data))
        made = bytearray(data)
        made[at // 8] ^= 1 << at % 8
        return bytes(made)

    def test_a_question_to_a_node_is_answered_with_what_is_wrong_about_it(self):
        self.begin()
        self.messages()
        subject, _ = next(self.heard("skein.skein.alive.*"))
        to = subject.replace(".alive.", ".ask.")
        lie = b"not an envelope"
        answer = self.wire.request(to, lie + mac(to, lie) if self.signed else lie)
        self.assertIn(b"SKEV", answer[3])  # an envelope, which says what was wrong
        self.assert_all_is_well()

    def configure_broker(self, text):
        configuration = self.folder / "nats.conf"
        configuration.write_text(text)
        self.broker.kill()
        self.broker.words = ["-c", str(configuration)]
        self.broker.start()

    def test_a_message_of_two_mebibytes_is_refused_or_dropped(self):
        self.configure_broker("max_payload: 8MiB\n")
        self.begin()
        subject, true = self.newest()
        large = true + b"\0" * (2 << 20)
        self.say(subject, large, b"\xff" * (2 << 20))
        self.say_outside(subject, large)
        for to in ("skein.skein.alive.1", "skein.default.event.large"):
            self.say(to, large)
        self.assert_all_is_well()

    def test_the_broker_refuses_what_is_larger_than_it_takes(self):
        self.begin()
        other = Wire.to("127.0.0.1", self.broker.port)
        with self.assertRaises((ConnectionError, OSError)):
            other.publish(self.newest()[0], b"x" * (2 << 20))
            other.flush()
        other.close()
        self.assert_all_is_well()

    def test_subjects_cannot_be_injected(self):
        self.begin(1)
        node = self.nodes[0]
        everything = Wire.to("127.0.0.1", self.broker.port)
        self.addCleanup(everything.close)
        everything.subscribe("evil.>")
        everything.flush()
        evil = "a 3\r\nx\r\nPUB evil.here 2\r\nhi\r\nPUB b"
        for text in (evil, "a b", "a.*", "a.>", ">", "", ".", "a..b", "a." * 200 + "z", "a\0b", "ä"):
            event = {"specversion": "1.0", "id": text or "1", "source": "/x", "type": text,
                     "data": {}}
            status, answer = node.request("POST", "/v1/events", event)
            self.assertLess(status, 500, answer)
            status, answer = node.request("POST", "/v1/runs", {"flow": "quick", "id": text,
                                                               "input": {"n": 1}})
            self.assertLess(status, 500, answer)
        self.assertIsNone(everything.message(1))
        self.assert_all_is_well()

    def test_one_who_never_reads_is_not_waited_for(self):
        self.configure_broker('write_deadline: "2s"\n')  # as deploy/nats says
        self.begin(1)
        node = self.nodes[0]
        deaf = []
        for path in ("/v1/events/tail", "/v1/logs"):
            made = socket.create_connection(("127.0.0.1", node.port))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            token = (node.data / "token").read_text().strip()
            made.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
                         f"Authorization: Bearer {token}\r\n\r\n".encode())
            deaf.append(made)
            self.addCleanup(made.close)
        wire = socket.create_connection(("127.0.0.1", self.broker.port))
        wire.sendall(b'CONNECT {"verbose":false}\r\nSUB > 1\r\nPING\r\n')
        self.addCleanup(wire.close)
        before = self.resident(node)
        batch = json.dumps([{"specversion": "1.0", "source": "/x", "type": "t", "id": str(i),
                             "data": "y" * 8_000} for i in range(100)])
        for round_ in range(20):
            events = batch.replace('"id": "', f'"id": "{round_}-')
            until(lambda events=events: self.publish(node, events) < 300, "a publication")
        self.assert_all_is_well()
        self.assertLess(self.resident(node) - before, 200 << 20)

    @staticmethod
    def publish(node, events):
        """The status. The broker itself may stand still until it gives up on who does not read."""
        connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=30)
        try:
            token = (node.data / "token").read_text().strip()
            connection.request("POST", "/v1/events", events,
                               {"Authorization": "Bearer " + token,
                                "Content-Type": "application/cloudevents-batch+json"})
            return connection.getresponse().status
        finally:
            connection.close()

    @staticmethod
    def resident(node):
        """Bytes of memory."""
        text = pathlib.Path(f"/proc/{node.process.pid}/statm").read_text()
        return int(text.split()[1]) * 4096


if __name__ == "__main__":
    BadInput.forge_program = sys.argv.pop(2)
    nodes_under_test.main()


