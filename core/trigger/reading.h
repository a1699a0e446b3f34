#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/flow/loading/reader.h"
#include "core/trigger/definition.h"

namespace skein::trigger {

/// Reads what a Trigger and an entry of `on:` have in common into a definition. What cannot be read
/// becomes a finding.
class Reading {
 public:
  Reading(flow::loading::Reader& reader, Definition& trigger)
      : reader_(reader), trigger_(trigger) {}

  /// The members event, schedule, debounce, batch and rate.
  void rules(const flow::loading::At& at);

 private:
  using At = flow::loading::At;

  void event(const At& at);
  void schedule(const At& at);
  void debounce(const At& at);
  void batch(const At& at);
  void rate(const At& at);
  void input(const At& map, std::string_view otherwise, bool several);
  std::optional<Pattern> pattern(const At& map, std::string_view key);
  std::optional<Program> condition(const At& map, std::string_view key,
                                   expression::StaticType result);
  Millis span(const At& map, std::string_view key, bool needed);
  std::uint32_t count(const At& map, std::string_view key);

  flow::loading::Reader& reader_;
  Definition& trigger_;
};

} // namespace skein::trigger
