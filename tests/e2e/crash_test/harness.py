"""The course of a crash test: load, kill, look, go on."""

import collections
import pathlib
import random
import re
import subprocess
import time

from crash_test import check
from crash_test.load import GOING_ON, KINDS, Load
from crash_test.place import Place, Refused, Stuck

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent.parent

# Passed by no command of a running load: retention runs only where it is asked for.
ELSEWHERE = ("retention.",)


def failpoint_names():
    """Every name of core/ports/failpoint.h, so that a new one is tried without a word here."""
    header = (SOURCE / "core/ports/failpoint.h").read_text("utf-8")
    names = re.findall(r'^ {4}"([a-z_.]+)",', header, re.MULTILINE)
    return [name for name in names if not name.startswith(ELSEWHERE)]


class Tools:
    def __init__(self, build, binary):
        build = build.resolve()
        self.skein = str(binary or build / "tests/e2e/skein_failpoints")
        self.ledger_line = str(build / "tests/e2e/ledger_line")
        self.journal_dump = str(build / "tests/e2e/journal_dump")
        self.sandbox = self.find_sandbox()

    @staticmethod
    def find_sandbox():
        try:
            tried = subprocess.run(["bwrap", "--ro-bind", "/", "/", "--unshare-all", "true"],
                                   capture_output=True, check=False)
            return "bubblewrap" if tried.returncode == 0 else "none"
        except FileNotFoundError:
            return "none"


class Harness:
    def __init__(self, folder, tools, seed, runs):
        self.folder, self.tools, self.runs = folder, tools, runs
        self.rng = random.Random(seed)
        self.seed = seed
        self.killed = collections.Counter()
        self.directories = self.ended = self.effects = self.refused = 0
        self.place = self.load = self.seen = None
        self.wrong = []

    def go(self, kills, per_directory, failpoints):
        try:
            if failpoints:
                self.begin_directory()
                for name in failpoint_names():
                    self.kill_at(name)
                    if self.wrong:
                        return self.wrong
                self.end_directory()
            for number in range(kills):
                if self.place is None:
                    self.begin_directory()
                self.kill_once()
                if not self.wrong and (number + 1) % per_directory == 0:
                    self.end_directory()
                    print(f"{number + 1} of {kills}: {self.summary()}", flush=True)
                if self.wrong:
                    return self.wrong
            if self.place is not None:
                self.end_directory()
        except (Stuck, Refused) as end:
            self.wrong.append(f"{end}: {self.place.said()[-500:]}")
        return self.wrong

    def summary(self):
        kinds = ", ".join(f"{count} {what}" for what, count in sorted(self.killed.items()))
        return (f"{sum(self.killed.values())} kills ({kinds}) in {self.directories} directories, "
                f"{self.ended} runs ended, {self.effects} effects, "
                f"{self.refused} second processes refused")

    def begin_directory(self):
        self.directories += 1
        self.place = Place(self.folder / str(self.directories), self.tools, self.seed)
        self.load = Load(self.place, self.rng, self.tools.sandbox)
        self.load.apply()
        self.seen = None

    def look(self, settled=False):
        now = self.place.look()
        self.wrong += check.check(now, self.seen, settled)
        self.seen = now
        return now

    def fill(self):
        """Starts runs until enough are under way, and does what people do about some."""
        under_way = 0
        if self.seen:
            states = [run.get("state") for run in self.seen.runs.values()]
            under_way = sum(state in GOING_ON or state == "waiting" for state in states)
        for _ in range(max(3, min(self.runs - under_way, self.runs))):
            self.load.begin()

    def attend(self, share):
        """People answer some of what waits for them; a command may be killed meanwhile."""
        for words, user, promise in list(self.load.answers(self.seen)):
            if self.rng.random() < share:
                self.tell(words, user, promise)

    def tell(self, words, user, promise, patience=None):
        process = self.place.start(*words, "--detach", user=user)
        if patience is None:
            code = self.place.finish(process)
        elif self.place.kill_after(process, patience):
            self.killed["answers"] += 1
            return
        else:
            code = process.returncode
        if code == 0:
            self.place.promises.append(promise)
        elif code != 1:
            raise Stuck(f"{words} answers {code}")

    def kill_once(self):
        self.fill() if self.seen is None or self.rng.random() < 0.7 else None
        if self.seen:
            self.attend(0.4)
        way = self.rng.random()
        before = sum(self.killed.values())
        for _ in range(20):
            if way < 0.8 or self.seen is None:
                self.kill_resume()
            elif way < 0.9:
                self.kill_start()
            else:
                self.kill_answer()
            if sum(self.killed.values()) > before:
                break
            self.fill()
            way = 0.0
        self.look()

    def kill_resume(self):
        process = self.place.start("-q", "run", "resume", "--all")
        if self.rng.random() < 0.2:
            self.try_second(process)
        if self.place.kill_after(process, self.rng.uniform(0.0, 0.5)):
            self.killed["resumes"] += 1

    def try_second(self, first):
        """Another process on a directory in use is refused and changes nothing (I4)."""
        time.sleep(self.rng.uniform(0.1, 0.3))
        second = subprocess.run([self.tools.skein, "--data", str(self.place.data), "runs", "list"],
                                capture_output=True, text=True, check=False)
        if first.poll() is None and second.returncode == 0:
            self.wrong.append("I4 two processes had the directory at once")
        self.refused += second.returncode == 3

    def kill_start(self):
        run, words = self.load.words_of_new_run()
        process = self.place.start(*words)
        if self.place.kill_after(process, self.rng.uniform(0.0, 0.2)):
            self.killed["starts"] += 1
        elif process.returncode in (0, 4):
            self.place.promises.append({"run": run})

    def kill_answer(self):
        waiting = list(self.load.answers(self.seen))
        if waiting:
            self.tell(*self.rng.choice(waiting), patience=self.rng.uniform(0.0, 0.08))

    def kill_at(self, name):
        """Ends the process that drives all runs at one place."""
        for attempt in range(8):
            for kind in KINDS:
                self.load.begin(kind)
            if self.seen:
                self.attend(1.0)
            nth = self.rng.randint(1, 3) if attempt == 0 else 1
            process = self.place.start("-q", "run", "resume", "--all",
                                       failpoint=f"{name}:{nth}:abort")
            self.place.finish(process)
            hit = process.returncode == -9 and f"failpoint {name}\n" in self.place.said()
            self.look()
            if hit or self.wrong:
                self.killed["at failpoints"] += hit
                return
        self.wrong.append(f"the failpoint {name} was not passed")

    def end_directory(self):
        """Everything goes on until nothing is left to do; then all runs have succeeded."""
        for _ in range(40):
            self.place.run("-q", "run", "resume", "--all")
            self.look()
            if self.wrong:
                return
            states = {run.get("state") for run in self.seen.runs.values()}
            if states <= check.FINAL:
                break
            for words, user, promise in list(self.load.answers(self.seen)):
                self.tell(words, user, promise)
        self.look(settled=True)
        self.ended += len(self.seen.runs)
        self.effects += len(self.seen.ledger)
        self.place = None
