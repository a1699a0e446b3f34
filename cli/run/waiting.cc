#include "cli/run/waiting.h"

#include <algorithm>
#include <cstdio>

#include "core/value/json.h"
#include "node/retry.h"

namespace skein::cli {
namespace {

using Wait = flow::Machine::Wait;

constexpr std::size_t kMessageColumns = 300;
constexpr std::size_t kWaitsTold = 8;

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

std::string text_of(const Value& message) {
  return message.is(Kind::string) ? std::string(message.as_string())
         : message.is_null()      ? ""
                                  : to_json(message);
}

std::string approved(const Wait& wait) {
  return std::to_string(wait.approved_by.size()) + " of " + std::to_string(wait.required) +
         " approved";
}

// What its time ends with; without a node only a process that goes on with the run sees to it.
std::string end_of(const RunId& run, const Wait& wait, bool remote) {
  return "until " + to_string(*wait.until) + ", then " +
         (remote ? "the node " : "`skein run resume " + run.get() + "` ") +
         (wait.then == "approved"   ? "approves it"
          : wait.then == "rejected" ? "rejects it"
          : wait.then == "failed"   ? "fails it"
                                    : "goes on");
}

std::string details_of(const RunId& run, const Wait& wait, bool remote) {
  std::vector<std::string> parts;
  if (wait.required > 1) {
    parts.push_back(approved(wait) +
                    (wait.approved_by.empty() ? "" : ": " + joined(wait.approved_by)));
  }
  if (!wait.approvers.empty()) {
    parts.push_back("asked are " + joined(wait.approvers));
  }
  if (wait.until && !wait.what.starts_with("timer ")) {
    parts.push_back(end_of(run, wait, remote));
  }
  std::string text;
  for (const std::string& part : parts) {
    text += (text.empty() ? "" : "; ") + part;
  }
  return text;
}

std::string answer_to(const RunId& run, const std::string& what) {
  if (what.starts_with("approval ")) {
    return "answer with: skein run approve " + run.get() + " " + what.substr(9);
  }
  if (what.starts_with("signal ")) {
    return "send it with: skein run signal " + run.get() + " " + what.substr(7);
  }
  if (what.starts_with("child ")) {
    return "see what it waits for: skein run status " + what.substr(6);
  }
  return "";
}

void say(const std::string& line) {
  if (!line.empty()) {
    std::fprintf(stderr, "  %s\n", harmless(line).c_str());
  }
}

std::string because(const std::string& reason) {
  return reason.empty() ? "" : ": " + shortened(reason, kMessageColumns);
}

} // namespace

std::string question_of(const Wait& wait) {
  const std::string message = text_of(wait.message);
  return wait.required == 0 ? ""
                            : message + (message.empty() ? "" : " ") + "(" + approved(wait) + ")";
}

std::string next_command(node::Node& node, const RunRecord& record) {
  const std::string& run = record.id.get();
  const std::string& what = record.waiting_for;
  switch (record.state) {
    case RunState::pending:
    case RunState::running:
      return node.remote() ? "" : "nobody works on it; go on with: skein run resume " + run;
    case RunState::failed:
      return node::before_failure(node.store(), record)
                 ? "see `skein run logs " + run + "`; try again with: skein run retry " + run
                 : "see: skein run history " + run;
    case RunState::waiting:
    case RunState::paused:
      break;
    default:
      return "";
  }
  if (what.starts_with("settle ")) {
    return "decide with: skein run retry " + run + " --step " + what.substr(7) +
           " [--done JSON | --failed]";
  }
  if (node.remote() && what.starts_with("timer ")) {
    return "";
  }
  return record.state == RunState::paused || what.starts_with("timer ")
             ? "go on with: skein run resume " + run
             : answer_to(record.id, what);
}

std::string standing_of(const RunRecord& record) {
  const bool ended = record.state == RunState::succeeded || record.state == RunState::failed;
  return "run " + record.id.get() + (ended ? " " : " is ") + std::string(name_of(record.state)) +
         (record.waiting_for.empty() ? "" : " for " + record.waiting_for);
}

void tell_waiting(node::Node& node, const RunRecord& record) {
  auto waits = waits_of(node.store(), record);
  const bool known = !waits.empty() && waits.front().what == record.waiting_for;
  const std::string message = known ? text_of(waits.front().message) : "";
  std::fprintf(stderr, "%s%s%s\n", harmless(standing_of(record)).c_str(), because(message).c_str(),
               because(record.reason).c_str());
  say(known ? details_of(record.id, waits.front(), node.remote()) : "");
  say(next_command(node, record));
  waits.resize(std::min(waits.size(), kWaitsTold));
  for (std::size_t i = known ? 1 : 0; i < waits.size(); ++i) {
    say("and for " + waits[i].what + because(text_of(waits[i].message)));
    say(details_of(record.id, waits[i], node.remote()));
    say(answer_to(record.id, waits[i].what));
  }
}

} // namespace skein::cli
