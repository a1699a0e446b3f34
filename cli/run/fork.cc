#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/checks.h"
#include "cli/input.h"
#include "cli/run/follow.h"
#include "cli/run/one_run.h"
#include "core/value/json.h"
#include "node/fork.h"
#include "node/retry.h"

namespace skein::cli {
namespace {

struct Fork {
  std::uint64_t at = 0;
  std::vector<std::string> set;
  std::vector<std::string> input;
  std::string id;
  bool detach = false;
};

// Makes the new run, says its id, and stays with it.
int make(const Context& context, node::Node& node, const node::ForkRequest& request, bool detach) {
  const auto run = node.fork(request);
  if (!run) {
    return complain(run.error());
  }
  if (detach && !node.remote()) {
    return show_detached(context, node, *run);
  }
  if (!detach && !context.quiet) {
    std::fprintf(stderr, "run %s\n", run->get().c_str());
  }
  if (auto resumed = node.resume(*run); !resumed) {
    return complain(resumed.error());
  }
  return detach ? show_detached(context, node, *run) : follow(context, node, *run);
}

int fork(const Context& context, node::Node& node, const RunId& source, const Fork& wanted) {
  const auto vars = fields_of(wanted.set);
  const auto input = fields_of(wanted.input);
  if (!vars || !input) {
    return complain(vars ? input.error() : vars.error());
  }
  node::ForkRequest request{source, Seq(wanted.at), {}, *vars, *input};
  if (!wanted.id.empty()) {
    request.id = RunId(wanted.id);
  }
  return make(context, node, request, wanted.detach);
}

struct Retry {
  std::string step;
  std::string done;
  std::string id;
  bool failed = false;
  bool detach = false;
};

int settle(const Context& context, node::Node& node, const RunId& run, const Retry& wanted) {
  const auto place = place_of(node, run, wanted.step);
  const auto output = wanted.done.empty() ? Result<Value>(Value()) : parse_json(wanted.done);
  if (!place || !output) {
    return complain(place ? output.error() : place.error());
  }
  const auto how = !wanted.done.empty() ? flow::Settled::How::succeed
                   : wanted.failed      ? flow::Settled::How::fail
                                        : flow::Settled::How::retry;
  return tell(context, node, run, flow::Settled{now(), *place, how, *output, context.user},
              wanted.detach);
}

int retry(const Context& context, node::Node& node, const RunId& run, const Retry& wanted) {
  const auto record = record_of(node.store(), run.get());
  if (!record) {
    return complain(record.error());
  }
  if (record->state == RunState::failed) {
    if (wanted.failed || !wanted.done.empty() || !wanted.step.empty()) {
      return complain(Error{Code::usage_invalid,
                            "run " + run.get() +
                                " has failed and no step of it is in doubt: --step, --done and "
                                "--failed have nothing to settle",
                            "leave them out to run its failed step again"});
    }
    const auto at = node::before_failure(node.store(), *record);
    if (!at) {
      return complain(at.error());
    }
    node::ForkRequest request{run, *at, {}, Value(), Value()};
    if (!wanted.id.empty()) {
      request.id = RunId(wanted.id);
    }
    return make(context, node, request, wanted.detach);
  }
  if (is_final(record->state)) {
    return complain(Error{Code::run_state_conflict,
                          "run " + run.get() + " is " + std::string(name_of(record->state)) +
                              ": only a failed run, or a step in doubt, is tried again",
                          "run a part of it anew from an entry: skein run fork " + run.get() +
                              " --at ENTRY; see `skein run history " + run.get() + "`"});
  }
  if (wanted.step.empty()) {
    return complain(Error{
        Code::usage_invalid,
        "run " + run.get() + " is " + std::string(name_of(record->state)) +
            ": only a failed run, or a step in doubt, is tried again",
        "name the step that is in doubt with --step; see `skein run status " + run.get() + "`"});
  }
  return settle(context, node, run, wanted);
}

} // namespace

void add_fork(CLI::App& run, Chosen& chosen) {
  auto wanted = std::make_shared<Fork>();
  CLI::App& command = add_on_run(
      run, chosen, "fork", "A new run from an entry of this one",
      [wanted](const Context& c, node::Node& n, const RunId& id) {
        return fork(c, n, id, *wanted);
      },
      Stays::yes);
  command.add_option("--at", wanted->at, "The last entry to keep")
      ->required()
      ->type_name("ENTRY")
      ->check(from_one());
  command.add_option("--set", wanted->set, "Variable, as NAME=VALUE")->type_name("NAME=VALUE");
  command.add_option("-i,--input", wanted->input, "Field of the input, as NAME=VALUE")
      ->type_name("NAME=VALUE");
  command.add_option("--id", wanted->id, "Id of the new run")->type_name("ID")->check(not_empty());
  command.add_flag("--detach", wanted->detach,
                   "Record the new run and print its id; `skein run resume` starts it");
  command.footer(
      "Example:\n  skein run fork incident-1 --at 42 --set threshold=0.5\n  skein run diff "
      "incident-1 incident-1-f1");
}

void add_retry(CLI::App& run, Chosen& chosen) {
  auto wanted = std::make_shared<Retry>();
  CLI::App& command = add_on_run(
      run, chosen, "retry", "Run a failed step again, or settle one in doubt",
      [wanted](const Context& c, node::Node& n, const RunId& id) {
        return retry(c, n, id, *wanted);
      },
      Stays::yes);
  command.add_option("--step", wanted->step, "The step in doubt, as STEP or STEP[ITEM]")
      ->type_name("STEP")
      ->check(not_empty());
  CLI::Option* done = command.add_option("--done", wanted->done, "It had happened: its output");
  done->type_name("JSON")->check(not_empty());
  command.add_flag("--failed", wanted->failed, "It had not happened and shall not")->excludes(done);
  command.add_option("--id", wanted->id, "Id of the new run that goes on from a failed one")
      ->type_name("ID")
      ->check(not_empty());
  command.add_flag("--detach", wanted->detach, "Only record it; `skein run resume` goes on");
  command.footer(
      "A failed run stays as it is: a new one takes its journal up to the failure, and goes on.");
}

} // namespace skein::cli
