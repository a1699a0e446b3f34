"""Where the processes live: a namespace for each, joined by a bridge, or all on loopback."""

import ctypes
import ipaddress
import json
import os
import socket
import subprocess
import threading

LIBC = ctypes.CDLL(None, use_errno=True)
NEW_NET = 0x40000000


def ip(*words):
    ran = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise OSError(f"ip {' '.join(words)}: {ran.stderr.strip()}")
    return ran.stdout


class Loopback:
    """Everything on this machine's loopback: no link can go down, the proxy does it all."""

    has_links = False
    what = "loopback: no namespaces here, so no link goes down; the proxy cuts and swallows"

    def __init__(self, names):
        self.names = names

    def address(self, _):
        return "127.0.0.1"

    gate = "127.0.0.1"

    def within(self, _):
        return []

    def connect(self, _, port, timeout):
        return socket.create_connection(("127.0.0.1", port), timeout)

    def set_link(self, name, up):
        raise AssertionError(f"no link of {name} to set {up}")

    def close(self):
        pass


class Namespaces:
    """A bridge in this namespace, and behind it one namespace for each name.

    The names of everything begin with the number of this process, so two of them may run at once,
    and what one left behind that was killed is removed by the next.
    """

    has_links = True
    what = "network namespaces on a bridge"

    def __init__(self, names):
        self.names = list(names)
        self.prefix = f"skf{os.getpid()}"
        self.entering = threading.local()
        remove_leftovers()
        try:
            self.build(free_subnet())
        except OSError:
            self.close()
            raise

    def build(self, subnet):
        hosts = list(subnet.hosts())
        self.gate = str(hosts[0])
        self.addresses = {name: str(hosts[i + 9]) for i, name in enumerate(self.names)}
        bridge = self.prefix + "b"
        ip("link", "add", bridge, "type", "bridge")
        ip("addr", "add", f"{self.gate}/{subnet.prefixlen}", "dev", bridge)
        ip("link", "set", bridge, "up")
        for name in self.names:
            space, outer = self.space(name), self.outer(name)
            ip("netns", "add", space)
            ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", space)
            ip("link", "set", outer, "master", bridge, "up")
            ip("-n", space, "addr", "add", f"{self.addresses[name]}/{subnet.prefixlen}",
               "dev", "eth0")
            ip("-n", space, "link", "set", "eth0", "up")
            ip("-n", space, "link", "set", "lo", "up")

    def space(self, name):
        return f"{self.prefix}-{name}"

    def outer(self, name):
        return f"{self.prefix}v{self.names.index(name)}"

    def address(self, name):
        return self.addresses[name]

    def within(self, name):
        """The words before a command that is to run there."""
        return ["nsenter", f"--net=/run/netns/{self.space(name)}"]

    def connect(self, name, port, timeout):
        """A connection to a port of that namespace's loopback: no link is in between."""
        with open("/proc/thread-self/ns/net", "rb") as here, \
                open(f"/run/netns/{self.space(name)}", "rb") as there:
            enter(there)
            try:
                made = socket.socket()
            finally:
                enter(here)
        made.settimeout(timeout)
        try:
            made.connect(("127.0.0.1", port))
        except OSError:
            made.close()
            raise
        return made

    def set_link(self, name, up):
        ip("link", "set", self.outer(name), "up" if up else "down")

    def close(self):
        remove(self.prefix)


def enter(space):
    """Of this thread alone."""
    if LIBC.setns(space.fileno(), NEW_NET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def free_subnet():
    taken = [ipaddress.ip_network(f"{a['local']}/{a['prefixlen']}", strict=False)
             for link in json.loads(ip("-j", "-4", "addr")) for a in link.get("addr_info", [])]
    start = os.getpid() % 250
    for i in range(250):
        subnet = ipaddress.ip_network(f"10.214.{(start + i) % 250}.0/24")
        if not any(subnet.overlaps(other) for other in taken):
            return subnet
    raise OSError("no free subnet")


def remove_leftovers():
    for line in ip("netns", "list").splitlines():
        name = line.split()[0]
        owner = name.removeprefix("skf").split("-")[0]
        if name.startswith("skf") and owner.isdigit() and not os.path.exists(f"/proc/{owner}"):
            remove(f"skf{owner}")


def remove(prefix):
    for line in ip("netns", "list").splitlines():
        if line.split()[0].startswith(prefix + "-"):
            subprocess.run(["ip", "netns", "del", line.split()[0]], check=False,
                           capture_output=True)
    for link in json.loads(ip("-j", "link")):
        if link["ifname"].startswith((prefix + "v", prefix + "b")):
            subprocess.run(["ip", "link", "del", link["ifname"]], check=False, capture_output=True)


def make(names, wanted="auto"):
    """Namespaces where they are possible, else loopback, which says so."""
    if wanted != "loopback":
        try:
            return Namespaces(names)
        except (OSError, subprocess.SubprocessError) as why:
            if wanted == "namespaces":
                raise
            print(f"no network namespaces ({why}): ", end="")
    return Loopback(names)
