#include "broker/fitness.h"

#include <gtest/gtest.h>

#include "unit/broker/nats_house.h"
#include "unit/broker/nats_process.h"

using namespace skein;
using namespace skein::test;

namespace {

broker::FitnessOptions usual() {
  broker::FitnessOptions options;
  options.stream = "SKEIN_CANARY_test";
  return options;
}

Result<broker::Fitness> checked(const broker::NatsOptions& access,
                                const broker::FitnessOptions& options = usual()) {
  const auto broker = NatsHouse::join(access);
  return broker::check_fitness(*broker, access, options);
}

void expect_unfit(const Result<broker::Fitness>& fitness, const std::string& words) {
  ASSERT_FALSE(fitness);
  EXPECT_EQ(fitness.error().code, Code::broker_unfit);
  EXPECT_NE(fitness.error().detail.find(words), std::string::npos) << fitness.error().detail;
}

TEST(fitness, a_server_of_our_own_is_fit) {
  NatsHouse house;
  const auto fitness = checked(house.server().access());
  ASSERT_TRUE(fitness) << to_string(fitness.error());
  EXPECT_FALSE(fitness->version.empty());
  EXPECT_EQ(fitness->warnings.empty(), !fitness->version.starts_with("2.9."));
  EXPECT_TRUE(checked(house.server().access())) << "a second time, with the canary there";
}

TEST(fitness, a_server_without_streams_is_not) {
  const NatsProcess server("listen: 127.0.0.1:@PORT@");
  broker::NatsOptions access;
  access.urls = {server.url()};
  expect_unfit(checked(access), "JetStream is off");
}

TEST(fitness, an_account_without_streams_is_not) {
  const NatsProcess server(R"(
    listen: 127.0.0.1:@PORT@
    jetstream: { store_dir: "@STORE@" }
    accounts: { A: { users: [ { user: a, password: a } ] } }
  )");
  broker::NatsOptions access;
  access.urls = {server.url()};
  access.user = "a";
  access.password = "a";
  expect_unfit(checked(access), "does not come back");
}

TEST(fitness, small_messages_are_too_small) {
  NatsHouse house;
  auto options = usual();
  options.least_payload = 64u << 20;
  expect_unfit(checked(house.server().access(), options), "max_payload");
}

TEST(fitness, calls_that_reach_beyond_the_account_must_be_denied) {
  const NatsProcess server(R"(
    listen: 127.0.0.1:@PORT@
    jetstream: { store_dir: "@STORE@" }
    system_account: SYS
    accounts: { SYS: {}, A: { jetstream: enabled, users: [ { user: a, password: a } ] } }
  )");
  broker::NatsOptions access;
  access.urls = {server.url()};
  access.user = "a";
  access.password = "a";
  const auto fitness = checked(access);
  expect_unfit(fitness, "ACCOUNT.PURGE");
  expect_unfit(fitness, "STREAM.RESTORE");
}

TEST(fitness, a_server_that_lets_anybody_in_is_not) {
  const NatsProcess server(R"(
    listen: 127.0.0.1:@PORT@
    jetstream: { store_dir: "@STORE@" }
    no_auth_user: a
    accounts: { A: { jetstream: enabled, users: [ { user: a, password: a } ] } }
  )");
  broker::NatsOptions access;
  access.urls = {server.url()};
  access.user = "a";
  access.password = "a";
  expect_unfit(checked(access), "without credentials");
}

} // namespace
