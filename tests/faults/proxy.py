#!/usr/bin/env python3
"""A TCP proxy that does what networks do.

proxy.py NAME=HOST:PORT=HOST:PORT...

Listens on the first address of each link and passes on to the second. Reads orders from standard
input, a JSON object a line, and answers each with a line:

    {"link": "n1", "mode": "pass"}                      every byte, at once
    {"link": "n1", "mode": "slow", "delay": 0.05, "rate": 200000}
    {"link": "n1", "mode": "cut"}                       resets what is open, and whoever comes
    {"link": "n1", "mode": "hole"}                      takes every byte, passes none on
    {"link": "n1", "mode": "hole", "way": "up"}         the same in one direction: "up", "down"
    {"link": "n1", "mode": "half"}                      the far end is gone, the near end not told

Bytes that were swallowed are missing for ever, so a connection that lost some is reset when its
link passes again. "jitter" of "slow" comes from "seed", the same for the same seed.
"""

import asyncio
import json
import os
import random
import socket
import struct
import sys

RESET = struct.pack("ii", 1, 0)  # close with a reset
MOST_ON_THE_WAY = 256            # pieces that a slow link holds; the sender waits for room


class Link:
    def __init__(self, name, near, far):
        self.name, self.near, self.far = name, near, far
        self.order = {"mode": "pass"}
        self.rng = random.Random(0)
        self.connections = set()
        self.passed = self.swallowed = self.reset = 0

    def swallows(self, way):
        mode = self.order["mode"]
        return mode == "half" or (mode == "hole" and self.order.get("way", way) == way)

    def lag(self):
        delay = self.order.get("delay", 0.0)
        return delay + self.rng.random() * self.order.get("jitter", 0.0)

    def change(self, order):
        self.order = order
        if "seed" in order:
            self.rng.seed(order["seed"])
        for connection in list(self.connections):
            connection.changed()

    async def accept(self, reader, writer):
        connection = Connection(self, reader, writer)
        self.connections.add(connection)
        try:
            await connection.live()
        finally:
            self.connections.discard(connection)


class Connection:
    """One connection of a link: a near and a far end."""

    def __init__(self, link, reader, writer):
        self.link = link
        self.near = (reader, writer)
        self.far = None
        self.lost = False

    async def live(self):
        if self.link.order["mode"] == "cut":
            self.abort()
            return
        try:
            self.far = await asyncio.open_connection(*self.link.far)
        except OSError:
            self.abort()
            return
        pumps = [asyncio.ensure_future(self.pump("up", self.near[0], self.far[1])),
                 asyncio.ensure_future(self.pump("down", self.far[0], self.near[1]))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            while self.link.order["mode"] in ("hole", "half"):
                await asyncio.sleep(0.02)  # an end that is cut off is not told
        finally:
            for pump in pumps:
                pump.cancel()
            self.abort()

    def changed(self):
        mode = self.link.order["mode"]
        if mode == "cut" or (self.lost and mode not in ("hole", "half")):
            self.abort()
        elif mode == "half" and self.far:
            close(self.far[1])
            self.lost = True

    def abort(self):
        self.link.reset += 1
        for end in (self.near, self.far):
            if end:
                close(end[1])

    async def pump(self, way, reader, writer):
        queue = asyncio.Queue(MOST_ON_THE_WAY)
        sender = asyncio.ensure_future(self.send(queue, writer))
        clock = asyncio.get_running_loop().time
        due = clock()
        try:
            while data := await reader.read(65536):
                if self.link.swallows(way):
                    self.lost = True
                    self.link.swallowed += len(data)
                    continue
                due = max(due, clock() + self.link.lag())
                if rate := self.link.order.get("rate"):
                    due += len(data) / rate
                await queue.put((due, data))
            await queue.put((due, b""))
            await sender
        except OSError:
            pass
        finally:
            sender.cancel()

    async def send(self, queue, writer):
        clock = asyncio.get_running_loop().time
        while True:
            due, data = await queue.get()
            if due > clock():
                await asyncio.sleep(due - clock())
            if not data:
                return
            writer.write(data)
            self.link.passed += len(data)
            await writer.drain()


def close(writer):
    try:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    except (OSError, AttributeError):
        pass
    writer.transport.abort()


def parse(word):
    name, near, far = word.split("=")
    addresses = [(a.rsplit(":", 1)[0], int(a.rsplit(":", 1)[1])) for a in (near, far)]
    return Link(name, *addresses)


async def main(words):
    links = {link.name: link for link in map(parse, words)}
    for link in links.values():
        await asyncio.start_server(link.accept, *link.near, limit=1 << 18)
    print("ready", flush=True)
    orders = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        order = json.loads(line)
        link = links[order.pop("link")]
        if order:
            link.change(order)
        print(json.dumps({"passed": link.passed, "swallowed": link.swallowed, "reset": link.reset,
                          "open": len(link.connections)}), flush=True)
    os._exit(0)  # nobody is left to tell


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
