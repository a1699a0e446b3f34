"""What is broken when: a plan from a seed, and its hands."""

import heapq
import random
import time

from processes import until

# Kind: (how often, whether it is about one node's link and needs links that go down).
WEIGHTS = {
    "kill": 4, "freeze": 4, "drain": 2, "link_down": 3, "cut": 2, "hole": 2, "hole_up": 1,
    "hole_down": 1, "half": 1, "slow": 2, "kill_broker": 3, "freeze_broker": 1,
    "lose_directory": 2,
}
BROKER = {"kill_broker", "freeze_broker"}
NEEDS_LINKS = {"link_down"}
BY_WISH = {"lose_directory"}  # needs nodes that fill an empty directory from the others


class Fault:
    def __init__(self, number, kind, node, begin, hold, rng):
        self.number, self.kind, self.node = number, kind, node
        self.begin, self.hold = begin, hold
        self.slow = {"delay": round(rng.uniform(0.005, 0.2), 3),
                     "jitter": round(rng.uniform(0, 0.1), 3),
                     "rate": rng.choice([20_000, 100_000, 1_000_000]),
                     "seed": rng.randrange(1 << 30)}

    def __str__(self):
        what = f"{self.kind} of {self.node}" if self.node else self.kind
        more = f" {self.slow}" if self.kind == "slow" else ""
        return f"{self.number}: {what} at {self.begin:.1f} s for {self.hold:.1f} s{more}"


def plan(seed, count, names, longest, with_links=True, lost_directories=False):
    """`count` faults. Some overlap; none of them breaks what is broken already."""
    rng = random.Random(f"{seed} plan")
    kinds = [kind for kind in WEIGHTS
             if (with_links or kind not in NEEDS_LINKS)
             and (lost_directories or kind not in BY_WISH)]
    weights = [WEIGHTS[kind] for kind in kinds]
    free = {target: 0.0 for target in [*names, "broker"]}
    faults, begin = [], 1.0
    for number in range(1, count + 1):
        kind = rng.choices(kinds, weights)[0]
        node = None if kind in BROKER else rng.choice(names)
        target = node or "broker"
        hold = min(longest, rng.uniform(0.1, longest) if rng.random() < 0.3 else
                   rng.uniform(0.1, longest / 3))
        begin = max(begin, free[target])
        faults.append(Fault(number, kind, node, begin, hold, rng))
        free[target] = begin + hold + rng.uniform(0.5, 1.5)
        # Now and then the next one begins before this one is over.
        begin += rng.uniform(0.1, 1.0) if rng.random() < 0.35 else hold + rng.uniform(0.3, 1.5)
    return faults


class Hands:
    """Breaks and mends."""

    def __init__(self, cluster, say):
        self.cluster, self.say = cluster, say
        self.nodes = {node.name: node for node in cluster.nodes}
        self.wrong = []
        self.broken = set()
        self.restarted = 0
        self.done = {}

    def carry_out(self, faults):
        """Every fault in its time. Answers how many seconds it took."""
        due = [(fault.begin, 2 * fault.number, fault, True) for fault in faults]
        heapq.heapify(due)
        began = time.monotonic()
        while due:
            when, order, fault, first = heapq.heappop(due)
            time.sleep(max(0.0, when - (time.monotonic() - began)))
            target = fault.node or "broker"
            if first and target in self.broken:  # what was before took longer than planned
                heapq.heappush(due, (time.monotonic() - began + 0.2, order, fault, True))
            elif first:
                self.say(str(fault))
                self.done[fault.kind] = self.done.get(fault.kind, 0) + 1
                getattr(self, fault.kind)(fault)
                self.broken.add(target)
                end = time.monotonic() - began + fault.hold
                heapq.heappush(due, (end, 2 * fault.number + 1, fault, False))
            else:
                getattr(self, "end_" + fault.kind, self.pass_again)(fault)
                self.broken.discard(target)
        return time.monotonic() - began

    def kill(self, fault):
        self.expect_running(fault)
        self.nodes[fault.node].kill()

    def end_kill(self, fault):
        self.nodes[fault.node].start()

    def freeze(self, fault):
        self.expect_running(fault)
        self.nodes[fault.node].freeze()

    def end_freeze(self, fault):
        self.nodes[fault.node].thaw()

    def drain(self, fault):
        """SIGTERM. One that has just begun may not know yet what that means."""
        self.expect_running(fault)
        self.nodes[fault.node].terminate()

    def end_drain(self, fault):
        code = self.nodes[fault.node].drained()
        if code is None:
            self.wrong.append(f"fault {fault}: the node did not end within 40 s of SIGTERM")
        elif code != 0 and not (code == -15 and self.nodes[fault.node].age < 1):
            self.wrong.append(f"fault {fault}: the node ended with {code}")
        self.nodes[fault.node].start()

    def lose_directory(self, fault):
        self.kill(fault)
        self.nodes[fault.node].lose_directory()

    end_lose_directory = end_kill

    def link_down(self, fault):
        self.cluster.network.set_link(fault.node, False)

    def end_link_down(self, fault):
        self.cluster.network.set_link(fault.node, True)

    def cut(self, fault):
        self.cluster.proxy.order(fault.node, mode="cut")

    def hole(self, fault):
        self.cluster.proxy.order(fault.node, mode="hole")

    def hole_up(self, fault):
        self.cluster.proxy.order(fault.node, mode="hole", way="up")

    def hole_down(self, fault):
        self.cluster.proxy.order(fault.node, mode="hole", way="down")

    def half(self, fault):
        self.cluster.proxy.order(fault.node, mode="half")

    def slow(self, fault):
        self.cluster.proxy.order(fault.node, mode="slow", **fault.slow)

    def pass_again(self, fault):
        self.cluster.proxy.order(fault.node, mode="pass")

    def kill_broker(self, _):
        self.cluster.broker.kill()

    def end_kill_broker(self, _):
        self.cluster.broker.start()

    def freeze_broker(self, _):
        self.cluster.broker.freeze()

    def end_freeze_broker(self, _):
        self.cluster.broker.thaw()

    def expect_running(self, fault):
        self.look_for_ended(f"before fault {fault}")
        until(lambda: self.nodes[fault.node].running, "a process", 5)

    def look_for_ended(self, when):
        """A node that is not there has ended by itself. One that found no broker when it began is
        started again, as a supervisor would; any other has no reason to."""
        for node in self.cluster.nodes:
            if node.name in self.broken or node.running:
                continue
            code, said = node.process.returncode, node.log()[-600:]
            if code == 1 and said.rstrip().splitlines()[-2:][0].startswith("error: SK4001"):
                self.restarted += 1
            else:
                self.wrong.append(f"{when}: {node.name} has ended by itself with {code}: {said}")
            node.start()
