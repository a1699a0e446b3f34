#include "tools/process/process_loop.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <deque>
#include <sstream>

#include "tools/process/orphans.h"
#include "unit/tools/promise.h"

namespace skein::tools {
namespace {

using Outcome = Promise<Result<ChildOutcome>>;

ChildSpec script(std::string text) {
  ChildSpec spec;
  spec.argv = {"/bin/sh", "-c", std::move(text)};
  spec.environment = {"PATH=/usr/bin:/bin", "MARK=of-one-call"};
  spec.mark = "MARK=of-one-call";
  return spec;
}

Result<ChildOutcome> run(ProcessLoop& loop, ChildSpec spec) {
  Outcome outcome;
  loop.start(std::move(spec), std::ref(outcome));
  return outcome.wait();
}

bool gone(pid_t pid) { return ::kill(pid, 0) != 0 && errno == ESRCH; }

TEST(ProcessLoop, output_error_and_exit_code_arrive) {
  ProcessLoop loop;
  ChildSpec spec = script("cat; echo oops >&2; exit 3");
  spec.input = "hello";
  const auto outcome = run(loop, std::move(spec));
  ASSERT_TRUE(outcome.ok()) << to_string(outcome.error());
  EXPECT_EQ(outcome->out, "hello");
  EXPECT_EQ(outcome->err, "oops\n");
  EXPECT_EQ(outcome->exit_code, 3);
  EXPECT_EQ(outcome->signal, 0);
  EXPECT_FALSE(outcome->truncated);
}

TEST(ProcessLoop, nothing_of_this_process_leaks_into_a_child) {
  ::setenv("SKEIN_TEST_SECRET", "x", 1);
  ProcessLoop loop;
  ChildSpec spec = script("env | sort; ls /proc/self/fd");
  spec.files = {"third"};
  const auto outcome = run(loop, std::move(spec));
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->out.find("SECRET"), std::string::npos);
  EXPECT_TRUE(outcome->out.ends_with("0\n1\n2\n3\n4\n")) << outcome->out; // 4: ls reads the folder
}

TEST(ProcessLoop, extra_contents_are_open_as_numbered_descriptors) {
  ProcessLoop loop;
  ChildSpec spec = script("cat <&3; cat <&4");
  spec.files = {"three ", "four"};
  EXPECT_EQ(run(loop, std::move(spec))->out, "three four");
}

TEST(ProcessLoop, a_command_that_cannot_start_says_why) {
  ProcessLoop loop;
  ChildSpec spec;
  spec.argv = {"/does/not/exist"};
  const auto outcome = run(loop, spec);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, Code::tool_unavailable);
  EXPECT_EQ(outcome.error().detail, "cannot start /does/not/exist: No such file or directory");
  spec.argv = {"/bin/true"};
  spec.directory = "/does/not/exist";
  EXPECT_FALSE(run(loop, spec).ok());
}

TEST(ProcessLoop, a_signal_is_told_from_an_exit) {
  ProcessLoop loop;
  const auto outcome = run(loop, script("kill -SEGV $$"));
  EXPECT_EQ(outcome->signal, SIGSEGV);
  EXPECT_EQ(outcome->exit_code, 128 + SIGSEGV);
}

TEST(ProcessLoop, more_output_than_is_kept_is_cut_and_said) {
  ProcessLoop loop;
  ChildSpec spec = script("printf 0123456789; printf abcdefghij >&2");
  spec.max_output = 4;
  const auto outcome = run(loop, std::move(spec));
  EXPECT_EQ(outcome->out, "0123");
  EXPECT_EQ(outcome->err, "abcd");
  EXPECT_TRUE(outcome->truncated);
  EXPECT_EQ(outcome->stopped, Stopped::no);
}

TEST(ProcessLoop, endless_output_is_stopped) {
  ProcessLoop loop;
  ChildSpec spec = script("exec yes");
  spec.max_output = 1024;
  const auto outcome = run(loop, std::move(spec));
  EXPECT_EQ(outcome->stopped, Stopped::flood);
  EXPECT_EQ(outcome->out.size(), 1024u);
}

