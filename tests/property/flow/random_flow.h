#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "property/flow/chance.h"

/// A flow made up from a seed, as the YAML that a person would write, with what the oracle has to
/// know of it beyond the graph.
namespace skein::property {

/// A condition that can be told without the machine.
struct Condition {
  enum class What : std::uint8_t {
    always,
    flag,   ///< input.f[number]
    parity, ///< the innermost index is even
    status, ///< steps.STEP.status == 'skipped'
    broken, ///< cannot be evaluated: the step fails
  } what = What::always;
  std::size_t number = 0;
  std::string step;
};

struct RandomFlow {
  std::string yaml;
  std::vector<bool> flags;                             ///< input.f
  std::map<std::string, Condition> when;               ///< by step id
  std::map<std::string, std::vector<Condition>> cases; ///< of a switch, in order
  std::map<std::string, std::size_t> items;            ///< of a for_each
  std::map<std::string, bool> auto_approved;           ///< approvals that have auto_approve
};

RandomFlow random_flow(Chance& chance);

} // namespace skein::property
