#pragma once

#include <bitset>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/definition.h"
#include "core/flow/loading/reader.h"

namespace skein::flow::loading {

/// What steps, branches and variables may be called.
bool is_id(std::string_view id);
inline constexpr const char* kIdHint =
    "use up to 64 letters, digits, '_' and '-', with a letter first";

/// The names that a for_each gives its item and the item's position.
std::string name_of_item(const At& for_each);
std::string name_of_index(const At& for_each);

inline constexpr std::size_t kMaxSteps = 2'000;

/// Steps by StepIndex.
using StepSet = std::bitset<kMaxSteps>;

/// A definition while it is being made, with the nodes that its steps come from.
///
///   outline ──► edges and graph checks ──► expressions and settings
struct Draft {
  Definition definition;
  std::vector<At> nodes;          ///< by StepIndex
  std::vector<std::string> kinds; ///< by StepIndex: "tool", "for_each", …
  /// before[a][b]: b has ended whenever a begins. Empty where the graph is not sound.
  std::vector<StepSet> before;
};

/// Which steps, blocks and scopes there are; kinds hold only their blocks.
void outline(Reader& reader, const At& spec, Draft& draft);

/// Edges from `needs`, from the order of steps and from `goto`; unknown ids, cycles and unreachable
/// steps.
void connect(Reader& reader, Draft& draft);

/// What each step does, with its expressions compiled.
void fill(Reader& reader, const At& spec, const LoadOptions& options, Draft& draft);

} // namespace skein::flow::loading
