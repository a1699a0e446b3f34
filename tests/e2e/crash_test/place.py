"""A data directory under test, and everything beside it: the ledger, the commands, the kills."""

import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

from crash_test import check

PATIENCE = 60.0  # seconds that any command may take before the harness calls it stuck


class Stuck(Exception):
    """A command did not end."""


class Refused(Exception):
    """A command that must succeed did not."""


class Place:
    def __init__(self, folder, tools, seed):
        self.folder = pathlib.Path(folder)
        self.work = self.folder / "work"
        self.work.mkdir(parents=True)
        self.data = self.folder / "data"
        self.ledger_file = self.work / "ledger"
        self.ledger_file.touch()
        shutil.copy(tools.ledger_line, self.work / "ledger_line")
        self.tools = tools
        self.seed = seed
        self.promises = []
        self.torn = 0

    def start(self, *words, failpoint=None, user="operator"):
        """Starts the command in the working directory; its output goes to files."""
        with open(self.folder / "commands.log", "a", encoding="utf-8") as log:
            log.write(" ".join(words) + (f"  # {failpoint}" if failpoint else "") + "\n")
        environment = {**os.environ, "USER": user, "SKEIN_DATA": str(self.data)}
        environment.pop("SKEIN_FAILPOINT", None)
        if failpoint:
            environment["SKEIN_FAILPOINT"] = failpoint
        with open(self.folder / "stdout", "wb") as out, open(self.folder / "stderr", "wb") as err:
            return subprocess.Popen([self.tools.skein, *words], cwd=self.work, stdout=out,
                                    stderr=err, stdin=subprocess.DEVNULL, env=environment)

    def finish(self, process, patience=PATIENCE):
        try:
            return process.wait(patience)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            raise Stuck(f"{' '.join(process.args[1:])} did not end in {patience:.0f} s") from None

    def said(self):
        return (self.folder / "stderr").read_text(encoding="utf-8", errors="replace")

    def run(self, *words, **more):
        return self.finish(self.start(*words, **more))

    def kill_after(self, process, seconds):
        """Ends the process as kill -9 does. Answers whether it still ran."""
        try:
            process.wait(seconds)
            return False
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True

    def quiet(self):
        """Waits until no effect runs: the commands of a killed process die with it."""
        until = time.monotonic() + 10
        with open(self.ledger_file, "rb") as ledger:
            while True:
                try:
                    fcntl.flock(ledger, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise Stuck("a command of a killed process still runs") from None
                    time.sleep(0.002)

    def ledger(self):
        """What was done: the whole lines of the ledger. One that a kill cut short did not happen."""
        lines = []
        for line in self.ledger_file.read_text(encoding="utf-8").split("\n"):
            try:
                lines.append(json.loads(line))
            except ValueError:
                self.torn += line != ""
        return lines

    def look(self):
        """Everything that is true now. REQUIRES: no command runs."""
        self.quiet()
        dump = subprocess.run([self.tools.journal_dump, str(self.data)], capture_output=True,
                              text=True, check=False, timeout=PATIENCE)
        if dump.returncode != 0:
            raise Stuck(f"the directory cannot be read: {dump.stderr.strip()}")
        lines = [json.loads(line) for line in dump.stdout.splitlines()]
        return check.World(lines, self.ledger(), list(self.promises))
