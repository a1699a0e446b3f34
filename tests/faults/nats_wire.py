"""The protocol of NATS over one socket: a client that shares nothing with those of the product."""

import base64
import json
import os
import socket
import ssl
import time


class Wire:
    """One connection. Not for several threads."""

    def __init__(self, made, user=None, password=None, tls=None, name="wire"):
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = made
        self.buffer = b""
        self.inbox = None
        self.errors = []
        self.number = self.asked = 0
        try:
            self.begin(user, password, tls, name)
        except Exception:
            self.close()
            raise

    def begin(self, user, password, tls, name):
        self.hello = json.loads(self.line().removeprefix(b"INFO "))
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        told = {"verbose": False, "pedantic": False, "lang": "wire", "version": "1", "name": name,
                "protocol": 1, "headers": True, "no_responders": True}
        if user:
            told |= {"user": user, "pass": password}
        self.raw(b"CONNECT " + json.dumps(told).encode() + b"\r\nPING\r\n")
        self.until_pong()

    @staticmethod
    def to(host, port, timeout=10, **more):
        return Wire(socket.create_connection((host, port), timeout), **more)

    def close(self):
        self.socket.close()

    def raw(self, data):
        self.socket.sendall(data)

    def line(self):
        while b"\r\n" not in self.buffer:
            self.read_more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def exactly(self, size):
        while len(self.buffer) < size:
            self.read_more()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def read_more(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the broker closed the connection " + str(self.errors))
        self.buffer += data

    def until_pong(self):
        while (line := self.line()) != b"PONG":
            self.heard(line)

    def heard(self, line):
        if line == b"PING":
            self.raw(b"PONG\r\n")
        elif line.startswith(b"-ERR"):
            self.errors.append(line.decode())
            if b"Authorization" in line or b"Authentication" in line:
                raise PermissionError(line.decode())

    def flush(self):
        """Everything so far was taken, or refused: see `errors`."""
        self.raw(b"PING\r\n")
        self.until_pong()

    def publish(self, subject, data, reply="", headers=None):
        subject = subject.encode() if isinstance(subject, str) else subject
        to = subject + (b" " + reply.encode() if reply else b"")
        if headers:
            head = "NATS/1.0\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
            head = head.encode()
            self.raw(b"HPUB %b %d %d\r\n%b%b\r\n" % (to, len(head), len(head) + len(data),
                                                    head, data))
        else:
            self.raw(b"PUB %b %d\r\n%b\r\n" % (to, len(data), data))

    def subscribe(self, subject):
        self.number += 1
        self.raw(f"SUB {subject} {self.number}\r\n".encode())
        return self.number

    def message(self, limit=10):
        """(subject, reply, headers, data) of the next message; None where none comes in time."""
        end = time.monotonic() + limit
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                line = self.line()
            except (TimeoutError, ssl.SSLWantReadError):
                return None
            finally:
                self.socket.settimeout(10)
            words = line.split(b" ")
            if words[0] == b"MSG":
                data = self.exactly(int(words[-1]) + 2)[:-2]
                return words[1].decode(), reply_of(words, 5), b"", data
            if words[0] == b"HMSG":
                head = int(words[-2])
                data = self.exactly(int(words[-1]) + 2)[:-2]
                return words[1].decode(), reply_of(words, 6), data[:head], data[head:]
            self.heard(line)
        return None

    def ask(self, subject, data, headers=None):
        """Sends a request; its answer comes to the inbox that is returned."""
        if self.inbox is None:
            self.inbox = f"_INBOX.wire{os.getpid()}x{id(self)}."
            self.subscribe(self.inbox + "*")
        self.asked += 1
        inbox = f"{self.inbox}{self.asked}"
        self.publish(subject, data, inbox, headers)
        return inbox

    def request(self, subject, data, limit=5, headers=None):
        inbox = self.ask(subject, data, headers)
        end = time.monotonic() + limit
        while (answer := self.message(end - time.monotonic())) and answer[0] != inbox:
            pass  # of an earlier request, which was given up
        if answer is None:
            raise TimeoutError(f"no answer to {subject}")
        return answer

    def api(self, subject, **fields):
        return json.loads(self.request("$JS.API." + subject, json.dumps(fields).encode())[3])

    def stream_names(self):
        return self.api("STREAM.NAMES").get("streams") or []

    def stream_state(self, stream):
        return self.api(f"STREAM.INFO.{stream}")["state"]

    def stored(self, stream, sequence):
        """(subject, data) of a message in a stream; None where there is none."""
        told = self.api(f"STREAM.MSG.GET.{stream}", seq=sequence)
        if "message" not in told:
            return None
        return told["message"]["subject"], base64.b64decode(told["message"].get("data", ""))

    def everything(self, stream, at_once=100):
        """(sequence, subject, data) of every message that the stream has."""
        state = self.stream_state(stream)
        left = list(range(state["first_seq"], state["last_seq"] + 1))
        while left:
            batch, left = left[:at_once], left[at_once:]
            asked = {self.ask(f"$JS.API.STREAM.MSG.GET.{stream}",
                              json.dumps({"seq": sequence}).encode()): sequence
                     for sequence in batch}
            answers = {}
            while len(answers) < len(batch):
                answer = self.message(5)
                if answer is None:
                    raise TimeoutError(f"messages of {stream}")
                if answer[0] in asked:
                    answers[asked[answer[0]]] = json.loads(answer[3]).get("message")
            for sequence in batch:
                if message := answers[sequence]:
                    yield (sequence, message["subject"],
                           base64.b64decode(message.get("data", "")))


def reply_of(words, with_reply):
    return words[3].decode() if len(words) == with_reply else ""
