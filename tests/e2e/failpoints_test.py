"""Only the test build of the command reads SKEIN_FAILPOINT, and it ends where it was told to.

failpoints_test.py SKEIN SKEIN_FAILPOINTS
"""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

FLOW = """
apiVersion: skein.dev/v1
kind: Flow
metadata: { name: two }
spec:
  steps:
    - { id: one, tool: shell, effect: idempotent, with: { command: [echo, one], sandbox: none } }
    - { id: two, tool: shell, effect: idempotent, with: { command: [echo, two], sandbox: none } }
"""


class Failpoints(unittest.TestCase):
    released, testing = "", ""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "two.yaml").write_text(FLOW)

    def run_flow(self, binary, failpoint):
        return subprocess.run(
            [binary, "--data", "data", "run", "flow", "two.yaml", "--id", "run-1"],
            cwd=self.folder, env={**os.environ, "SKEIN_FAILPOINT": failpoint},
            capture_output=True, text=True, timeout=60, check=False)

    def test_the_released_binary_does_not_know_the_variable(self):
        self.assertNotIn(b"SKEIN_FAILPOINT", pathlib.Path(self.released).read_bytes())
        self.assertIn(b"SKEIN_FAILPOINT", pathlib.Path(self.testing).read_bytes())
        self.assertEqual(self.run_flow(self.released, "effect.before_tool:1:abort").returncode, 0)

    def test_abort_ends_the_process_at_the_place_and_the_run_goes_on_later(self):
        ended = self.run_flow(self.testing, "effect.before_tool:2:abort")
        self.assertEqual(ended.returncode, -signal.SIGKILL)
        self.assertIn("failpoint effect.before_tool\n", ended.stderr)
        resumed = subprocess.run([self.released, "--data", "data", "run", "resume", "run-1"],
                                 cwd=self.folder, capture_output=True, timeout=60, check=False)
        self.assertEqual(resumed.returncode, 0, resumed.stderr)

    def test_exit_ends_the_process_with_its_own_code(self):
        self.assertEqual(self.run_flow(self.testing, "run.after_sync:1:exit").returncode, 86)

    def test_a_delay_and_a_place_that_is_never_passed_change_nothing(self):
        for failpoint in ("run.after_sync:1:delay:5", "no.such_place:1:abort"):
            self.assertEqual(self.run_flow(self.testing, failpoint).returncode, 0)

    def test_what_cannot_be_read_is_wrong_usage(self):
        for failpoint in ("name", "name:0:abort", "name:x:abort", ":1:abort", "name:1:delay",
                          "name:1:explode", "name:1:abort,,"):
            self.assertEqual(self.run_flow(self.testing, failpoint).returncode, 2, failpoint)


if __name__ == "__main__":
    Failpoints.released, Failpoints.testing = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
