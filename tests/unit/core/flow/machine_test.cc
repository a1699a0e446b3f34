#include "core/flow/machine.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "unit/core/flow/flow_files.h"

namespace skein::flow {
namespace {

Created created_of(const Definition& definition) {
  Created created;
  created.at = Instant{1};
  created.definition = "f";
  created.revision = definition.revision;
  return created;
}

TEST(Machine, a_run_begun_under_rules_to_come_is_refused) {
  const Loaded loaded = load_text(file_of("    - { id: a, tool: log, with: { message: x } }\n"));
  Machine machine(RunId("run-1"), loaded.definition);
  Created created = created_of(*loaded.definition);
  created.rules = kRules + 1;
  const auto refused = machine.step(created);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::wire_version);
  created.rules = kRules;
  EXPECT_TRUE(machine.step(created).ok());
}

TEST(Machine, results_that_are_too_large_together_fail_their_step) {
  const Loaded loaded = load_text(
      file_of("    - id: each\n      for_each: { in: \"${ [1, 2, 3] }\", max_parallel: 3, steps: "
              "[ { id: a, tool: log, with: { message: x } } ] }\n"));
  Machine machine(RunId("run-1"), loaded.definition);
  const auto begun = machine.step(created_of(*loaded.definition));
  ASSERT_TRUE(begun.ok());
  const Value large(std::string(30u << 20, 'x'));
  for (const Effect& effect : *begun) {
    if (const auto* wanted = std::get_if<Dispatch>(&effect)) {
      ASSERT_TRUE(machine.step(Succeeded{Instant{2}, wanted->place, wanted->attempt, large}).ok());
    }
  }
  EXPECT_EQ(machine.state(), RunState::failed);
}

} // namespace
} // namespace skein::flow
