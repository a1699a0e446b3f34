#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include "broker/fitness.h"
#include "broker/nats_broker.h"
#include "unit/broker/nats_house.h"
#include "unit/broker/nats_process.h"

using namespace skein;
using namespace skein::test;

namespace {

/// The configuration that is shipped, with this test's port, folders and certificates.
std::string shipped(const std::string& file) {
  const std::string path = SKEIN_DEPLOY "/nats/";
  const auto read = [&](const std::string& name) {
    std::ifstream in(path + name);
    EXPECT_TRUE(in) << path + name;
    return std::string{std::istreambuf_iterator<char>(in), {}};
  };
  std::string text = read(file);
  NatsProcess::replace(text, "include \"accounts.conf\"", read("accounts.conf"));
  NatsProcess::replace(text, "/etc/nats/tls/", "@TLS@/");
  NatsProcess::replace(text, "/var/lib/nats/jetstream", "@STORE@");
  NatsProcess::replace(text, "0.0.0.0:4222", "127.0.0.1:@PORT@");
  NatsProcess::replace(text, "http: \"127.0.0.1:8222\"", "");
  ::setenv("SYS_PASSWORD", "secret-of-sys", 1);
  ::setenv("SKEIN_PASSWORD", "secret-of-skein", 1);
  ::setenv("ACME_PASSWORD", "secret-of-acme", 1);
  ::setenv("NATS_NAME", "one", 1);
  ::setenv("NATS_ROUTE_1", "nats-route://127.0.0.1:1", 1);
  ::setenv("NATS_ROUTE_2", "nats-route://127.0.0.1:2", 1);
  ::setenv("NATS_ROUTE_3", "nats-route://127.0.0.1:3", 1);
  return text;
}

broker::NatsOptions access_to(const NatsProcess& server, const std::string& user) {
  broker::NatsOptions access;
  access.urls = {server.url("tls", "localhost")};
  access.user = user;
  access.password = "secret-of-" + user;
  access.tls.authority = server.folder() / "ca.crt";
  access.tls.certificate = server.folder() / "client.crt";
  access.tls.key = server.folder() / "client.key";
  return access;
}

TEST(nats_security, the_configuration_that_is_shipped_is_fit) {
  const NatsProcess server(shipped("single.conf"));
  const auto access = access_to(server, "skein");
  const auto broker = NatsHouse::join(access);
  broker::FitnessOptions options;
  options.stream = "SKEIN_CANARY_test";
  const auto fitness = broker::check_fitness(*broker, access, options);
  EXPECT_TRUE(fitness) << to_string(fitness.error());
}

TEST(nats_security, the_configuration_of_a_cluster_can_be_read) {
  const Folder folder;
  NatsProcess::make_certificates(folder.path());
  std::string text = shipped("cluster.conf");
  NatsProcess::replace(text, "@TLS@", folder.path().string());
  NatsProcess::replace(text, "@PORT@", "4222");
  const auto path = folder.path() / "cluster.conf";
  std::ofstream(path) << text;
  auto checked = broker::spawn(broker::find_program("nats-server"), {"-t", "-c", path.string()});
  ASSERT_TRUE(checked);
  EXPECT_EQ(broker::reap(*checked), "ended with 0") << [&] {
    std::string words(4'096, ' ');
    const auto got = ::read(checked->output.get(), words.data(), words.size());
    return words.substr(0, got > 0 ? static_cast<std::size_t>(got) : 0);
  }();
}

TEST(nats_security, a_server_that_another_authority_signed_is_refused) {
  const NatsProcess server(shipped("single.conf"));
  const Folder other;
  NatsProcess::make_certificates(other.path());
  auto access = access_to(server, "skein");
  access.tls.authority = other.path() / "ca.crt";
  access.first_connection = Millis{1'000};
  EXPECT_FALSE(broker::connect(access));
  access = access_to(server, "skein");
  access.tls.host = "another.example";
  access.first_connection = Millis{1'000};
  EXPECT_FALSE(broker::connect(access)) << "a certificate for another host";
  access = access_to(server, "skein");
  access.tls.certificate.clear();
  access.first_connection = Millis{1'000};
  EXPECT_FALSE(broker::connect(access)) << "without a certificate of the client";
}

TEST(nats_security, what_a_tenant_publishes_arrives_as_its_own_event_and_as_nothing_else) {
  const NatsProcess server(shipped("single.conf"));
  const auto node = NatsHouse::join(access_to(server, "skein"));
  auto tenant_access = access_to(server, "acme");
  tenant_access.inbox_prefix = "_INBOX_acme";
  const auto tenant = NatsHouse::join(tenant_access);
  StreamSpec spec;
  spec.name = "EVENTS";
  spec.subjects = {"skein.*.event.>"};
  ASSERT_TRUE(node->make_stream(spec));
  Mailbox<std::string> got;
  auto held = node->subscribe("skein.>", "", [&](Message&& m) { got.put(m.subject); });
  auto tail = node->tail({"EVENTS", "", 1}, [&](Stored&& s) { got.put(s.message.subject); });
  ASSERT_TRUE(held && tail);
  ASSERT_TRUE(tenant->publish(message_to("skein.other.event.x", "forged")));
  ASSERT_TRUE(tenant->publish(message_to("skein.node.control", "forged")));
  ASSERT_TRUE(tenant->publish(message_to("skein.acme.event.alert.fired", "{}")));
  ASSERT_TRUE(got.wait(2));
  EXPECT_EQ(got.items(), (std::vector<std::string>(2, "skein.acme.event.alert.fired")));
}

TEST(nats_security, what_the_permissions_forbid_is_refused_at_once_and_counted) {
  const NatsProcess server(R"(
    listen: 127.0.0.1:@PORT@
    jetstream: { store_dir: "@STORE@" }
    accounts: { A: { jetstream: enabled, users: [ {
      user: a, password: a
      permissions: { publish: { allow: [ "$JS.API.>", "good.>" ] }
                     subscribe: { allow: [ "_INBOX.>", "good.>" ] } } } ] } }
  )");
  broker::NatsOptions access;
  access.urls = {server.url()};
  access.user = "a";
  access.password = "a";
  const auto broker = NatsHouse::join(access);
  StreamSpec spec;
  spec.name = "BAD";
  spec.subjects = {"bad.>"};
  ASSERT_TRUE(broker->make_stream(spec));
  EXPECT_EQ(append_now(*broker, message_to("bad.a", "x")).error().code, Code::broker_refused);
  EXPECT_EQ(request_now(*broker, message_to("bad.a", "x"), Millis{20'000}).error().code,
            Code::broker_refused);
  EXPECT_GE(broker->counts().refused.load(), 2u);
}

TEST(nats_security, a_stream_takes_no_headers_that_would_purge_it) {
  NatsHouse house;
  StreamSpec spec;
  spec.name = "SAFE";
  spec.subjects = {"SAFE.>"};
  ASSERT_TRUE(house.broker().make_stream(spec));
  ASSERT_TRUE(append_now(house.broker(), message_to("SAFE.a", "kept")));
  for (const char* name : {"Nats-Rollup", "NATS-EXPECTED-LAST-SEQUENCE", "Nats-Msg-Id"}) {
    const auto sent = append_now(house.broker(), {"SAFE.a", "", {{name, "all"}}, "x"});
    ASSERT_FALSE(sent) << name;
    EXPECT_EQ(sent.error().code, Code::subject_invalid);
  }
  for (const char* call : {"STREAM.PURGE.SAFE", "STREAM.MSG.DELETE.SAFE"}) {
    const auto answer = request_now(
        house.broker(), message_to(std::string("$JS.API.") + call, "{\"seq\":1}"), Millis{20'000});
    ASSERT_TRUE(answer);
    EXPECT_NE(answer->payload.find("\"error\""), std::string::npos) << answer->payload;
  }
  EXPECT_EQ(house.broker().stream("SAFE")->messages, 1u);
}

/// Says what a test wants to whoever connects first, and ends.
class FakeServer {
 public:
  explicit FakeServer(std::string greeting) : greeting_(std::move(greeting)) {
    socket_ = broker::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address); // NOLINT
    ::bind(socket_.get(), plain, size);
    ::listen(socket_.get(), 8);
    ::getsockname(socket_.get(), plain, &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      const broker::Fd client(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      for (std::size_t at = 0; at < greeting_.size();) {
        const auto sent =
            ::send(client.get(), greeting_.data() + at, greeting_.size() - at, MSG_NOSIGNAL);
        if (sent <= 0) {
          return;
        }
        at += static_cast<std::size_t>(sent);
      }
    });
  }
  ~FakeServer() { thread_.join(); }
  broker::Address address() const { return {"127.0.0.1", port_, false}; }

 private:
  const std::string greeting_;
  broker::Fd socket_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST(nats_security, a_greeting_without_an_end_is_not_read_to_its_end) {
  for (const std::string& greeting :
       {"INFO {\"version\":\"" + std::string(8u << 20, 'x'), std::string("HTTP/1.1 400 Bad\r\n"),
        std::string("INFO not json\r\n"), std::string("INFO []\r\n"), std::string()}) {
    const FakeServer server(greeting);
    const auto greeted = broker::greet(server.address(), Millis{20'000});
    ASSERT_FALSE(greeted);
    EXPECT_EQ(greeted.error().code, Code::broker_unreachable);
  }
}

TEST(nats_security, addresses_are_read_and_shown_without_secrets) {
  const auto address = broker::parse_address("tls://user:secret@example.org:4223");
  ASSERT_TRUE(address);
  EXPECT_EQ(to_string(*address), "example.org:4223");
  EXPECT_TRUE(address->tls);
  EXPECT_EQ(broker::parse_address("[::1]:4222")->host, "::1");
  EXPECT_EQ(broker::parse_address("nats://host")->port, 4222);
  for (const char* bad : {"", "http://a", "nats://", "nats://a:0", "nats://a:99999", "a b:1"}) {
    EXPECT_FALSE(broker::parse_address(bad)) << bad;
  }
}

} // namespace
