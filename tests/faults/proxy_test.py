"""The proxy does what it is told, and the network tells when it cannot."""

import json
import pathlib
import socket
import subprocess
import sys
import threading
import time
import unittest

import faults
import network
from processes import free_port

HERE = pathlib.Path(__file__).resolve().parent


class Echo(threading.Thread):
    """Sends back what comes."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]

    def run(self):
        while True:
            there, _ = self.listening.accept()
            threading.Thread(target=self.answer, args=(there,), daemon=True).start()

    @staticmethod
    def answer(there):
        try:
            while data := there.recv(65536):
                there.sendall(data)
        except OSError:
            pass
        there.close()


class Proxy(unittest.TestCase):
    def setUp(self):
        self.echo = Echo()
        self.echo.start()
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-B", HERE / "proxy.py",
             f"a=127.0.0.1:{self.port}=127.0.0.1:{self.echo.port}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.assertEqual(self.process.stdout.readline(), "ready\n")
        self.addCleanup(self.end)

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def order(self, **order):
        self.process.stdin.write(json.dumps({"link": "a", **order}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def connect(self):
        made = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        self.addCleanup(made.close)
        return made

    def echoed(self, made, data=b"x"):
        made.sendall(data)
        back = b""
        while len(back) < len(data):
            piece = made.recv(65536)
            if not piece:
                return None
            back += piece
        return back

    def assert_silent(self, made):
        made.settimeout(0.3)
        made.sendall(b"lost")
        self.assertRaises(TimeoutError, made.recv, 1)
        made.settimeout(10)

    def assert_ended(self, made):
        try:
            self.assertEqual(made.recv(1), b"")
        except ConnectionResetError:
            pass

    def test_everything_passes(self):
        data = bytes(range(256)) * 4096
        self.assertEqual(self.echoed(self.connect(), data), data)

    def test_a_cut_resets_what_is_open_and_whoever_comes(self):
        made = self.connect()
        self.echoed(made)
        self.order(mode="cut")
        self.assert_ended(made)
        self.assert_ended(self.connect())
        self.order(mode="pass")
        self.assertEqual(self.echoed(self.connect()), b"x")

    def test_a_hole_takes_and_tells_nothing_and_ends_with_a_reset(self):
        made = self.connect()
        self.echoed(made)
        self.order(mode="hole")
        self.assert_silent(made)
        self.assertGreater(self.order(mode="pass")["swallowed"], 0)
        self.assert_ended(made)

    def test_a_hole_in_which_nothing_was_lost_leaves_the_connection(self):
        made = self.connect()
        self.echoed(made)
        self.order(mode="hole")
        self.order(mode="pass")
        self.assertEqual(self.echoed(made), b"x")

    def test_a_hole_one_way_lets_the_other_way_pass(self):
        made = self.connect()
        self.echoed(made)
        self.order(mode="hole", way="down")
        self.assert_silent(made)  # it got there, the answer did not come back
        self.assertEqual(self.order()["passed"], 2 + len(b"lost"))
        self.order(mode="pass")
        self.assert_ended(made)

    def test_half_of_a_connection_is_not_told_that_the_other_is_gone(self):
        made = self.connect()
        self.echoed(made)
        self.order(mode="half")
        self.assert_silent(made)
        self.order(mode="pass")
        self.assert_ended(made)

    def test_a_slow_link_takes_its_time(self):
        made = self.connect()
        self.order(mode="slow", delay=0.1, rate=100_000)
        began = time.monotonic()
        self.assertEqual(len(self.echoed(made, b"y" * 20_000)), 20_000)
        self.assertGreater(time.monotonic() - began, 0.5)  # twice 0.1 s, twice 0.2 s of bytes


class Plans(unittest.TestCase):
    def plan(self, seed, **more):
        return [str(fault) for fault in faults.plan(seed, 200, ["n1", "n2", "n3"], 10, **more)]

    def test_a_seed_is_a_plan(self):
        self.assertEqual(self.plan(1), self.plan(1))
        self.assertNotEqual(self.plan(1), self.plan(2))

    def test_every_kind_is_in_it_that_is_possible(self):
        kinds = {fault.kind for fault in faults.plan(3, 400, ["n1"], 10, lost_directories=True)}
        self.assertEqual(kinds, set(faults.WEIGHTS))
        without = {fault.kind for fault in faults.plan(3, 400, ["n1"], 10, with_links=False)}
        self.assertEqual(set(faults.WEIGHTS) - without, {"link_down", "lose_directory"})

    def test_nothing_breaks_what_is_broken(self):
        until = {}
        for fault in faults.plan(4, 300, ["n1", "n2", "n3"], 10):
            target = fault.node or "broker"
            self.assertGreaterEqual(fault.begin, until.get(target, 0))
            until[target] = fault.begin + fault.hold


class Networks(unittest.TestCase):
    def test_a_machine_without_namespaces_gets_loopback_and_is_told(self):
        made = network.make(["a"], "loopback")
        self.assertIn("no link goes down", made.what)
        self.assertEqual(made.address("a"), "127.0.0.1")


if __name__ == "__main__":
    unittest.main()
