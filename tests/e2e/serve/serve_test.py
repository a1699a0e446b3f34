"""A node as a process: found, asked, drained, killed, and found again.

serve_test.py SKEIN
"""

import json
import os
import signal
import socket
import stat
import subprocess
import unittest

import node_under_test
from node_under_test import NodeTest, until


class Serve(NodeTest):
    def test_a_node_leaves_what_commands_find_it_by_and_takes_it_away(self):
        self.serve("--name", "one")
        found = json.loads((self.data / "node.json").read_text())
        self.assertEqual(found["pid"], self.node.pid)
        self.assertEqual((self.data / "skein.pid").read_text().strip(), str(self.node.pid))
        self.assertEqual(stat.S_IMODE((self.data / "token").stat().st_mode), 0o600)
        about = json.loads(self.command("-o", "json", "node", "status"))
        self.assertEqual((about["name"], about["id"]), ("one", found["id"]))
        token = self.token()
        self.node.send_signal(signal.SIGTERM)
        self.assertEqual(self.node.wait(timeout=30), 0, self.log())
        self.assertFalse((self.data / "node.json").exists())
        self.assertFalse((self.data / "skein.pid").exists())
        self.command("node", "status", code=3)
        self.assertIn("SK6006", self.stderr)  # node_unreachable
        self.serve()
        self.assertEqual(self.token(), token)

    def test_commands_go_through_the_node_and_say_the_same(self):
        self.serve()
        ran = json.loads(self.command("-o", "json", "run", "flow", "quick.yaml", "-i", "n=21",
                                      "--id", "q-1"))
        self.assertEqual((ran["state"], ran["output"]), ("succeeded", 42))
        self.assertEqual(json.loads(self.command("-o", "json", "runs", "list"))[0], ran)
        self.assertEqual(self.ask("GET", "/v1/runs/q-1"), ran)
        served = self.command("run", "export", "q-1")
        self.assertEqual(json.loads(served), self.ask("GET", "/v1/runs/q-1/export"))
        self.node.send_signal(signal.SIGTERM)
        self.assertEqual(self.node.wait(timeout=30), 0)
        self.assertEqual(self.command("run", "export", "q-1"), served)

    def test_a_second_node_on_a_data_directory_is_refused(self):
        self.serve()
        self.command("serve", "--listen", "127.0.0.1:0", code=3)
        self.assertIn("SK3001", self.stderr)
        self.assertEqual(self.request("GET", "/healthz")[0], 200)
        self.assertTrue((self.data / "node.json").exists())

    def test_a_run_goes_on_where_the_node_was_killed_and_who_waits_hears_of_its_end(self):
        self.serve()
        waiting = self.begin("run", "flow", "waiting.yaml", "--id", "w-1", "--watch")
        self.until_state("w-1", "waiting")
        self.assertEqual(waiting.wait(timeout=30), 4)  # it waits for a signal: nothing to stay for
        staying = self.begin("-o", "json", "run", "flow", "slow.yaml", "--id", "s-1") \
            if self.slow_flow() else None
        until(lambda: (self.folder / "started").exists(), "the first attempt")
        self.node.kill()
        self.node.wait()
        (self.folder / "go").touch()
        self.serve()
        out, err = staying.communicate(timeout=60)
        self.assertEqual(staying.returncode, 0, err + self.log())
        self.assertEqual(json.loads(out)["state"], "succeeded")
        self.command("run", "signal", "w-1", "go", "--payload", "{\"a\":1}")
        self.until_state("w-1", "succeeded")

    def slow_flow(self):
        (self.folder / "slow.yaml").write_text("""
apiVersion: skein.dev/v1
kind: Flow
metadata: { name: slow }
spec:
  steps:
    - id: hold
      tool: shell
      effect: idempotent
      with:
        sandbox: none
        script: "touch started; until [ -e go ]; do sleep 0.05; done; echo held"
""")
        return True

    def test_a_signal_drains_and_what_is_left_goes_on_at_the_next_start(self):
        self.serve("--drain-timeout", "200ms")
        self.slow_flow()
        run = self.begin("run", "flow", "slow.yaml", "--id", "s-1")
        until(lambda: (self.folder / "started").exists(), "the first attempt")
        self.node.send_signal(signal.SIGTERM)
        self.assertEqual(self.node.wait(timeout=30), 0, self.log())
        (self.folder / "go").touch()
        self.serve()
        self.until_state("s-1", "succeeded")
        run.communicate(timeout=60)
        self.assertEqual(run.returncode, 0)

    def test_while_it_drains_it_starts_nothing_and_still_tells(self):
        self.serve("--drain-timeout", "20s")
        self.slow_flow()
        self.command("run", "flow", "slow.yaml", "--id", "s-1", "--detach")
        until(lambda: (self.folder / "started").exists(), "the first attempt")
        self.node.send_signal(signal.SIGTERM)
        until(lambda: self.request("GET", "/readyz")[0] == 503, "draining")
        status, _, text = self.request("POST", "/v1/runs", {"flow": "slow"})
        self.assertEqual((status, json.loads(text)["error"]["code"]), (503, "SK6003"))
        self.assertEqual(self.state("s-1"), "running")
        (self.folder / "go").touch()
        self.assertEqual(self.node.wait(timeout=30), 0)

    def test_a_second_signal_ends_it_at_once(self):
        self.serve()
        self.slow_flow()
        self.command("run", "flow", "slow.yaml", "--id", "s-1", "--detach")
        until(lambda: (self.folder / "started").exists(), "the first attempt")
        self.node.send_signal(signal.SIGTERM)
        until(lambda: self.request("GET", "/readyz")[0] == 503, "draining")
        self.node.send_signal(signal.SIGTERM)
        self.assertEqual(self.node.wait(timeout=5), 130)
        (self.folder / "go").touch()

    def test_ctrl_c_leaves_the_run_and_cancel_ends_it(self):
        self.serve()
        self.slow_flow()
        run = self.begin("run", "flow", "slow.yaml", "--id", "s-1")
        until(lambda: (self.folder / "started").exists(), "the first attempt")
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=30)
        self.assertEqual(run.returncode, 130)
        self.assertIn("leaving run s-1, which goes on", err)
        self.assertEqual(self.state("s-1"), "running")
        self.command("run", "cancel", "s-1")
        self.until_state("s-1", "cancelled")
        (self.folder / "go").touch()

    def test_a_file_of_a_node_that_is_gone_is_no_node(self):
        self.serve()
        self.node.kill()
        self.node.wait()
        self.assertTrue((self.data / "node.json").exists())
        self.command("run", "flow", "quick.yaml", "-i", "n=1", "--id", "q-1")

    def test_a_context_names_a_node_elsewhere(self):
        self.serve()
        self.environment.pop("SKEIN_DATA")
        url = f"http://127.0.0.1:{self.port}"
        self.command("config", "set-context", "there", "--server", url + "/", "--token-file",
                     str(self.data / "token"))
        self.command("--context", "there", "run", "flow", "quick.yaml", "-i", "n=1", "--id", "q-1")
        self.command("config", "use-context", "there")
        self.assertEqual(self.command("-o", "name", "runs", "list"), "q-1\n")
        self.assertIn(f"*        there  {url}", self.command("config", "get-contexts"))
        self.command("--context", "their", "runs", "list", code=2)
        self.assertIn("SK6011", self.stderr)  # context_unknown
        self.command("config", "set", "token", "wrong")
        self.command("runs", "list", code=3)
        self.assertIn("SK6007", self.stderr)
        file = self.folder / ".config/skein/config.yaml"
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)

    def test_a_supervisor_hears_when_it_is_ready_well_and_going(self):
        path = str(self.folder / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
            heard.bind(path)
            heard.settimeout(30)
            self.serve(NOTIFY_SOCKET=path, WATCHDOG_USEC="100000")
            self.assertIn(b"READY=1", heard.recv(1000))
            self.assertEqual(heard.recv(1000), b"WATCHDOG=1")
            self.node.send_signal(signal.SIGTERM)
            while (said := heard.recv(1000)) != b"STOPPING=1":
                self.assertEqual(said, b"WATCHDOG=1")
        self.assertEqual(self.node.wait(timeout=30), 0)

    def test_paths_of_inputs_are_the_node_s_and_files_the_command_s(self):
        self.serve()
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "other.yaml").write_text(node_under_test.QUICK.replace("quick", "other"))
        ran = subprocess.run([self.skein, "run", "flow", "other.yaml", "-i", "n=2"], cwd=elsewhere,
                             env=self.environment, capture_output=True, text=True, check=False)
        self.assertEqual((ran.returncode, ran.stdout), (0, "4\n"), ran.stderr)

    def test_logs_are_lines_of_json_where_that_is_asked_for(self):
        self.serve("--log-format", "json")
        self.ready()
        for line in self.log().splitlines():
            self.assertEqual(set(json.loads(line)), {"at", "level", "message"})
        self.assertTrue(os.path.getsize(self.folder / "node.log"))


if __name__ == "__main__":
    node_under_test.main()
