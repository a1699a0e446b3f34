#include "node/cluster/broker_choice.h"

#include <spdlog/spdlog.h>

#include <sstream>
#include <string_view>
#include <utility>

#include "broker/fitness.h"
#include "broker/nats_broker.h"
#include "broker/nats_server.h"

namespace skein::node {
namespace {

/// "nats://user:password@host:port": who connects is said apart from where.
Result<void> add_url(std::string url, broker::NatsOptions& options) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos || (!url.starts_with("nats://") && !url.starts_with("tls://"))) {
    return Error{Code::usage_invalid, "\"" + url + "\" is no URL of a NATS server",
                 "write nats://HOST:PORT or tls://HOST:PORT"};
  }
  const auto at = url.rfind('@');
  if (at != std::string::npos) {
    const std::string who = url.substr(scheme + 3, at - scheme - 3);
    const auto colon = who.find(':');
    if (colon == std::string::npos) {
      options.token = who;
    } else {
      options.user = who.substr(0, colon);
      options.password = who.substr(colon + 1);
    }
    url.erase(scheme + 3, at - scheme - 2);
  }
  options.urls.push_back(std::move(url));
  return {};
}

/// A connection, and the server behind it.
struct Link {
  std::unique_ptr<broker::NatsServer> server;
  std::unique_ptr<broker::NatsBroker> broker; // goes before its server
};

Result<broker::NatsOptions> options_of(const BrokerChoice& choice) {
  broker::NatsOptions options;
  std::stringstream urls(choice.urls);
  for (std::string url; std::getline(urls, url, ',');) {
    if (auto added = add_url(url, options); !added) {
      return added.error();
    }
  }
  options.credentials = choice.credentials;
  options.tls.authority = choice.authority;
  options.tls.certificate = choice.certificate;
  options.tls.key = choice.key;
  options.tls.on = !choice.authority.empty() || !choice.certificate.empty();
  return options;
}

} // namespace

Result<std::shared_ptr<Broker>> choose_broker(const BrokerChoice& choice,
                                              const std::filesystem::path& folder,
                                              const std::string& name) {
  std::unique_ptr<broker::NatsServer> server;
  broker::NatsOptions options;
  if (choice.urls.empty()) {
    broker::NatsServerOptions own;
    own.folder = folder;
    own.on_change = [](bool up, const std::string& why) {
      up ? spdlog::info("nats-server: {}", why) : spdlog::error("nats-server: {}", why);
    };
    auto started = broker::NatsServer::start(own);
    if (!started) {
      return started.error();
    }
    server = std::move(*started);
    options = server->access();
  } else {
    auto told = options_of(choice);
    if (!told) {
      return told.error();
    }
    options = std::move(*told);
  }
  options.name = "skein " + name;
  auto link = broker::connect(options);
  if (!link) {
    return link.error();
  }
  broker::FitnessOptions wanted;
  wanted.stream = "SKEIN_CANARY_1";
  wanted.test_permissions = !options.user.empty() || !options.token.empty() ||
                            !options.credentials.empty() || !options.tls.certificate.empty();
  if (!wanted.test_permissions) {
    spdlog::warn(
        "broker: {} asks for no credentials: whoever reaches it can read and destroy "
        "everything; see deploy/nats/",
        options.urls.front());
  }
  const auto fit = broker::check_fitness(**link, options, wanted);
  if (!fit) {
    return fit.error();
  }
  for (const std::string& warning : fit->warnings) {
    spdlog::warn("broker: {}", warning);
  }
  auto both = std::make_shared<Link>(Link{std::move(server), std::move(*link)});
  return std::shared_ptr<Broker>(both, both->broker.get());
}

} // namespace skein::node
