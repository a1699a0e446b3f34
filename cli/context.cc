#include "cli/context.h"

#include <cstdlib>
#include <sstream>
#include <vector>

#include "node/remote/remote_node.h"
#include "node/system_clock.h"

namespace skein::cli {
namespace {

// An environment variable as words between commas.
std::vector<std::string> words_of(const char* name) {
  std::vector<std::string> words;
  const char* text = std::getenv(name);
  std::stringstream stream(text != nullptr ? text : "");
  for (std::string word; std::getline(stream, word, ',');) {
    const std::size_t begin = word.find_first_not_of(" \t");
    if (begin != std::string::npos) {
      words.push_back(word.substr(begin, word.find_last_not_of(" \t") + 1 - begin));
    }
  }
  return words;
}

struct Switch {
  const char* variable;
  bool node::Settings::*setting;
  std::string_view on; ///< as it is where the variable says nothing
  std::string_view off;
};
constexpr Switch kSwitches[] = {
    {"SKEIN_SANDBOX", &node::Settings::sandbox, "bubblewrap", "none"},
    {"SKEIN_SHELL_NETWORK", &node::Settings::shell_network, "allow", "deny"},
    {"SKEIN_SHELL_UNSANDBOXED", &node::Settings::shell_unsandboxed, "allow", "deny"},
};

struct WordList {
  const char* variable;
  std::vector<std::string> node::Settings::*setting;
};
constexpr WordList kWordLists[] = {
    {"SKEIN_SHELL_COMMANDS", &node::Settings::shell_commands},
    {"SKEIN_SHELL_ENV", &node::Settings::shell_environment},
    {"SKEIN_HTTP_ALLOW", &node::Settings::http_allow},
};

// After each variable, so that an error belongs to the last one.
Result<void> check_after(const char* variable, const node::Settings& settings) {
  auto checked = node::check(settings);
  if (!checked) {
    return Error{checked.error().code, std::string(variable) + ": " + checked.error().detail,
                 checked.error().hint};
  }
  return {};
}

// What the environment lets tools do.
Result<void> read_environment(node::Settings& settings) {
  for (const auto& [variable, setting, on, off] : kSwitches) {
    const auto words = words_of(variable);
    if (words.size() > 1 || (words.size() == 1 && words[0] != on && words[0] != off)) {
      return Error{Code::usage_invalid, std::string(variable) + " is \"" + std::getenv(variable) +
                                            "\", not " + std::string(on) + " or " +
                                            std::string(off)};
    }
    settings.*setting = words.empty() || words[0] == on;
    if (auto checked = check_after(variable, settings); !checked) {
      return checked;
    }
  }
  for (const auto& [variable, setting] : kWordLists) {
    settings.*setting = words_of(variable);
    if (auto checked = check_after(variable, settings); !checked) {
      return checked;
    }
  }
  return {};
}

} // namespace

Result<node::Settings> Context::settings() const {
  node::Settings settings;
  settings.data = data;
  settings.recover = false;
  auto told = read_environment(settings);
  return told ? Result<node::Settings>(std::move(settings)) : told.error();
}

namespace {

struct Opening {
  bool make = false;
  bool works = false;
  bool recover = false;
};

Result<std::unique_ptr<node::Node>> open_node(const Context& context, Opening how) {
  auto told = context.settings();
  if (!told || context.trouble) {
    return context.trouble ? *context.trouble : told.error();
  }
  if (!context.server.empty()) {
    return node::connect(node::Endpoint{context.server, context.token, "", {}, 0}, *told);
  }
  told->make = how.make;
  told->starts_effects = how.works;
  told->recover = how.recover;
  const auto found = node::find_endpoint(context.data);
  if (!found) {
    return node::Node::open(std::move(*told));
  }
  auto there = node::connect(*found, *told);
  if (there || there.error().code != Code::node_unreachable) {
    return there;
  }
  // Another process may have the number of a node that is gone.
  auto opened = node::Node::open(std::move(*told));
  return opened || opened.error().code != Code::storage_in_use ? std::move(opened)
                                                               : std::move(there);
}

} // namespace

Result<std::unique_ptr<node::Node>> Context::open(bool make) const {
  return open_node(*this, {.make = make});
}

Result<std::unique_ptr<node::Node>> Context::open_to_work(bool recover) const {
  return open_node(*this, {.works = true, .recover = recover});
}

Result<std::unique_ptr<node::Node>> Context::make_and_work() const {
  return open_node(*this, {.make = true, .works = true});
}

Result<node::Endpoint> Context::endpoint() const {
  if (trouble) {
    return *trouble;
  }
  if (!server.empty()) {
    return node::Endpoint{server, token, "", {}, 0};
  }
  const auto found = node::find_endpoint(data);
  return found ? Result<node::Endpoint>(*found)
               : Error{Code::node_unreachable, "no node serves " + data.string(),
                       "start one with `skein serve`, or name it: see `skein config set-context`"};
}

Instant now() { return node::SystemClock().now(); }

} // namespace skein::cli
