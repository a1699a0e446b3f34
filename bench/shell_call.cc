// Microseconds of one call of the shell tool, beside what the system takes to start the same
// command and wait for its end. Medians.

#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include "tools/tool_box.h"

namespace {

using skein::Value;

constexpr int kCalls = 400;

double micros(const std::function<bool()>& work, bool& good) {
  const auto start = std::chrono::steady_clock::now();
  good = work() && good;
  const std::chrono::duration<double, std::micro> spent = std::chrono::steady_clock::now() - start;
  return spent.count();
}

bool spawn_and_wait(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const std::string& word : words) {
    argv.push_back(const_cast<char*>(word.c_str())); // NOLINT: posix_spawn takes no const
  }
  argv.push_back(nullptr);
  char* environment[] = {nullptr};
  pid_t child = 0;
  int status = -1;
  return ::posix_spawn(&child, argv[0], nullptr, nullptr, argv.data(), environment) == 0 &&
         ::waitpid(child, &status, 0) == child && status == 0;
}

bool call(skein::Tool& shell, const char* sandbox) {
  skein::ToolCall call;
  call.tool = "shell";
  call.input =
      skein::object({{"command", Value::of_list({Value("/usr/bin/true")})}, {"sandbox", sandbox}});
  call.run = skein::RunId("bench-1");
  call.step = "one";
  call.key = "bench-1/one/0";
  std::promise<bool> done;
  const auto handle =
      shell.start(call, [&](skein::ToolResult result) { done.set_value(result.ok()); });
  return done.get_future().get();
}

struct Row {
  const char* name;
  std::function<bool()> work;
  std::vector<double> times{};
  bool good = true;

  double median() {
    std::nth_element(times.begin(), times.begin() + kCalls / 2, times.end());
    return times[kCalls / 2];
  }
};

} // namespace

int main() {
  skein::tools::ToolSettings settings;
  settings.roots.push_back(std::filesystem::current_path().string());
  const auto tools = skein::tools::make_tool_box(std::move(settings));
  skein::Tool& shell = *tools->find("shell");
  const std::vector<std::string> bwrap{"/usr/bin/bwrap", "--unshare-all", "--ro-bind", "/", "/",
                                       "/usr/bin/true"};
  std::vector<Row> rows{
      {"posix_spawn and wait, true", [] { return spawn_and_wait({"/usr/bin/true"}); }},
      {"shell tool, sandbox: none", [&] { return call(shell, "none"); }},
      {"posix_spawn and wait, bwrap true", [&] { return spawn_and_wait(bwrap); }},
      {"shell tool, in its sandbox", [&] { return call(shell, "bubblewrap"); }}};
  // Ours last: from its first call on, this process inherits what sandboxes of others leave behind.
  for (Row* row : {&rows[0], &rows[2], &rows[1], &rows[3]}) {
    for (int i = 0; i < kCalls + 10; ++i) {
      const double spent = micros(row->work, row->good);
      if (i >= 10) {
        row->times.push_back(spent);
      }
    }
  }
  double before = 1;
  for (Row& row : rows) {
    const double median = row.median();
    const bool ours = &row == &rows[1] || &row == &rows[3];
    std::printf("%-34s %9.0f us", row.name, median);
    ours ? std::printf("  %.2f x\n", median / before) : std::printf("\n");
    if (!row.good) {
      std::printf("  a call failed: the number means nothing\n");
    }
    before = median;
  }
  return 0;
}
