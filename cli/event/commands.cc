#include <CLI/CLI.hpp>
#include <memory>

#include "cli/checks.h"
#include "cli/event/asking.h"
#include "cli/input.h"
#include "cli/run/interrupt.h"
#include "core/value/json.h"
#include "core/value/utf8.h"
#include "gateway/target.h"

namespace skein::cli {
namespace {

struct Publication {
  std::string file;
  std::string data;
  std::string type;
  std::string source;
  std::string id;
};

Result<std::string> body_of(const Publication& wanted) {
  if (!wanted.file.empty()) {
    return read_file(wanted.file);
  }
  const auto data = value_of(wanted.data, "--body");
  return data ? Result<std::string>(to_json(*data)) : data.error();
}

int publish(const Context& context, const Publication& wanted) {
  if (context.data_given && context.data.string().starts_with('{')) {
    return complain(Error{
        Code::usage_invalid,
        "--data is the data directory, and none is called " + clipped(context.data.string(), 60),
        "an event's data goes with --body"});
  }
  if (wanted.file.empty() && wanted.type.empty()) {
    return complain(Error{Code::usage_invalid, "an event needs a --type, or a --file that says all",
                          "skein event publish alert.fired --body '{\"severity\": 1}'"});
  }
  const auto body = body_of(wanted);
  if (!body) {
    return complain(body.error());
  }
  const auto answer = ask_node(
      context, {"POST",
                "/v1/events" +
                    query_of({{"type", wanted.type}, {"source", wanted.source}, {"id", wanted.id}}),
                *body});
  const Value* events = answer ? answer->find("events") : nullptr;
  std::string line;
  for (const Value& event : events != nullptr ? events->as_list() : std::span<const Value>{}) {
    const Value* id = event.find("id");
    const Value* type = event.find("type");
    if (id != nullptr && type != nullptr) {
      line += (line.empty() ? "" : "\n");
      line += context.format == Format::name ? "" : harmless(type->as_string()) + " ";
      line += harmless(id->as_string());
    }
  }
  return print_answer(context, answer, line);
}

int list(const Context& context, const std::string& limit) {
  return print_items(context,
                     ask_node(context, {"GET", "/v1/events" + query_of({{"limit", limit}})}),
                     {"sequence", "at", "type", "source", "id"}, "id");
}

int tail(const Context& context) {
  const auto endpoint = context.endpoint();
  if (!endpoint) {
    return complain(endpoint.error());
  }
  node::Link link(*endpoint);
  catch_interrupts();
  const auto heard = link.listen(
      {"GET", "/v1/events/tail"}, [](const gateway::ServerEvent& event) { put(event.text + "\n"); },
      [&] { return !interrupted(); });
  return heard ? kDone : complain(heard.error());
}

int status(const Context& context) {
  const auto answer = ask_node(context, {"GET", "/v1/events/status"});
  if (!answer) {
    return complain(answer.error());
  }
  print_value(context.format == Format::json ? Format::json : Format::yaml, *answer);
  return kDone;
}

int list_dead(const Context& context) {
  return print_items(context, ask_node(context, {"GET", "/v1/letters"}),
                     {"number", "at", "trigger", "waits_for", "code", "reason"}, "number");
}

int retry(const Context& context, const std::string& number) {
  return print_answer(
      context,
      ask_node(context, {"POST", "/v1/letters/" + gateway::percent_encoded(number) + "/retry"}),
      "dead letter " + number + ": done");
}

int drop(const Context& context, const std::string& number) {
  return print_answer(
      context, ask_node(context, {"DELETE", "/v1/letters/" + gateway::percent_encoded(number)}),
      "dead letter " + number + ": dropped");
}

void add_publish(CLI::App& event, Chosen& chosen) {
  auto wanted = std::make_shared<Publication>();
  CLI::App* command = event.add_subcommand("publish", "Publish an event, or a file of one");
  command->add_option("type,--type", wanted->type, "Type of the event that the data is of")
      ->type_name("TYPE");
  command->add_option("--source", wanted->source, "Its source; else /skein/api")->type_name("URI");
  command->add_option("--id", wanted->id, "Its id; the same event is published once")
      ->type_name("ID");
  auto* const data = command->add_option("-d,--body", wanted->data, "Its data: JSON, or a text")
                         ->type_name("JSON")
                         ->default_str("null");
  command
      ->add_option("-f,--file", wanted->file,
                   "A CloudEvent as JSON, or data with --type; - for standard input")
      ->type_name("FILE")
      ->excludes(data);
  command->callback([wanted, &chosen] {
    wanted->data = wanted->data.empty() ? "null" : wanted->data;
    chosen = [wanted](const Context& context) { return publish(context, *wanted); };
  });
}

void add_numbered(CLI::App& dead, Chosen& chosen, const char* name, const char* summary,
                  int (*act)(const Context&, const std::string&)) {
  auto number = std::make_shared<std::string>();
  CLI::App* command = dead.add_subcommand(name, summary);
  command->add_option("number", *number, "Number of the letter")
      ->required()
      ->type_name("NUMBER")
      ->check(from_one());
  command->callback([number, act, &chosen] {
    chosen = [number, act](const Context& context) { return act(context, *number); };
  });
}

} // namespace

void add_events(CLI::App& app, Chosen& chosen) {
  CLI::App* event = app.add_subcommand("event", "Events that start flows");
  event->require_subcommand(1);
  add_publish(*event, chosen);
  auto limit = std::make_shared<std::string>("100");
  CLI::App* listed = event->add_subcommand("list", "The newest events, oldest first");
  listed->add_option("--limit", *limit, "How many at most")->type_name("NUMBER")->check(from_one());
  listed->callback([limit, &chosen] {
    chosen = [limit](const Context& context) { return list(context, *limit); };
  });
  event->add_subcommand("tail", "Events from now on, one JSON a line")->callback([&chosen] {
    chosen = tail;
  });
  event->add_subcommand("status", "How far events have come since the node started")
      ->callback([&chosen] { chosen = status; });
  add_event_replay(*event, chosen);
  CLI::App* dead = event->add_subcommand("dead", "What no trigger could use");
  dead->require_subcommand(1);
  dead->add_subcommand("list", "Dead letters with their reasons, oldest first")
      ->callback([&chosen] { chosen = list_dead; });
  add_numbered(*dead, chosen, "retry", "Give it to its trigger, or publish it, again", retry);
  add_numbered(*dead, chosen, "drop", "It is not wanted any more", drop);
}

} // namespace skein::cli
