#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/commands.h"
#include "node/remote/remote_node.h"

namespace skein::cli {
namespace {

int status(const Context& context) {
  const auto endpoint = context.endpoint();
  const auto about = endpoint ? node::about(*endpoint) : endpoint.error();
  if (!about) {
    return complain(about.error());
  }
  if (context.format == Format::name) {
    const Value* name = about->find("name");
    put((name != nullptr ? std::string(name->as_string()) : "") + "\n");
  } else {
    print_value(context.format == Format::json ? Format::json : Format::yaml, *about);
  }
  return kDone;
}

} // namespace

void add_node(CLI::App& app, Chosen& chosen) {
  CLI::App* node = app.add_subcommand("node", "The node that serves this data directory");
  node->require_subcommand(1);
  node->add_subcommand("status", "What it is, what it does, and what it has refused")
      ->callback([&chosen] { chosen = status; });
}

} // namespace skein::cli
