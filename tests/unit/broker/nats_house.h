#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "broker/nats_broker.h"
#include "broker/nats_server.h"
#include "support/broker_house.h"
#include "support/folder.h"

namespace skein::test {

/// A real nats-server of its own on loopback, and two connections to it.
class NatsHouse : public BrokerHouse {
 public:
  NatsHouse() {
    broker::NatsServerOptions options;
    options.folder = folder_.path() / "nats";
    auto started = broker::NatsServer::start(options);
    EXPECT_TRUE(started) << to_string(started.error());
    server_ = std::move(*started);
    first_ = join();
    second_ = join();
  }

  std::unique_ptr<broker::NatsBroker> join() const { return join(server_->access()); }
  static std::unique_ptr<broker::NatsBroker> join(const broker::NatsOptions& options) {
    auto connected = broker::connect(options);
    EXPECT_TRUE(connected) << to_string(connected.error());
    return connected ? std::move(*connected) : nullptr;
  }

  Broker& broker() override { return *first_; }
  Broker& other() override { return *second_; }
  broker::NatsBroker& nats() { return *first_; }
  broker::NatsServer& server() { return *server_; }
  const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  Folder folder_;
  std::unique_ptr<broker::NatsServer> server_;
  std::unique_ptr<broker::NatsBroker> first_;
  std::unique_ptr<broker::NatsBroker> second_;
};

} // namespace skein::test
