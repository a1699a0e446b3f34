#include "tools/shell/shell_tool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <fstream>

#include "tools/process/orphans.h"
#include "unit/tools/calls.h"

namespace skein::tools {
namespace {

using testing::HasSubstr;

/// A node with one workspace; `sandbox` where the test is about one.
class ShellTest : public testing::Test {
 protected:
  explicit ShellTest(bool sandbox = false) {
    settings_.roots = {folder_.path()};
    settings_.shell.sandbox = sandbox;
  }

  std::string output(ShellTool& tool, std::string_view input, std::string_view key = "stdout") {
    const ToolResult result = run(tool, input);
    if (!result || result->find(key) == nullptr) {
      return text_of(result);
    }
    const Value& found = *result->find(key);
    return found.is(Kind::string) ? std::string(found.as_string()) : to_json(found);
  }
  std::string output(std::string_view input, std::string_view key = "stdout") {
    ShellTool tool(settings_);
    return output(tool, input, key);
  }
  Error error(std::string_view input) {
    ShellTool tool(settings_);
    const ToolResult result = run(tool, input);
    return result.ok() ? Error{Code::interrupted, "it succeeded: " + to_json(*result)}
                       : result.error();
  }

  Folder folder_;
  ToolSettings settings_;
};

class SandboxTest : public ShellTest {
 protected:
  SandboxTest() : ShellTest(true) {}
};

TEST_F(ShellTest, a_command_is_argv_and_no_shell_reads_it) {
  EXPECT_EQ(output(R"({"command": ["echo", "-n", "$HOME; rm -rf *", 10, true]})"),
            "$HOME; rm -rf * 10 true");
}

TEST_F(ShellTest, a_script_runs_in_the_workspace_with_its_input) {
  EXPECT_EQ(output(R"({"script": "pwd; cat", "stdin": "hello"})"), folder_.path() + "\nhello");
}

TEST_F(ShellTest, a_command_knows_who_it_is_and_nothing_of_the_host) {
  ::setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
  const std::string environment = output(R"({"command": ["env"], "env": {"A": "b", "N": 3}})");
  EXPECT_THAT(environment, HasSubstr("SKEIN_RUN_ID=triage-1\n"));
  EXPECT_THAT(environment, HasSubstr("SKEIN_STEP_ID=count\n"));
  EXPECT_THAT(environment, HasSubstr("SKEIN_ATTEMPT=2\n"));
  EXPECT_THAT(environment, HasSubstr("SKEIN_EFFECT_KEY=triage-1/count/0\n"));
  EXPECT_THAT(environment, HasSubstr("HOME=" + folder_.path() + "\n"));
  EXPECT_THAT(environment, HasSubstr("A=b\n"));
  EXPECT_THAT(environment, HasSubstr("N=3\n"));
  EXPECT_THAT(environment, Not(HasSubstr("AWS")));
}

TEST_F(ShellTest, the_variables_of_skein_cannot_be_set) {
  EXPECT_EQ(error(R"({"command": ["env"], "env": {"SKEIN_RUN_ID": "x"}})").detail,
            "at /env/SKEIN_RUN_ID: names that begin with SKEIN_ are Skein's own");
}

TEST_F(ShellTest, an_exit_code_fails_the_step_unless_it_is_listed) {
  const Error failed = error(R"({"script": "echo broken >&2; exit 3"})");
  EXPECT_EQ(failed.code, Code::tool_failed);
  EXPECT_EQ(failed.detail, "the script ended with exit code 3: broken");
  EXPECT_EQ(error(R"({"script": "echo 'test 17 failed'; exit 1"})").detail,
            "the script ended with exit code 1: stdout: test 17 failed");
  EXPECT_EQ(error(R"({"script": "echo out; echo err >&2; exit 1"})").detail,
            "the script ended with exit code 1: err; stdout: out");
  EXPECT_EQ(output(R"({"script": "exit 3", "ok_exit_codes": [0, 3]})", "exit_code"), "3");
  EXPECT_EQ(error(R"({"script": "kill -9 $$"})").detail, "the script was killed by signal 9");
}

TEST_F(ShellTest, output_is_parsed_where_asked) {
  EXPECT_EQ(output(R"({"script": "echo '{\"a\": [1]}'", "parse": "json"})", "parsed"),
            R"({"a":[1]})");
  EXPECT_EQ(output(R"({"script": "printf 'a\\n\\nb'", "parse": "lines"})", "parsed"),
            R"(["a","","b"])");
  EXPECT_THAT(error(R"({"script": "echo no", "parse": "json"})").detail,
              HasSubstr("standard output is no JSON"));
}

TEST_F(ShellTest, bytes_that_are_no_text_are_replaced) {
  EXPECT_EQ(output(R"({"script": "printf 'a\\377b'"})"),
            "a\xEF\xBF\xBD"
            "b");
}

TEST_F(ShellTest, long_output_is_cut_and_a_flood_is_stopped) {
  EXPECT_EQ(output(R"({"script": "echo 0123456789", "max_output": 4})"), "0123");
  EXPECT_EQ(output(R"({"script": "echo 0123456789", "max_output": "4B"})", "truncated"), "true");
  EXPECT_EQ(error(R"({"command": ["yes"], "max_output": "1KiB"})").code, Code::tool_output_limit);
  EXPECT_THAT(error(R"({"command": ["yes"], "max_output": "1 apple"})").detail,
              HasSubstr("must be a size up to 1GiB"));
}

TEST_F(ShellTest, a_timeout_and_a_deadline_that_passed_are_told) {
  const Error late = error(R"({"command": ["sleep", 1000], "timeout": "100ms"})");
  EXPECT_EQ(late.code, Code::tool_timeout);
  EXPECT_THAT(late.detail, HasSubstr("\"sleep\" did not end in time"));
  ShellTool tool(settings_);
  ToolCall call = call_of("shell", json(R"({"command": ["true"]})"));
  call.deadline = Instant{1};
  EXPECT_EQ(run(tool, call).error().code, Code::tool_timeout);
}

TEST_F(ShellTest, a_wrong_input_names_the_place_and_the_nearest_key) {
  EXPECT_EQ(error(R"({"comand": ["ls"], "script": "x"})").detail,
            "shell cannot take this input: at /comand: is an unknown key (did you mean "
            "\"command\"?)");
  EXPECT_THAT(error(R"({"command": []})").detail, HasSubstr("at /command: must have at least 1"));
  EXPECT_EQ(error(R"({"command": ["ls"], "script": "x"})").code, Code::tool_input_invalid);
}

TEST_F(ShellTest, only_allowed_commands_run) {
  settings_.shell.allowed_commands = {"kubectl", "echo"};
  EXPECT_EQ(output(R"({"command": ["echo", "-n", "x"]})"), "x");
  const Error denied = error(R"({"command": ["kubctl"]})");
  EXPECT_EQ(denied.code, Code::tool_denied);
  EXPECT_EQ(denied.detail,
            "the command \"kubctl\" is not in SKEIN_SHELL_COMMANDS (did you mean \"kubectl\"?)");
  EXPECT_EQ(error(R"({"command": ["/tmp/echo"]})").code, Code::tool_denied);
  EXPECT_EQ(error(R"({"script": "echo x"})").code, Code::tool_denied);
}

TEST_F(ShellTest, a_step_cannot_make_another_program_of_an_allowed_command) {
  std::ofstream(folder_.path() + "/echo") << "#!/bin/sh\nexec /bin/echo other\n";
  std::filesystem::permissions(folder_.path() + "/echo", std::filesystem::perms::owner_all);
  const auto with = [&](const char* variable) {
    return to_json(object({{"command", json(R"(["echo", "-n", "x"])")},
                           {"env", object({{variable, folder_.path()}})}}));
  };
  EXPECT_EQ(output(with("PATH")), "other\n");
  settings_.shell.allowed_commands = {"echo"};
  for (const char* variable : {"PATH", "LD_PRELOAD", "LD_LIBRARY_PATH", "GCONV_PATH"}) {
    const Error denied = error(with(variable));
    EXPECT_EQ(denied.code, Code::tool_denied);
    EXPECT_EQ(denied.detail, std::string("at /env/") + variable +
                                 ": decides what runs, and this node runs only listed commands");
  }
  EXPECT_EQ(output(with("PLACE")), "x");
}

TEST_F(ShellTest, an_operator_can_insist_on_the_sandbox_and_on_no_network) {
  settings_.shell.allow_no_sandbox = false;
  settings_.shell.allow_network = false;
  EXPECT_EQ(error(R"({"script": ":", "sandbox": "none"})").code, Code::tool_denied);
  EXPECT_EQ(error(R"({"script": ":", "sandbox": "bubblewrap", "network": true})").code,
            Code::tool_denied);
}

TEST_F(ShellTest, the_working_directory_stays_below_the_roots) {
  std::filesystem::create_directory(folder_.path() + "/sub");
  std::filesystem::create_symlink("/", folder_.path() + "/out");
  EXPECT_EQ(output(R"({"script": "pwd", "cwd": "sub"})"), folder_.path() + "/sub\n");
  EXPECT_EQ(error(R"({"script": "pwd", "cwd": "/etc"})").code, Code::tool_denied);
  EXPECT_EQ(error(R"({"script": "pwd", "cwd": "../.."})").code, Code::tool_denied);
  EXPECT_EQ(error(R"({"script": "pwd", "cwd": "out/etc"})").code, Code::tool_denied);
  EXPECT_EQ(error(R"({"script": "pwd", "cwd": "missing"})").code, Code::tool_failed);
}

TEST_F(ShellTest, a_hidden_directory_is_no_working_directory) {
  const std::string data = folder_.path() + "/data";
  std::filesystem::create_directories(data + "/sub");
  std::filesystem::create_directory_symlink(data, folder_.path() + "/link");
  settings_.hidden = {data};
  for (const char* cwd : {"data", "data/sub", "link", "link/sub", "data/sub/.."}) {
    const Error denied = error(to_json(object({{"script", "pwd"}, {"cwd", cwd}})));
    EXPECT_EQ(denied.code, Code::tool_denied) << cwd;
    EXPECT_THAT(denied.detail, HasSubstr("is in the data directory of the node"));
  }
  EXPECT_EQ(output(R"({"script": "pwd"})"), folder_.path() + "\n");
}

TEST_F(ShellTest, a_command_that_is_not_there_is_unavailable) {
  const Error missing = error(R"({"command": ["no-such-command"]})");
  EXPECT_EQ(missing.code, Code::tool_unavailable);
  EXPECT_EQ(missing.detail, "there is no command \"no-such-command\" in PATH");
}

TEST_F(ShellTest, cancel_ends_a_call_and_its_result_still_arrives) {
  ShellTool tool(settings_);
  Promise<ToolResult> promise;
  const auto handle =
      tool.start(call_of("shell", json(R"({"command": ["sleep", 1000]})")), std::ref(promise));
  handle->cancel();
  handle->cancel();
  EXPECT_EQ(promise.wait().error().code, Code::step_cancelled);
  EXPECT_EQ(promise.calls(), 1);
}

TEST_F(SandboxTest, the_end_of_the_tool_ends_calls_that_still_wait_for_the_sandbox) {
  Promise<ToolResult> promise;
  std::unique_ptr<ToolHandle> handle;
  {
    ShellTool tool(settings_);
    handle =
        tool.start(call_of("shell", json(R"({"command": ["sleep", 1000]})")), std::ref(promise));
  }
  EXPECT_FALSE(promise.wait().ok());
  handle->cancel();
  EXPECT_EQ(promise.calls(), 1);
  EXPECT_TRUE(children_of_this_process().empty());
}

TEST_F(SandboxTest, a_command_works_on_its_workspace) {
  EXPECT_EQ(output(R"({"script": "pwd; echo hi > made; cat made; echo $SKEIN_STEP_ID"})"),
            folder_.path() + "\nhi\ncount\n");
  EXPECT_TRUE(std::filesystem::exists(folder_.path() + "/made"));
  EXPECT_EQ(output(R"({"command": ["sort"], "stdin": "b\na\n"})"), "a\nb\n");
}

TEST_F(SandboxTest, nothing_outside_of_the_workspace_can_be_written_or_seen) {
  EXPECT_EQ(error(R"({"script": "echo x > /usr/x"})").code, Code::tool_failed);
  EXPECT_EQ(error(R"({"script": "echo x > /etc/x"})").code, Code::tool_failed);
  EXPECT_EQ(output(R"({"script": "ls -d /root /home /var /srv /sys 2>/dev/null; :"})"), "");
  EXPECT_EQ(output(R"({"script": "cat /etc/shadow 2>/dev/null; :"})"), "");
  EXPECT_EQ(output(R"({"script": "echo x > /tmp/x && cat /tmp/x"})"), "x\n");
}

TEST_F(SandboxTest, a_hidden_directory_in_the_workspace_is_empty_and_cannot_be_written) {
  const std::string data = folder_.path() + "/data";
  std::filesystem::create_directory(data);
  std::ofstream(data + "/CURRENT") << "MANIFEST";
  settings_.hidden = {data, folder_.path() + "/not-there"};
  EXPECT_EQ(output(R"({"script": "ls -A data; cat data/CURRENT 2>/dev/null; echo x > made"})"), "");
  EXPECT_EQ(error(R"({"script": "echo x > data/CURRENT"})").code, Code::tool_failed);
  EXPECT_EQ(error(R"({"script": "mv data other"})").code, Code::tool_failed);
  EXPECT_TRUE(std::filesystem::exists(folder_.path() + "/made"));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/not-there"));
  std::ifstream in(data + "/CURRENT");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "MANIFEST");
}

TEST_F(SandboxTest, a_root_that_is_the_whole_machine_is_no_workspace_of_a_sandbox) {
  for (const char* root : {"/", "/dev", "/proc"}) {
    settings_.roots = {root};
    const Error denied = error(R"({"script": "cat /etc/shadow"})");
    EXPECT_EQ(denied.code, Code::tool_denied) << root;
    EXPECT_EQ(denied.detail,
              std::string("no sandbox can hold a command back that may write all of ") + root);
  }
  settings_.roots = {"/"};
  EXPECT_EQ(output(R"({"script": "pwd", "sandbox": "none"})"), "/\n");
}

TEST_F(SandboxTest, the_variables_of_a_command_do_not_act_on_what_builds_its_sandbox) {
  const std::string loaded =
      output(R"({"command": ["env"], "env": {"LD_SHOW_AUXV": 1, "A": "b\nc", "EMPTY": ""}})");
  EXPECT_THAT(loaded, HasSubstr("AT_EXECFN"));  // said by the loader of the command,
  EXPECT_THAT(loaded, Not(HasSubstr("bwrap"))); // and not by that of bubblewrap
  EXPECT_THAT(loaded, HasSubstr("\nA=b\nc\nEMPTY=\n"));
  EXPECT_THAT(loaded, HasSubstr("\nSKEIN_EFFECT_KEY=triage-1/count/0\n"));
}

TEST_F(SandboxTest, there_are_no_other_processes_no_rights_and_no_way_to_more) {
  EXPECT_EQ(output(R"({"script": "echo /proc/[0-9]*"})"), "/proc/1 /proc/2\n"); // init, sh
  EXPECT_THAT(output(R"({"script": "grep CapEff /proc/self/status"})"),
              HasSubstr("0000000000000000"));
  EXPECT_THAT(output(R"({"script": "grep NoNewPrivs /proc/self/status"})"), HasSubstr("1"));
  EXPECT_EQ(error(R"({"script": "unshare -U true"})").code, Code::tool_failed);
  EXPECT_EQ(error(R"({"script": "mount -t tmpfs x /tmp"})").code, Code::tool_failed);
}

TEST_F(SandboxTest, there_is_no_network) {
  EXPECT_EQ(
      output(R"({"script": "tail -n +3 /proc/net/dev | grep -cv lo:", "ok_exit_codes": [0, 1]})"),
      "0\n");
}

TEST_F(SandboxTest, a_huge_file_is_refused) {
  const Error refused = error(R"({"command": ["truncate", "-s", "256G", "huge"]})");
  EXPECT_EQ(refused.code, Code::tool_failed);
}

TEST_F(SandboxTest, what_is_written_to_memory_is_limited) {
  settings_.shell.max_temporary = 1u << 20;
  for (const char* folder : {"/tmp", "/dev/shm"}) {
    const std::string file = std::string(folder) + "/x";
    const auto go = [&](const std::string& script) {
      ShellTool tool(settings_);
      return text_of(run(tool, call_of("shell", object({{"script", script}}))));
    };
    EXPECT_THAT(go("echo x > " + file + " && cat " + file), HasSubstr("\"stdout\":\"x\\n\""))
        << folder;
    EXPECT_THAT(go("head -c 2M /dev/zero > " + file), HasSubstr("No space left")) << folder;
  }
  EXPECT_THAT(error(R"({"script": "echo x > /dev/x"})").detail, HasSubstr("Read-only"));
  EXPECT_THAT(error(R"({"script": "mkdir /dev/pts/x /dev/x"})").code, Code::tool_failed);
  EXPECT_EQ(output(R"({"script": "echo x > /dev/null; echo y > /dev/stdout"})"), "y\n");
}

TEST_F(SandboxTest, a_memory_hog_is_refused) {
  settings_.shell.max_memory = 64u << 20;
  EXPECT_EQ(error(R"({"script": "head -c 1G /dev/zero | tail -c 1G >/dev/null"})").code,
            Code::tool_failed);
}

TEST_F(SandboxTest, more_processes_than_allowed_are_refused) {
  settings_.shell.max_processes = 64;
  const Error bombed = error(R"({"script": "while :; do sleep 1000 & done", "timeout": "20s"})");
  EXPECT_EQ(bombed.code, Code::tool_failed) << to_string(bombed);
  EXPECT_TRUE(children_of_this_process().empty());
}

TEST_F(SandboxTest, a_daemon_that_ignores_every_signal_dies_with_its_call) {
  EXPECT_EQ(
      output(
          R"re({"script": "setsid sh -c \"trap '' TERM HUP; (sleep 1000 &)\" & sleep 0.05; echo ok"})re"),
      "ok\n");
  EXPECT_EQ(
      error(R"re({"script": "trap '' TERM; sleep 1000; sleep 1000", "timeout": "200ms"})re").code,
      Code::tool_timeout);
  EXPECT_TRUE(children_of_this_process().empty());
}

TEST_F(SandboxTest, a_command_hears_sigterm_inside_the_sandbox) {
  ShellTool tool(settings_);
  const ToolResult result = run(
      tool,
      R"re({"script": "trap 'echo bye > bye; exit 7' TERM; while :; do sleep 0.01; done", "timeout": "300ms"})re");
  EXPECT_FALSE(result.ok());
  EXPECT_TRUE(std::filesystem::exists(folder_.path() + "/bye"));
}

TEST_F(SandboxTest, a_command_that_the_sandbox_does_not_show_is_unavailable) {
  std::ofstream(folder_.path() + "/tool") << "#!/bin/sh\necho own\n";
  std::filesystem::permissions(folder_.path() + "/tool", std::filesystem::perms::owner_all);
  EXPECT_EQ(output(R"({"command": ["./tool"]})"), "own\n");
  EXPECT_EQ(error(R"({"command": ["/opt/no/such"]})").code, Code::tool_unavailable);
}

} // namespace
} // namespace skein::tools
