#include "broker/nats_server.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "support/broker_house.h"
#include "support/folder.h"
#include "unit/broker/nats_house.h"

using namespace skein;
using namespace skein::test;

namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(nats_server, a_missing_program_is_said_with_what_to_install) {
  const Folder folder;
  broker::NatsServerOptions options;
  options.folder = folder.path();
  options.program = "no-such-nats-server";
  const auto started = broker::NatsServer::start(options);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::nats_server_failed);
  EXPECT_NE(started.error().hint.find("apt install nats-server"), std::string::npos);
}

TEST(nats_server, a_port_that_is_taken_is_said_with_its_last_words) {
  NatsHouse house;
  const Folder folder;
  broker::NatsServerOptions options;
  options.folder = folder.path();
  const std::string url = house.server().url();
  options.port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  const auto started = broker::NatsServer::start(options);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::nats_server_failed);
  EXPECT_NE(started.error().detail.find("address already in use"), std::string::npos)
      << started.error().detail;
}

TEST(nats_server, only_the_owner_can_read_how_to_reach_it) {
  NatsHouse house;
  for (const char* name : {"access.json", "server.conf"}) {
    struct stat status {};
    ASSERT_EQ(::stat((house.folder() / "nats" / name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u) << name;
  }
  EXPECT_NE(text_of(house.folder() / "nats/access.json").find(house.server().url()),
            std::string::npos);
  auto nobody = house.server().access();
  nobody.user.clear();
  EXPECT_EQ(broker::connect(nobody).error().code, Code::broker_refused);
}

TEST(nats_server, it_keeps_port_password_and_streams_over_a_restart) {
  const Folder folder;
  broker::NatsServerOptions options;
  options.folder = folder.path() / "nats";
  std::string url;
  std::string password;
  {
    auto first = broker::NatsServer::start(options);
    ASSERT_TRUE(first) << to_string(first.error());
    url = (*first)->url();
    password = (*first)->access().password;
    const auto broker = NatsHouse::join((*first)->access());
    StreamSpec spec;
    spec.name = "KEPT";
    spec.subjects = {"KEPT.>"};
    ASSERT_TRUE(broker->make_stream(spec));
    ASSERT_TRUE(append_now(*broker, message_to("KEPT.a", "x")));
  }
  auto second = broker::NatsServer::start(options);
  ASSERT_TRUE(second) << to_string(second.error());
  EXPECT_EQ((*second)->url(), url);
  EXPECT_EQ((*second)->access().password, password);
  EXPECT_EQ(NatsHouse::join((*second)->access())->stream("KEPT")->messages, 1u);
}

TEST(nats_server, one_that_ends_is_started_again_and_both_are_told) {
  const Folder folder;
  Mailbox<std::pair<bool, std::string>> told;
  broker::NatsServerOptions options;
  options.folder = folder.path() / "nats";
  options.on_change = [&](bool up, const std::string& why) { told.put({up, why}); };
  auto server = broker::NatsServer::start(options);
  ASSERT_TRUE(server) << to_string(server.error());
  const pid_t first = (*server)->pid();
  ::kill(first, SIGKILL);
  const auto ended = told.take();
  EXPECT_FALSE(ended.first);
  EXPECT_NE(ended.second.find("signal 9"), std::string::npos);
  EXPECT_TRUE(told.take().first);
  EXPECT_NE((*server)->pid(), first);
  EXPECT_EQ((*server)->starts(), 2u);
}

TEST(nats_server, one_that_an_earlier_process_left_is_ended_first) {
  const Folder folder;
  broker::NatsServerOptions options;
  options.folder = folder.path() / "nats";
  { ASSERT_TRUE(broker::NatsServer::start(options)); }
  const std::string config = (options.folder / "server.conf").string();
  const pid_t orphan = ::fork();
  if (orphan == 0) {
    (void)!::freopen("/dev/null", "w", stderr);
    ::execl("/usr/sbin/nats-server", "nats-server", "-c", config.c_str(), nullptr);
    ::_exit(127);
  }
  for (int i = 0; i < 1'000 && text_of(options.folder / "server.pid") != std::to_string(orphan);
       ++i) {
    ::usleep(10'000);
  }
  auto server = broker::NatsServer::start(options);
  ASSERT_TRUE(server) << to_string(server.error());
  EXPECT_NE((*server)->pid(), orphan);
  int status = 0;
  EXPECT_EQ(::waitpid(orphan, &status, 0), orphan);
}

TEST(nats_server, its_log_stays_below_its_size) {
  const Folder folder;
  broker::NatsServerOptions options;
  options.folder = folder.path() / "nats";
  options.max_log = 2'000;
  for (int i = 0; i < 3; ++i) {
    auto server = broker::NatsServer::start(options);
    ASSERT_TRUE(server) << to_string(server.error());
  }
  EXPECT_LE(std::filesystem::file_size(options.folder / "server.log"), 10'000u);
  EXPECT_TRUE(std::filesystem::exists(options.folder / "server.log.1"));
}

} // namespace
