#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/contexts.h"
#include "cli/input.h"

namespace skein::cli {
namespace {

Value list_of(const std::vector<std::string>& words) {
  return Value::of_list(std::vector<Value>(words.begin(), words.end()));
}

Value text_or_null(const std::string& text) { return text.empty() ? Value() : Value(text); }

// Refuses what every other command refuses.
int view(const Context& context) {
  const auto settings = context.settings();
  if (!settings) {
    return complain(settings.error());
  }
  std::error_code ignored;
  const Value value = object(
      {{"context", text_or_null(context.name)},
       {"server", text_or_null(context.server)},
       {"data", context.data.string()},
       {"data_exists", std::filesystem::exists(context.data, ignored)},
       {"log_level", context.log_level.empty() ? "warn" : context.log_level},
       {"colour", context.colour && ::isatty(STDOUT_FILENO) != 0},
       {"user", context.user},
       {"tools", object({{"sandbox", settings->sandbox ? "bubblewrap" : "none"},
                         {"shell_unsandboxed", settings->shell_unsandboxed ? "allow" : "deny"},
                         {"shell_network", settings->shell_network ? "allow" : "deny"},
                         {"shell_commands", settings->shell_commands.empty()
                                                ? Value("any")
                                                : list_of(settings->shell_commands)},
                         {"shell_environment", list_of(settings->shell_environment)},
                         {"http_allow", list_of(settings->http_allow)}})}});
  print_value(context.format == Format::json ? Format::json : Format::yaml, value);
  return kDone;
}

int get_contexts(const Context& context) {
  const auto contexts = read_contexts();
  if (!contexts) {
    return complain(contexts.error());
  }
  std::vector<Value> values;
  std::vector<std::vector<std::string>> rows{{"CURRENT", "NAME", "WHERE"}};
  for (const NamedContext& each : contexts->all) {
    const bool current = each.name == contexts->current;
    rows.push_back({current ? "*" : "", each.name, each.server.empty() ? each.data : each.server});
    values.push_back(object({{"name", each.name},
                             {"current", current},
                             {"server", text_or_null(each.server)},
                             {"data", text_or_null(each.data)}}));
    if (context.format == Format::name) {
      put(each.name + "\n");
    }
  }
  if (context.structured()) {
    print_value(context, Value::of_list(std::move(values)));
  } else if (context.format != Format::name) {
    put(table(rows));
  }
  return kDone;
}

int stored(const Contexts& contexts, const std::string& said) {
  const auto written = write_contexts(contexts);
  if (!written) {
    return complain(written.error());
  }
  put(said + "\n");
  return kDone;
}

struct Wanted {
  std::string name;
  std::string server;
  std::string token;
  std::string token_file;
};

Result<std::string> token_in(const Wanted& wanted) {
  if (wanted.token_file.empty()) {
    return wanted.token;
  }
  auto text = read_file(wanted.token_file);
  while (text && !text->empty() && text->back() == '\n') {
    text->pop_back();
  }
  return text;
}

int set_context(const Context& context, const Wanted& wanted) {
  auto contexts = read_contexts();
  const auto token = token_in(wanted);
  if (!contexts || !token) {
    return complain(contexts ? token.error() : contexts.error());
  }
  const std::string data =
      context.data_given ? std::filesystem::absolute(context.data).string() : std::string();
  if (wanted.server.empty() == data.empty()) {
    return complain(Error{Code::usage_invalid, "a context is either a server or a data directory",
                          "give --server URL with --token, or --data DIR"});
  }
  if (!wanted.server.empty() && !wanted.server.starts_with("http://") &&
      !wanted.server.starts_with("https://")) {
    return complain(Error{Code::usage_invalid, "\"" + wanted.server + "\" is no URL of a node",
                          "write it as http://HOST:PORT"});
  }
  NamedContext& named = contexts->at(wanted.name);
  const bool fresh = named.server.empty() && named.data.empty();
  named.server = wanted.server;
  while (named.server.ends_with('/')) {
    named.server.pop_back();
  }
  named.data = data;
  named.token = *token;
  return stored(*contexts, "context " + wanted.name + (fresh ? " made" : " changed"));
}

int use_context(const Context&, const std::string& name) {
  auto contexts = read_contexts();
  const auto known = contexts ? context_named(*contexts, name) : contexts.error();
  if (!known) {
    return complain(known.error());
  }
  contexts->current = name;
  return stored(*contexts, "context " + name + " is used from now on");
}

// A field of the context in use.
int set(const Context&, const std::string& field, const std::string& value) {
  auto contexts = read_contexts();
  if (!contexts) {
    return complain(contexts.error());
  }
  if (contexts->current.empty()) {
    contexts->current = "default";
  }
  NamedContext& named = contexts->at(contexts->current);
  (field == "server" ? named.server : field == "token" ? named.token : named.data) = value;
  if (field == "server") {
    named.data.clear();
  } else if (field == "data") {
    named.server.clear();
    named.token.clear();
  }
  return stored(*contexts, field + " of context " + named.name + " set");
}

void add_changes(CLI::App& config, Chosen& chosen) {
  auto wanted = std::make_shared<Wanted>();
  CLI::App* change = config.add_subcommand("set-context", "Make a context, or change it");
  change->add_option("name", wanted->name, "Name")
      ->required()
      ->type_name("NAME")
      ->check(not_empty());
  change->add_option("--server", wanted->server, "Address of a node")->type_name("URL");
  CLI::Option* token = change->add_option("--token", wanted->token,
                                          "Its token: the file `token` of its data directory");
  token->type_name("TOKEN");
  change->add_option("--token-file", wanted->token_file, "File with it")
      ->type_name("FILE")
      ->excludes(token);
  change->footer(
      "Example:\n  skein config set-context prod --server http://10.0.0.5:7711 "
      "--token-file token\n  skein config use-context prod");
  change->callback([wanted, &chosen] {
    chosen = [wanted](const Context& context) { return set_context(context, *wanted); };
  });

  auto name = std::make_shared<std::string>();
  CLI::App* use = config.add_subcommand("use-context", "Go by this context from now on");
  use->add_option("name", *name, "Name")->required()->type_name("NAME");
  use->callback([name, &chosen] {
    chosen = [name](const Context& context) { return use_context(context, *name); };
  });

  auto field = std::make_shared<std::pair<std::string, std::string>>();
  CLI::App* one = config.add_subcommand("set", "Set a field of the context in use");
  one->add_option("field", field->first, "server, token or data")
      ->required()
      ->type_name("FIELD")
      ->check(CLI::IsMember({"server", "token", "data"}));
  one->add_option("value", field->second, "Its value")
      ->required()
      ->type_name("VALUE")
      ->check(not_empty());
  one->callback([field, &chosen] {
    chosen = [field](const Context& context) { return set(context, field->first, field->second); };
  });
}

} // namespace

void add_config(CLI::App& app, Chosen& chosen) {
  CLI::App* config = app.add_subcommand("config", "What this command goes by");
  config->require_subcommand(1);
  config->add_subcommand("view", "What flags, environment and contexts came to")
      ->callback([&chosen] { chosen = view; });
  config->add_subcommand("get-contexts", "The contexts: nodes and data directories by name")
      ->callback([&chosen] { chosen = get_contexts; });
  add_changes(*config, chosen);
}

} // namespace skein::cli
