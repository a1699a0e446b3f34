#pragma once

#include <cstdint>
#include <functional>

#include "cli/commands.h"
#include "core/flow/event.h"

namespace skein::cli {

using RunAct = std::function<int(const Context&, node::Node&, const RunId&)>;

/// Whether a command only looks and records, or stays while the run goes on unless `--detach` is
/// given.
enum class Stays : std::uint8_t { no, yes };

/// A command whose first word is a run: opens the node and looks the run up, then acts.
CLI::App& add_on_run(CLI::App& run, Chosen& chosen, const char* name, const char* summary,
                     RunAct act, Stays stays = Stays::no);

/// Gives an event to the run and stays with it while it goes on, unless detached.
int tell(const Context& context, node::Node& node, const RunId& run, flow::Event event,
         bool detach);

/// "STEP" or "STEP[ITEM]" of this run. Errors: flow_step_unknown, and those of a replay.
Result<flow::Place> place_of(node::Node& node, const RunId& run, const std::string& step);

/// What the run is now: its value, its id, or a line; and who has to go on with it, if somebody.
int show_run(const Context& context, node::Node& node, const RunId& run);

/// What became of a run that was made durable and not begun: its id, or its value.
int show_detached(const Context& context, node::Node& node, const RunId& run);

} // namespace skein::cli
