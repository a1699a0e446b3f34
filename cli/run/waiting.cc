#include "cli/run/waiting.h"

#include <algorithm>
#include <cstdio>

#include "cli/run/one_run.h"
#include "core/value/json.h"
#include "node/replay.h"

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

Value list_of(const std::vector<std::string>& names) {
  return Value::of_list(std::vector<Value>(names.begin(), names.end()));
}

std::string approved(const Wait& wait) {
  return std::to_string(wait.approved_by.size()) + " of " + std::to_string(wait.required) +
         " approved";
}

// What its time ends with; only a process that goes on with the run sees to it.
std::string end_of(const RunId& run, const Wait& wait) {
  return "until " + to_string(*wait.until) + ", then `skein run resume " + run.get() + "` " +
         (wait.then == "approved"   ? "approves it"
          : wait.then == "rejected" ? "rejects it"
          : wait.then == "failed"   ? "fails it"
                                    : "goes on");
}

std::string details_of(const RunId& run, const Wait& wait) {
  std::vector<std::string> parts;
  if (wait.required > 1) {
    parts.push_back(approved(wait) +
                    (wait.approved_by.empty() ? "" : ": " + joined(wait.approved_by)));
  }
  if (!wait.approvers.empty()) {
    parts.push_back("asked are " + joined(wait.approvers));
  }
  if (wait.until && !wait.what.starts_with("timer ")) {
    parts.push_back(end_of(run, wait));
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

std::vector<Wait> waits_of(const Store& store, const RunRecord& record) {
  const auto machine = is_final(record.state)
                           ? Result<flow::Machine>(Error{Code::run_state_conflict, ""})
                           : node::machine_at(store, record.id);
  auto waits = machine ? machine->waits() : std::vector<Wait>();
  std::stable_partition(waits.begin(), waits.end(),
                        [&](const Wait& wait) { return wait.what == record.waiting_for; });
  return waits;
}

Value to_value(const Wait& wait) {
  std::vector<MapEntry> fields{{"for", wait.what},
                               {"step", wait.step},
                               {"until", wait.until ? Value(to_string(*wait.until)) : Value()},
                               {"then", wait.then.empty() ? Value() : Value(wait.then)}};
  if (wait.required > 0) {
    fields.emplace_back("message", wait.message);
    fields.emplace_back("approvers", list_of(wait.approvers));
    fields.emplace_back("approved_by", list_of(wait.approved_by));
    fields.emplace_back("required", static_cast<std::int64_t>(wait.required));
  }
  return Value::of_map(std::move(fields));
}

std::string question_of(const Wait& wait) {
  const std::string message = text_of(wait.message);
  return wait.required == 0 ? ""
                            : message + (message.empty() ? "" : " ") + "(" + approved(wait) + ")";
}

std::string next_command(const Store& store, const RunRecord& record) {
  const std::string& run = record.id.get();
  const std::string& what = record.waiting_for;
  switch (record.state) {
    case RunState::pending:
    case RunState::running:
      return "nobody works on it; go on with: skein run resume " + run;
    case RunState::failed:
      return before_failure(store, record)
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
  return record.state == RunState::paused || what.starts_with("timer ")
             ? "go on with: skein run resume " + run
             : answer_to(record.id, what);
}

std::string standing_of(const RunRecord& record) {
  const bool ended = record.state == RunState::succeeded || record.state == RunState::failed;
  return "run " + record.id.get() + (ended ? " " : " is ") + std::string(name_of(record.state)) +
         (record.waiting_for.empty() ? "" : " for " + record.waiting_for);
}

void tell_waiting(const Store& store, const RunRecord& record) {
  auto waits = waits_of(store, record);
  const bool known = !waits.empty() && waits.front().what == record.waiting_for;
  const std::string message = known ? text_of(waits.front().message) : "";
  std::fprintf(stderr, "%s%s%s\n", harmless(standing_of(record)).c_str(), because(message).c_str(),
               because(record.reason).c_str());
  say(known ? details_of(record.id, waits.front()) : "");
  say(next_command(store, record));
  waits.resize(std::min(waits.size(), kWaitsTold));
  for (std::size_t i = known ? 1 : 0; i < waits.size(); ++i) {
    say("and for " + waits[i].what + because(text_of(waits[i].message)));
    say(details_of(record.id, waits[i]));
    say(answer_to(record.id, waits[i].what));
  }
}

} // namespace skein::cli
