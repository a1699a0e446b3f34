#include "e2e/failpoints.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/ports/failpoint.h"

namespace skein::test {
namespace {

constexpr int kExitCode = 86;

struct Rule {
  enum class Action { abort, exit, delay };
  std::string name;
  long nth = 1;
  Action action = Action::abort;
  std::chrono::milliseconds delay{0};
  std::atomic<long> passed{0};
};

std::list<Rule>& rules() {
  static std::list<Rule> all;
  return all;
}

void pass(const char* name) {
  for (Rule& rule : rules()) {
    if (rule.name != name) {
      continue;
    }
    const long passed = ++rule.passed;
    if (rule.action == Rule::Action::delay) {
      if (passed >= rule.nth) {
        std::this_thread::sleep_for(rule.delay);
      }
    } else if (passed == rule.nth) {
      std::fprintf(stderr, "failpoint %s\n", name);
      if (rule.action == Rule::Action::abort) {
        ::kill(::getpid(), SIGKILL);
      }
      ::_exit(kExitCode);
    }
  }
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(by, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::optional<long> count_of(std::string_view text) {
  long count = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), count);
  return wrong == std::errc() && end == text.data() + text.size() && count > 0
             ? std::optional(count)
             : std::nullopt;
}

bool add(std::string_view text) {
  const auto parts = split(text, ':');
  const auto nth = parts.size() >= 3 ? count_of(parts[1]) : std::nullopt;
  if (!nth || parts[0].empty()) {
    return false;
  }
  Rule& rule = rules().emplace_back();
  rule.name = parts[0];
  rule.nth = *nth;
  if (parts[2] == "delay" && parts.size() == 4) {
    const auto delay = count_of(parts[3]);
    rule.action = Rule::Action::delay;
    rule.delay = std::chrono::milliseconds(delay.value_or(0));
    return delay.has_value();
  }
  rule.action = parts[2] == "exit" ? Rule::Action::exit : Rule::Action::abort;
  return parts.size() == 3 && (parts[2] == "exit" || parts[2] == "abort");
}

} // namespace

void install_failpoints() {
  const char* wanted = std::getenv("SKEIN_FAILPOINT");
  if (wanted == nullptr || *wanted == '\0') {
    return;
  }
  for (const std::string_view text : split(wanted, ',')) {
    if (!add(text)) {
      std::fprintf(stderr, "SKEIN_FAILPOINT: \"%s\" is not NAME:NTH:abort, exit or delay:MS\n",
                   std::string(text).c_str());
      std::exit(2);
    }
  }
  failpoint_hook.store(&pass);
}

} // namespace skein::test
