#pragma once

#include <functional>

#include "cli/context.h"

namespace CLI {
class App;
}

/// Every command adds itself to the parser and leaves what is to be done in `chosen`. What it gives
/// the parser (name, summary, arguments, flags with the names of their types and their choices) is
/// all that help, completion, man page and docs/cli.md are written from.
///
/// Names of types say what completes them: FILE and DIR are completed as such.
namespace skein::cli {

using Chosen = std::function<int(const Context&)>;

// run …
void add_run_flow(CLI::App& parent, Chosen& chosen, const char* name);
void add_status(CLI::App& run, Chosen& chosen);
void add_watch(CLI::App& run, Chosen& chosen);
void add_logs(CLI::App& run, Chosen& chosen);
void add_export(CLI::App& run, Chosen& chosen);
void add_run_diff(CLI::App& run, Chosen& chosen);
void add_history(CLI::App& run, Chosen& chosen);
void add_replay(CLI::App& run, Chosen& chosen);
void add_answers(CLI::App& run, Chosen& chosen); ///< approve, reject, signal
void add_pause(CLI::App& run, Chosen& chosen);
void add_cancel(CLI::App& run, Chosen& chosen);
void add_resume(CLI::App& run, Chosen& chosen);
void add_retry(CLI::App& run, Chosen& chosen);
void add_fork(CLI::App& run, Chosen& chosen);
void add_runs_list(CLI::App& runs, Chosen& chosen);

// Resources: with a kind as the first word, or below the noun `flow` without one.
enum class Noun { any, flow };
void add_files(CLI::App& app, Chosen& chosen); ///< apply, validate
void add_diff(CLI::App& app, Chosen& chosen);
void add_visualize(CLI::App& flow, Chosen& chosen);
void add_revisions(CLI::App& flow, Chosen& chosen);           ///< history, rollback
void add_resources(CLI::App& app, Chosen& chosen, Noun noun); ///< get, describe, delete

void add_about(CLI::App& app, Chosen& chosen); ///< api-resources
void add_serve(CLI::App& app, Chosen& chosen);
void add_cluster(CLI::App& app, Chosen& chosen); ///< cluster init, status
void add_node(CLI::App& app, Chosen& chosen);    ///< node status
void add_config(CLI::App& app, Chosen& chosen);  ///< contexts
void add_eval(CLI::App& app, Chosen& chosen);
void add_doctor(CLI::App& app, Chosen& chosen);
void add_help(CLI::App& app, Chosen& chosen); ///< help, completion

/// All of them; global flags may stand anywhere.
void add_commands(CLI::App& app, Chosen& chosen);

} // namespace skein::cli
