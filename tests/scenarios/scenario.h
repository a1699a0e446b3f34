#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/flow/event.h"
#include "core/flow/machine.h"

/// A scenario file: a flow, then inputs, each followed by `----` and the whole resulting state and
/// effects.
namespace skein::scenarios {

struct Input {
  std::string line;                  ///< as written: "at 1s succeeded count output=3"
  std::vector<std::string> expected; ///< the lines after `----`
};

struct Scenario {
  std::string file;
  std::string preamble; ///< everything before the first input, kept by blessing
  flow::DefinitionPtr definition;
  std::vector<Input> inputs;
};

Result<Scenario> read_scenario(const std::string& file);
void write_scenario(const Scenario& scenario);

/// The event that an input line stands for; places are read by the machine.
Result<flow::Event> event_of(std::string_view line, const flow::Machine& machine);

/// "run …" and "step …" lines.
std::vector<std::string> describe(const flow::Machine& machine);
/// An "effect …" line.
std::string describe(const flow::Effect& effect, const flow::Machine& machine);

} // namespace skein::scenarios
