#include "cli/node/joining.h"

#include <CLI/CLI.hpp>

#include "cli/checks.h"
#include "cli/input.h"

namespace skein::cli {
namespace {

constexpr std::size_t kShortestKey = 16;

} // namespace

void add_joining(CLI::App& command, Joining& joining) {
  command.add_option("--name", joining.name, "Name of the node; else the host's")
      ->type_name("NAME")
      ->check(not_empty());
  command
      .add_option("--nats", joining.nats,
                  "NATS servers, with commas between them; else one is started for this node; "
                  "none: everything stays on this node. SKEIN_NATS says the same, and keeps a "
                  "password out of the list of processes")
      ->envname("SKEIN_NATS")
      ->type_name("URL")
      ->check(not_empty());
  command.add_option("--nats-creds", joining.broker.credentials, "Credentials for them")
      ->type_name("FILE");
  command.add_option("--nats-ca", joining.broker.authority, "Whose certificates they show")
      ->type_name("FILE");
  command.add_option("--nats-cert", joining.broker.certificate, "Certificate of this node")
      ->type_name("FILE");
  command.add_option("--nats-key", joining.broker.key, "Key of that certificate")
      ->type_name("FILE");
  command.add_option("--cluster", joining.cluster, "Nodes of the same cluster share their runs")
      ->type_name("NAME")
      ->check(not_empty());
  command
      .add_option("--cluster-key", joining.key,
                  "A secret that the nodes of the cluster sign their messages with, 16 bytes or "
                  "more")
      ->envname("SKEIN_CLUSTER_KEY")
      ->type_name("FILE");
  command.add_option("--replicas", joining.replicas, "Copies of each stream, on several servers")
      ->type_name("N")
      ->check(CLI::Range(1, 5));
}

Result<std::string> key_of(const Joining& joining) {
  if (joining.key.empty()) {
    return std::string();
  }
  auto key = read_file(joining.key.string());
  if (!key) {
    return key.error();
  }
  while (!key->empty() && (key->back() == '\n' || key->back() == '\r')) {
    key->pop_back();
  }
  if (key->size() < kShortestKey) {
    return Error{Code::usage_invalid,
                 "the key in " + joining.key.string() + " has " + std::to_string(key->size()) +
                     " bytes, which is no secret",
                 "make one: openssl rand -hex 32 > " + joining.key.string()};
  }
  return *key;
}

} // namespace skein::cli
