#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/run/follow.h"
#include "cli/run/one_run.h"

namespace skein::cli {
namespace {

template <class Asked>
void add_ask(CLI::App& run, Chosen& chosen, const char* name, const char* summary) {
  auto reason = std::make_shared<std::string>();
  CLI::App& command =
      add_on_run(run, chosen, name, summary,
                 [reason](const Context& context, node::Node& node, const RunId& id) {
                   const auto told = node.tell(id, Asked{now(), context.user, *reason});
                   return told ? show_run(context, node, id) : complain(told.error());
                 });
  command.add_option("--reason", *reason, "Why")->type_name("TEXT");
}

// Runs that go on by themselves: cut off, not begun, or waiting for a timer that is due soon.
Result<std::vector<RunId>> going_on(const Store& store) {
  constexpr std::size_t kAll = 1'000'000;
  constexpr Millis kSoon{60'000};
  std::vector<RunId> runs;
  const auto timers = store.due_timers(now() + kSoon, kAll);
  if (!timers) {
    return timers.error();
  }
  for (const TimerRow& timer : *timers) {
    runs.push_back(timer.run);
  }
  for (const RunState state : {RunState::running, RunState::pending}) {
    RunFilter filter;
    filter.state = state;
    filter.limit = kAll;
    const auto records = store.list_runs(filter);
    if (!records) {
      return records.error();
    }
    for (const RunRecord& record : *records) {
      runs.push_back(record.id);
    }
  }
  std::sort(runs.begin(), runs.end());
  runs.erase(std::unique(runs.begin(), runs.end()), runs.end());
  return runs;
}

int resume_all(const Context& context) {
  auto node = context.open_to_work(true);
  const auto runs = node ? going_on((*node)->store()) : node.error();
  if (!runs) {
    return complain(runs.error());
  }
  int worst = kDone;
  for (const RunId& run : *runs) {
    const int code = follow(context, **node, run);
    worst = std::max(worst, code);
    if (code == kInterrupted) {
      break;
    }
  }
  return worst;
}

int resume(const Context& context, const std::string& name, bool detach) {
  auto node = detach ? context.open() : context.open_to_work();
  const auto record = node ? record_of((*node)->store(), name) : node.error();
  if (!record) {
    return complain(record.error());
  }
  if (record->state == RunState::paused) {
    return tell(context, **node, record->id, flow::ResumeAsked{now(), context.user}, detach);
  }
  if (auto woken = (*node)->resume(record->id); !woken) {
    return complain(woken.error());
  }
  return detach ? show_run(context, **node, record->id) : follow(context, **node, record->id);
}

} // namespace

void add_pause(CLI::App& run, Chosen& chosen) {
  add_ask<flow::PauseAsked>(run, chosen, "pause", "Start nothing new until it is resumed");
}

void add_cancel(CLI::App& run, Chosen& chosen) {
  add_ask<flow::CancelAsked>(run, chosen, "cancel", "End a run");
}

void add_resume(CLI::App& run, Chosen& chosen) {
  struct Wanted {
    std::string run;
    bool all = false;
    bool detach = false;
  };
  auto wanted = std::make_shared<Wanted>();
  CLI::App* command = run.add_subcommand("resume", "Go on with a run that was cut off or paused");
  command->add_option("run", wanted->run, "Run id")->type_name("RUN");
  command->add_flag("--all", wanted->all, "Every run that was cut off");
  command->add_flag("--detach", wanted->detach, "Only record it; `skein run resume` goes on");
  command->callback([wanted, command, &chosen] {
    const bool named = command->get_option("run")->count() > 0;
    chosen = [wanted, named](const Context& context) {
      if (named == wanted->all) {
        return complain(Error{Code::usage_invalid, "name one run, or give --all",
                              "see `skein runs list --state running`"});
      }
      return wanted->all ? resume_all(context) : resume(context, wanted->run, wanted->detach);
    };
  });
}

} // namespace skein::cli
