#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
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
  /// Stops the server as it is; on return none of its threads runs any more.
  void freeze() {
    frozen_ = server_->pid();
    ::kill(frozen_, SIGSTOP);
    siginfo_t stopped{};
    ::waitid(P_PID, static_cast<id_t>(frozen_), &stopped, WSTOPPED | WNOWAIT);
  }
  void kill_server() {
    const pid_t pid = server_->pid();
    ASSERT_GT(pid, 1); // 0 would be this process and its group
    ::kill(pid, SIGKILL);
  }
  void thaw() const { ::kill(frozen_, SIGCONT); }
  const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  Folder folder_;
  pid_t frozen_ = 0;
  std::unique_ptr<broker::NatsServer> server_;
  std::unique_ptr<broker::NatsBroker> first_;
  std::unique_ptr<broker::NatsBroker> second_;
};

} // namespace skein::test
