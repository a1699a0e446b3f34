"""10,000 connections at once: each is answered, one more is refused, and the node stays as quick.

crowd_test.py SKEIN
"""

import resource
import selectors
import socket
import time
import unittest

import node_under_test
from node_under_test import NodeTest, until

CROWD = 10_000
ASK = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Crowd(NodeTest):
    def setUp(self):
        super().setUp()
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < CROWD + 200:
            self.skipTest(f"a process may open {hard} files here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.serve()
        self.ready()

    def connect(self):
        one = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self.addCleanup(one.close)
        return one

    def answers(self, crowd):
        """How many answer one request each."""
        answered = 0
        with selectors.DefaultSelector() as selector:
            for one in crowd:
                one.sendall(ASK)
                selector.register(one, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(timeout=60)
                if not ready:
                    break
                for key, _ in ready:
                    answered += key.fileobj.recv(4096).startswith(b"HTTP/1.1 200")
                    selector.unregister(key.fileobj)
        return answered

    def test_ten_thousand_connections_are_served_and_one_more_is_refused(self):
        begun = time.monotonic()
        crowd = []
        for _ in range(CROWD // 100):
            part = [self.connect() for _ in range(100)]
            self.assertEqual(self.answers(part), 100)
            crowd += part
        connected = time.monotonic() - begun
        one_more = self.connect()
        self.assertTrue(one_more.recv(4096).startswith(b"HTTP/1.1 503"))
        begun = time.monotonic()
        self.assertEqual(self.answers(crowd), CROWD)
        asked = time.monotonic() - begun
        with open(f"/proc/{self.node.pid}/status", encoding="utf-8") as status:
            memory = next(line.split()[1] for line in status if line.startswith("VmRSS"))
        print(f"{CROWD} connections in {connected:.1f} s, one request each in {asked:.2f} s, "
              f"{int(memory) // 1024} MiB")
        for one in crowd:
            one.close()
        def counted():
            status, _, _ = self.request("GET", "/healthz")
            return status == 200
        until(counted, "an answer after the crowd has gone")
        about = self.ask("GET", "/v1/node")["gateway"]
        self.assertGreaterEqual(about["refused"]["connections"], 1)
        self.assertIn("refused for connections", self.log())

    def test_clients_that_send_nothing_and_clients_that_stop_halfway_hold_up_nobody(self):
        for text in (b"", b"GET /heal", b"POST /v1/runs HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"):
            for _ in range(300):
                self.connect().sendall(text)
        self.assertEqual(self.request("GET", "/readyz")[0], 200)


if __name__ == "__main__":
    node_under_test.main()
