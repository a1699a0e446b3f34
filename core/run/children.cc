#include "core/run/children.h"

#include "core/flow/scope_view.h"

namespace skein {
namespace {

constexpr std::string_view kLetters = "abcdefghijkmnpqrstuvwxyz23456789"; // none that look alike

std::string text_at(const Value& map, std::string_view key) {
  const Value* value = map.find(key);
  return value != nullptr && value->is(Kind::string) ? std::string(value->as_string())
                                                     : std::string();
}

Value value_at(const Value& map, std::string_view key) {
  const Value* value = map.find(key);
  return value != nullptr ? *value : Value();
}

// All 64 bits: a flow may start millions of runs, and no two may meet.
std::string letters_of(std::uint64_t word) {
  std::string letters;
  for (int i = 0; i < 13; ++i) {
    letters.push_back(kLetters[word % kLetters.size()]);
    word /= kLetters.size();
  }
  return letters;
}

} // namespace

OutboxRow to_row(const RunId& parent, const flow::StartChild& start) {
  return {start.child.get(), start.child.get(),
          object({{"parent", parent.get()},
                  {"flow", start.flow},
                  {"revision", to_string(start.revision)},
                  {"input", start.input},
                  {"labels", start.labels},
                  {"depth", static_cast<std::int64_t>(start.depth)}}),
          OutboxRow::What::child_start};
}

OutboxRow to_row(const RunId& parent, const flow::CancelChild& cancel) {
  return {cancel.child.get() + "/cancel", cancel.child.get(), object({{"parent", parent.get()}}),
          OutboxRow::What::child_cancel};
}

OutboxRow to_row(const RunId& child, const flow::Finish& finish) {
  std::optional<flow::Failure> failure = finish.failure;
  if (finish.state == RunState::cancelled) {
    failure = flow::Failure{to_string(Code::child_cancelled), "it was cancelled", {}, {}, false};
  }
  return {child.get() + "/end", finish.parent,
          object({{"child", child.get()},
                  {"output", failure ? Value() : finish.output},
                  {"failure", failure ? flow::to_value(*failure) : Value()}}),
          OutboxRow::What::child_end};
}

Result<ChildStart> child_start_of(const OutboxRow& row) {
  const auto revision = parse_content_hash(text_at(row.message, "revision"));
  const Value depth = value_at(row.message, "depth");
  if (!revision || !depth.is(Kind::integer)) {
    return Error{Code::wire_invalid, "the start of run " + row.destination + " cannot be read"};
  }
  return ChildStart{RunId(row.destination),
                    RunId(text_at(row.message, "parent")),
                    text_at(row.message, "flow"),
                    *revision,
                    value_at(row.message, "input"),
                    value_at(row.message, "labels"),
                    static_cast<std::uint32_t>(depth.as_int())};
}

flow::Event event_of(const OutboxRow& row, Instant at) {
  if (row.what == OutboxRow::What::child_cancel) {
    return flow::CancelAsked{at, "run " + text_at(row.message, "parent"), {}};
  }
  return flow::ChildEnded{at, RunId(text_at(row.message, "child")), value_at(row.message, "output"),
                          flow::failure_from(value_at(row.message, "failure"))};
}

RunId child_id(std::string_view flow, std::string_view key, std::uint32_t attempt,
               const PartitionSet& where) {
  const std::string behind = attempt > 1 ? "-" + std::to_string(attempt) : "";
  for (std::uint64_t nonce = 0;; ++nonce) {
    const Digest digest =
        skein::digest(std::string(key) + (nonce > 0 ? "#" + std::to_string(nonce) : ""));
    RunId id(std::string(flow) + "-" + letters_of(digest.low) + behind);
    if (where.test(partition_of(id).get())) {
      return id;
    }
  }
}

} // namespace skein
