#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "cli/commands.h"
#include "core/value/json.h"
#include "node/replay.h"
#include "node/system_clock.h"

namespace skein::cli {
namespace {

struct Named {
  std::string run;
  std::string other; ///< step, signal …
  std::string comment;
  std::string reason;
  std::string payload;
  std::string done;
  std::string id;
  std::uint64_t at = 0;
  std::vector<std::string> set;
  std::vector<std::string> input;
  bool failed = false;
  bool detach = false;
  bool all = false;
};
using NamedPtr = std::shared_ptr<Named>;

using Act = std::function<int(const Context&, node::Node&, const Named&)>;

// One command on one run: opens the node and looks the run up first.
CLI::App* add(CLI::App& run, Chosen& chosen, const char* name, const char* summary, NamedPtr& named,
              Act act) {
  named = std::make_shared<Named>();
  CLI::App* command = run.add_subcommand(name, summary);
  command->add_option("run", named->run, "Run id")->required();
  command->callback([&chosen, named, act = std::move(act)] {
    chosen = [named, act](const Context& context) {
      auto node = context.open();
      if (!node) {
        return complain(node.error());
      }
      const auto record = (*node)->store().find_run(RunId(named->run));
      if (!record || !*record) {
        return complain(record ? Error{Code::run_unknown, "there is no run " + named->run,
                                       "see `skein runs list`"}
                               : record.error());
      }
      return act(context, **node, *named);
    };
  });
  return command;
}

// Gives an event to the run and stays with it while it goes on.
int tell(const Context& context, node::Node& node, const Named& named, flow::Event event) {
  const RunId run(named.run);
  if (auto told = node.tell(run, std::move(event)); !told) {
    return complain(told.error());
  }
  return named.detach ? kDone : follow(context, node, run);
}

Result<flow::Place> place_of(node::Node& node, const Named& named) {
  const auto machine = node::machine_at(node.store(), RunId(named.run));
  return machine ? machine->place_of(named.other) : machine.error();
}

Instant now() { return node::SystemClock().now(); }

int status(const Context& context, node::Node& node, const Named& named) {
  const auto record = node.store().find_run(RunId(named.run));
  const auto value = to_value(node.store(), **record);
  if (!value) {
    return complain(value.error());
  }
  if (context.format != Format::text && context.format != Format::wide) {
    print_value(context, *value);
    return kDone;
  }
  std::printf("%s\n", harmless(to_yaml(*value)).c_str());
  const auto machine = node::machine_at(node.store(), RunId(named.run));
  if (!machine) {
    return complain(machine.error());
  }
  std::vector<std::vector<std::string>> rows{{"STEP", "STATUS", "ATTEMPT", "ERROR"}};
  for (const auto& step : machine->view()) {
    rows.push_back({step.name, step.status, step.attempt > 0 ? std::to_string(step.attempt) : "",
                    step.failure ? step.failure->code + ": " + step.failure->message : ""});
  }
  std::fputs(table(rows).c_str(), stdout);
  return kDone;
}

std::string story_of(const Entry& entry, const flow::Machine& machine) {
  const auto shortened = [](const Value& value) {
    std::string text = to_json(value);
    return text.size() > 80 ? text.substr(0, 77) + "..." : text;
  };
  struct Tell {
    const flow::Machine& machine;
    decltype(shortened)& brief;
    std::string operator()(const flow::Created& e) const {
      return "created from flow " + e.definition + " with input " + brief(e.input);
    }
    std::string operator()(const flow::Forked& e) const {
      return "forked from run " + e.from + " at entry " + std::to_string(e.entry);
    }
    std::string operator()(const flow::Begun& e) const {
      return machine.text_of(e.place) + " begins attempt " + std::to_string(e.attempt) + ", " +
             std::string(name_of(e.effect_class)) + ", key " + machine.effect_key(e.place);
    }
    std::string operator()(const flow::Succeeded& e) const {
      return machine.text_of(e.place) + " succeeded: " + brief(e.output);
    }
    std::string operator()(const flow::Failed& e) const {
      return machine.text_of(e.place) + " failed: " + e.failure.code + ": " + e.failure.message;
    }
    std::string operator()(const flow::FoundInDoubt& e) const {
      return machine.text_of(e.place) + " is in doubt after a crash";
    }
    std::string operator()(const flow::Expired& e) const {
      return "timer " + std::to_string(e.timer) + " is due";
    }
    std::string operator()(const flow::Signalled& e) const {
      return "signal " + e.name + ": " + brief(e.payload);
    }
    std::string operator()(const flow::Answered& e) const {
      return machine.text_of(e.place) + (e.approved ? " approved by " : " rejected by ") + e.by +
             (e.comment.empty() ? "" : ": " + e.comment);
    }
    std::string operator()(const flow::CancelAsked& e) const { return "cancelled by " + e.by; }
    std::string operator()(const flow::PauseAsked& e) const { return "paused by " + e.by; }
    std::string operator()(const flow::ResumeAsked& e) const { return "resumed by " + e.by; }
    std::string operator()(const flow::Settled& e) const {
      return machine.text_of(e.place) + " settled by " + e.by;
    }
    std::string operator()(const flow::Proceeded&) const { return "goes on"; }
  };
  return std::visit(Tell{machine, shortened}, entry.event);
}

int history(const Context& context, node::Node& node, const Named& named) {
  const RunId run(named.run);
  const auto machine = node::machine_at(node.store(), run);
  if (!machine) {
    return complain(machine.error());
  }
  std::vector<std::vector<std::string>> rows{{"TIME", "ENTRY", "KIND", "WHAT"}};
  std::vector<Value> values;
  const auto read = node.store().read_journal(run, Seq(1), [&](const Entry& entry) {
    const std::string at = to_string(flow::at_of(entry.event));
    const std::string kind(flow::kind_of(entry.event));
    const std::string story = story_of(entry, *machine);
    rows.push_back({at, std::to_string(entry.seq.get()), kind, story});
    values.push_back(object({{"at", at},
                             {"entry", static_cast<std::int64_t>(entry.seq.get())},
                             {"kind", kind},
                             {"what", story},
                             {"effects", to_string(entry.effects)},
                             {"state", to_string(entry.state)}}));
    return true;
  });
  if (!read) {
    return complain(read.error());
  }
  if (context.format == Format::json || context.format == Format::yaml) {
    print_value(context, Value::of_list(std::move(values)));
  } else {
    std::fputs(table(rows).c_str(), stdout);
  }
  return kDone;
}

int replay(const Context& context, node::Node& node, const Named& named) {
  const auto report = node::replay(node.store(), RunId(named.run),
                                   named.at > 0 ? std::optional(Seq(named.at)) : std::nullopt);
  if (!report) {
    return complain(report.error());
  }
  Value difference;
  if (report->difference) {
    difference = object({{"entry", static_cast<std::int64_t>(report->difference->seq.get())},
                         {"what", report->difference->what},
                         {"recorded", report->difference->recorded},
                         {"computed", report->difference->computed}});
  }
  const Value value = object({{"run", named.run},
                              {"entries", static_cast<std::int64_t>(report->entries)},
                              {"checkpoints", static_cast<std::int64_t>(report->checkpoints)},
                              {"state", name_of(report->state)},
                              {"digest", to_string(report->digest)},
                              {"difference", difference}});
  if (context.format == Format::json || context.format == Format::yaml) {
    print_value(context, value);
  } else if (report->difference) {
    std::printf("entry %llu differs in its %s: recorded %s, computed %s\n",
                static_cast<unsigned long long>(report->difference->seq.get()),
                report->difference->what.c_str(), report->difference->recorded.c_str(),
                report->difference->computed.c_str());
  } else {
    std::printf("%llu entries and %llu checkpoints replayed without a difference: %s, state %s\n",
                static_cast<unsigned long long>(report->entries),
                static_cast<unsigned long long>(report->checkpoints),
                std::string(name_of(report->state)).c_str(), to_string(report->digest).c_str());
  }
  return report->difference ? kFailed : kDone;
}

int fork(const Context& context, node::Node& node, const Named& named) {
  const auto vars = fields_of(named.set);
  const auto input = fields_of(named.input);
  if (!vars || !input) {
    return complain(vars ? input.error() : vars.error());
  }
  node::ForkRequest request{RunId(named.run), Seq(named.at), {}, *vars, *input};
  if (!named.id.empty()) {
    request.id = RunId(named.id);
  }
  const auto run = node::fork(node.store(), request, now());
  if (!run) {
    return complain(run.error());
  }
  if (named.detach) {
    std::puts(run->get().c_str());
    return kDone;
  }
  std::fprintf(stderr, "run %s\n", run->get().c_str());
  if (auto resumed = node.resume(*run); !resumed) {
    return complain(resumed.error());
  }
  return follow(context, node, *run);
}

int answer(const Context& context, node::Node& node, const Named& named, bool approved) {
  const auto place = place_of(node, named);
  return place ? tell(context, node, named,
                      flow::Answered{now(), *place, approved, context.user, named.comment})
               : complain(place.error());
}

int settle(const Context& context, node::Node& node, const Named& named) {
  const auto place = place_of(node, named);
  const auto output = named.done.empty() ? Result<Value>(Value()) : parse_json(named.done);
  if (!place || !output) {
    return complain(place ? output.error() : place.error());
  }
  const auto how = !named.done.empty() ? flow::Settled::How::succeed
                   : named.failed      ? flow::Settled::How::fail
                                       : flow::Settled::How::retry;
  return tell(context, node, named, flow::Settled{now(), *place, how, *output, context.user});
}

int signal(const Context& context, node::Node& node, const Named& named) {
  Value payload;
  if (!named.payload.empty()) {
    const auto json = parse_json(named.payload);
    payload = json ? *json : Value(named.payload);
  }
  return tell(context, node, named, flow::Signalled{now(), named.id, named.other, payload});
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
  auto node = context.open(true);
  if (!node) {
    return complain(node.error());
  }
  const auto runs = going_on((*node)->store());
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

int resume(const Context& context, const Named& named) {
  if (named.all) {
    return resume_all(context);
  }
  auto node = context.open();
  if (!node) {
    return complain(node.error());
  }
  const RunId run(named.run);
  const auto record = (*node)->store().find_run(run);
  if (!record || !*record) {
    return complain(
        record ? Error{Code::run_unknown, "there is no run " + named.run, "see `skein runs list`"}
               : record.error());
  }
  if ((*record)->state == RunState::paused) {
    return tell(context, **node, named, flow::ResumeAsked{now(), context.user});
  }
  if (auto woken = (*node)->resume(run); !woken) {
    return complain(woken.error());
  }
  return follow(context, **node, run);
}

void add_looks(CLI::App& run, Chosen& chosen) {
  NamedPtr named;
  add(run, chosen, "status", "What a run is, and where each step stands", named, status);
  add(run, chosen, "history", "The journal as a story", named, history);
  CLI::App* command =
      add(run, chosen, "replay", "Fold the journal again and compare every digest", named, replay);
  command->add_option("--at", named->at, "Stop after this entry");
}

void add_answers(CLI::App& run, Chosen& chosen) {
  NamedPtr named;
  for (const bool approved : {true, false}) {
    CLI::App* command = add(run, chosen, approved ? "approve" : "reject",
                            approved ? "Agree to an approval step" : "Refuse an approval step",
                            named, [approved](const Context& c, node::Node& n, const Named& w) {
                              return answer(c, n, w, approved);
                            });
    command->add_option("step", named->other, "Step, as STEP or STEP[ITEM]")->required();
    command->add_option("--comment", named->comment, "Why");
    command->add_flag("--detach", named->detach, "Do not stay with the run");
  }
  CLI::App* command = add(run, chosen, "signal", "Send a signal to a run", named, signal);
  command->add_option("name", named->other, "Name of the signal")->required();
  command->add_option("--payload", named->payload, "JSON or text");
  command->add_option("--id", named->id, "Repeats of the same id are dropped");
  command->add_flag("--detach", named->detach, "Do not stay with the run");
  command = add(run, chosen, "retry", "Settle a step that is in doubt", named, settle);
  command->add_option("--step", named->other, "Step, as STEP or STEP[ITEM]")->required();
  command->add_option("--done", named->done, "It had happened: its output as JSON");
  command->add_flag("--failed", named->failed, "It had not happened and shall not");
  command->add_flag("--detach", named->detach, "Do not stay with the run");
}

void add_control(CLI::App& run, Chosen& chosen) {
  NamedPtr named;
  CLI::App* command =
      add(run, chosen, "cancel", "End a run", named,
          [](const Context& c, node::Node& n, const Named& w) {
            const auto told = n.tell(RunId(w.run), flow::CancelAsked{now(), c.user, w.reason});
            return told ? kDone : complain(told.error());
          });
  command->add_option("--reason", named->reason, "Why");
  command = add(run, chosen, "pause", "Start nothing new until it is resumed", named,
                [](const Context& c, node::Node& n, const Named& w) {
                  const auto told = n.tell(RunId(w.run), flow::PauseAsked{now(), c.user, w.reason});
                  return told ? kDone : complain(told.error());
                });
  command->add_option("--reason", named->reason, "Why");
  command = add(run, chosen, "fork", "A new run from an entry of this one", named, fork);
  command->add_option("--at", named->at, "The last entry to keep")->required();
  command->add_option("--set", named->set, "Variable, as NAME=VALUE");
  command->add_option("-i,--input", named->input, "Field of the input, as NAME=VALUE");
  command->add_option("--id", named->id, "Id of the new run");
  command->add_flag("--detach", named->detach, "Print the id and do not run it");
  named = std::make_shared<Named>();
  command = run.add_subcommand("resume", "Go on with a run that was cut off or paused");
  command->add_option("run", named->run, "Run id");
  command->add_flag("--all", named->all, "Every run that was cut off");
  command->add_flag("--detach", named->detach, "Do not stay with the run");
  command->callback([named, &chosen] {
    chosen = [named](const Context& context) {
      return named->run.empty() && !named->all
                 ? complain(Error{Code::usage_invalid, "name a run, or give --all"})
                 : resume(context, *named);
    };
  });
}

} // namespace

void add_run_commands(CLI::App& run, Chosen& chosen) {
  add_looks(run, chosen);
  add_answers(run, chosen);
  add_control(run, chosen);
}

void add_runs_list(CLI::App& runs, Chosen& chosen) {
  struct Wanted {
    std::string state;
    std::string flow;
    std::vector<std::string> labels;
    std::size_t limit = 500;
  };
  auto wanted = std::make_shared<Wanted>();
  CLI::App* list = runs.add_subcommand("list", "Runs, newest first");
  list->add_option("--state", wanted->state,
                   "pending, running, waiting, paused, succeeded, failed, cancelled");
  list->add_option("--flow", wanted->flow, "Of this flow");
  list->add_option("--label", wanted->labels, "NAME=VALUE; all must match");
  list->add_option("--limit", wanted->limit, "At most so many");
  list->callback([wanted, &chosen] {
    chosen = [wanted](const Context& context) {
      RunFilter filter;
      filter.definition = wanted->flow;
      filter.limit = wanted->limit;
      if (!wanted->state.empty()) {
        filter.state = parse_run_state(wanted->state);
        if (!filter.state) {
          return complain(
              Error{Code::usage_invalid, "\"" + wanted->state + "\" is no state of a run"});
        }
      }
      for (const std::string& label : wanted->labels) {
        const auto equals = label.find('=');
        filter.labels.emplace_back(label.substr(0, equals),
                                   equals == std::string::npos ? "" : label.substr(equals + 1));
      }
      auto node = context.open();
      const auto records = node ? (*node)->store().list_runs(filter) : node.error();
      if (!records) {
        return complain(records.error());
      }
      std::vector<Value> values;
      std::vector<std::vector<std::string>> rows{{"ID", "FLOW", "STATE", "WAITING FOR", "CREATED"}};
      for (const RunRecord& record : *records) {
        if (context.format == Format::name) {
          std::puts(record.id.get().c_str());
        } else if (context.format == Format::json || context.format == Format::yaml) {
          const auto value = to_value((*node)->store(), record);
          if (!value) {
            return complain(value.error());
          }
          values.push_back(*value);
        }
        rows.push_back({record.id.get(), record.definition, std::string(name_of(record.state)),
                        record.waiting_for, to_string(record.created_at)});
      }
      if (context.format == Format::json || context.format == Format::yaml) {
        print_value(context, Value::of_list(std::move(values)));
      } else if (context.format != Format::name) {
        std::fputs(table(rows).c_str(), stdout);
      }
      return kDone;
    };
  });
}

} // namespace skein::cli
