#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "node/remote/link.h"

namespace skein::cli {

void add_events(CLI::App& app, Chosen& chosen);         ///< event …
void add_triggers(CLI::App& app, Chosen& chosen);       ///< trigger …
void add_event_replay(CLI::App& group, Chosen& chosen); ///< event replay, trigger replay

/// What the node of this context answers to a request. Errors: node_unreachable, what it answers.
Result<Value> ask_node(const Context& context, const node::Call& call);

/// "?a=1&b=2", encoded; pairs with an empty value are left out.
std::string query_of(const std::vector<std::pair<std::string, std::string>>& pairs);

/// Prints the `items` of an answer: a table of these members, or all of it for programs.
int print_items(const Context& context, const Result<Value>& answer,
                const std::vector<std::string>& members, const std::string& name);
/// Prints an answer of one thing.
int print_answer(const Context& context, const Result<Value>& answer, const std::string& line);

} // namespace skein::cli
