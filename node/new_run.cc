#include "node/new_run.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/value/utf8.h"
#include "storage/random_word.h"

namespace skein::node {
namespace {

constexpr std::string_view kIdLetters = "abcdefghijkmnpqrstuvwxyz23456789"; // none that look alike

std::string random_suffix() {
  std::uint64_t word = storage::random_word();
  std::string suffix;
  for (int i = 0; i < 8; ++i) {
    suffix.push_back(kIdLetters[word % kIdLetters.size()]);
    word /= kIdLetters.size();
  }
  return suffix;
}

// Labels are keys of an index.
Result<void> check_labels(const Value& labels) {
  constexpr std::size_t kLongest = 256;
  const auto fits = [](const Value& text) {
    return !text.is(Kind::string) || (text.as_string().size() <= kLongest &&
                                      text.as_string().find('\0') == std::string_view::npos);
  };
  for (std::size_t i = 0; labels.is(Kind::map) && i < labels.as_map().size(); ++i) {
    const auto& [key, value] = labels.as_map()[i];
    if (!fits(key) || !fits(value)) {
      return Error{
          Code::resource_value_invalid,
          "the label \"" + clipped(key.as_string(), 40) + "\" has more than 256 bytes, or a NUL",
          "keep long texts in the input"};
    }
  }
  return {};
}

// The run's own go before the flow's.
Value labels_of(const flow::Definition& definition, const Value& labels) {
  std::vector<MapEntry> all;
  for (const Value* source : {&labels, &definition.labels}) {
    for (std::size_t i = 0; source->is(Kind::map) && i < source->as_map().size(); ++i) {
      const MapEntry& entry = source->as_map()[i];
      if (source == &labels || labels.find(entry.first) == nullptr) {
        all.push_back(entry);
      }
    }
  }
  return all.empty() ? Value() : Value::of_map(std::move(all));
}

} // namespace

Result<void> check_id(const RunId& id) {
  const std::string& text = id.get();
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  if (text.empty() || text.size() > 128 || !std::ranges::all_of(text, good)) {
    return Error{Code::resource_value_invalid, "\"" + text + "\" is no run id",
                 "use up to 128 lower-case letters, digits, '-', '.' and '_'"};
  }
  return {};
}

Result<NewRun> new_run(const StartRequest& request, Instant now) {
  const flow::Definition& definition = *request.definition;
  if (auto valid = check_input(definition, request.input); !valid) {
    return valid.error();
  }
  RunId id = request.id ? *request.id : RunId(definition.name + "-" + random_suffix());
  if (auto valid = check_id(id); !valid) {
    return valid.error();
  }
  Value labels = labels_of(definition, request.labels);
  if (auto valid = check_labels(labels); !valid) {
    return valid.error();
  }
  return NewRun{std::move(id),
                {now,
                 definition.name,
                 definition.revision,
                 1,
                 request.seed ? *request.seed : storage::random_word(),
                 complete_input(definition, request.input),
                 std::move(labels),
                 {}}};
}

Result<void> check_same_start(const Store& store, const NewRun& wanted) {
  bool same = false;
  const auto read = store.read_journal(wanted.id, Seq(1), [&](const Entry& entry) {
    const auto* first = std::get_if<flow::Created>(&entry.event);
    same = first != nullptr && first->revision == wanted.created.revision &&
           first->input == wanted.created.input;
    return false;
  });
  if (!read) {
    return read.error();
  }
  if (!same) {
    return Error{Code::run_exists,
                 "run " + wanted.id.get() + " exists with another definition or input",
                 "choose another --id, or see `skein run status " + wanted.id.get() + "`"};
  }
  return {};
}

} // namespace skein::node