TEST(ProcessLoop, a_child_that_ignores_sigterm_is_killed_with_all_it_started) {
  ProcessLoop loop;
  ChildSpec spec = script("trap '' TERM; sh -c \"trap '' TERM; echo \\$\\$; exec sleep 1000\"; :");
  spec.timeout = Millis{300};
  const auto outcome = run(loop, std::move(spec));
  EXPECT_EQ(outcome->stopped, Stopped::timeout);
  EXPECT_EQ(outcome->signal, SIGKILL);
  ASSERT_FALSE(outcome->out.empty());
  EXPECT_TRUE(gone(std::stoi(outcome->out)));
}

TEST(ProcessLoop, a_child_that_heeds_sigterm_can_say_good_bye) {
  ProcessLoop loop;
  ChildSpec spec = script("trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.01; done");
  spec.timeout = Millis{200};
  const auto outcome = run(loop, std::move(spec));
  EXPECT_EQ(outcome->out, "up\nbye\n");
  EXPECT_EQ(outcome->exit_code, 7);
}

TEST(ProcessLoop, what_a_child_leaves_behind_is_killed_even_a_daemon) {
  ProcessLoop loop;
  const auto outcome = run(
      loop, script("sleep 1000 & echo $!; setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.1"));
  ASSERT_TRUE(outcome.ok());
  std::istringstream pids(outcome->out);
  for (pid_t pid = 0; pids >> pid;) {
    EXPECT_TRUE(gone(pid)) << pid;
  }
}

TEST(ProcessLoop, a_daemon_that_hid_itself_and_ended_leaves_no_zombie) {
  ProcessLoop loop;
  const auto outcome = run(loop, script("echo $(setsid -f env -i /bin/sh -c 'echo $$')"));
  const pid_t daemon = std::atoi(outcome->out.c_str());
  ASSERT_GT(daemon, 1) << outcome->out;
  for (int call = 0; call < 500 && !gone(daemon); ++call) {
    ASSERT_TRUE(run(loop, script("true")).ok());
  }
  EXPECT_TRUE(gone(daemon)) << daemon;
}

TEST(ProcessLoop, cancel_ends_a_child_and_its_outcome_arrives_once) {
  ProcessLoop loop;
  Outcome outcome;
  const auto id = loop.start(script("exec sleep 1000"), std::ref(outcome));
  loop.cancel(id);
  loop.cancel(id);
  EXPECT_EQ(outcome.wait()->stopped, Stopped::cancelled);
  loop.cancel(id);
  EXPECT_TRUE(run(loop, script(":")).ok());
  EXPECT_EQ(outcome.calls(), 1);
}

TEST(ProcessLoop, the_end_of_the_loop_ends_every_child) {
  std::deque<Outcome> outcomes(8);
  {
    ProcessLoop loop;
    for (Outcome& outcome : outcomes) {
      loop.start(script("exec sleep 1000"), std::ref(outcome));
    }
  }
  for (Outcome& outcome : outcomes) {
    const auto result = outcome.wait();
    EXPECT_TRUE(result.ok() ? result->stopped == Stopped::cancelled
                            : result.error().code == Code::step_cancelled);
  }
  EXPECT_TRUE(children_of_this_process().empty());
}

TEST(ProcessLoop, many_children_run_on_one_thread) {
  ProcessLoop loop;
  std::deque<Outcome> outcomes(100);
  for (Outcome& outcome : outcomes) {
    loop.start(script("echo hi"), std::ref(outcome));
  }
  for (Outcome& outcome : outcomes) {
    EXPECT_EQ(outcome.wait()->out, "hi\n");
  }
  EXPECT_TRUE(children_of_this_process().empty());
}

TEST(ProcessLoop, a_child_dies_with_a_parent_that_is_killed) {
  int pipe_fds[2];
  ASSERT_EQ(::pipe(pipe_fds), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    ProcessLoop loop;
    Outcome outcome;
    const std::string pipe =
        "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(pipe_fds[1]);
    loop.start(script("exec >" + pipe + "; echo $$; exec sleep 1000"), std::ref(outcome));
    (void)outcome.wait();
    ::_exit(0);
  }
  ::close(pipe_fds[1]);
  char buffer[32] = {};
  ASSERT_GT(::read(pipe_fds[0], buffer, sizeof buffer - 1), 0);
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  EXPECT_EQ(::read(pipe_fds[0], buffer, 1), 0); // the pipe ends when the last holder is dead
  ::close(pipe_fds[0]);
}

} // namespace
} // namespace skein::tools
