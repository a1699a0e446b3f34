#pragma once

#include <functional>

#include "cli/context.h"

namespace CLI {
class App;
}

/// Every command adds itself to the parser and leaves what is to be done in `chosen`.
namespace skein::cli {

using Chosen = std::function<int(const Context&)>;

void add_run_flow(CLI::App& run, Chosen& chosen);
void add_run_commands(CLI::App& run, Chosen& chosen);
void add_runs_list(CLI::App& runs, Chosen& chosen);
void add_resource_commands(CLI::App& app, Chosen& chosen);
void add_eval(CLI::App& app, Chosen& chosen);
void add_doctor(CLI::App& app, Chosen& chosen);

} // namespace skein::cli
