#include "gateway/server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "gateway/event_stream.h"
#include "support/raw_client.h"

namespace skein::gateway {
namespace {

using test::RawClient;

constexpr const char* kToken = "0123456789abcdef";

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    routes_.add({.path = "/healthz",
                 .handle =
                     [](const Request&) {
                       return answer(object({{"status", "alive"}}));
                     },
                 .open = true});
    routes_.add({.method = Method::post, .path = "/v1/echo", .handle = [](const Request& request) {
                   const auto value = json_of(request);
                   return value ? answer(*value) : refuse(value.error());
                 }});
    routes_.add({.path = "/v1/echo/{name}", .query = {{"q"}}, .handle = [](const Request& request) {
                   return answer(object({{"name", request.parameter("name")},
                                         {"q", request.asked("q").value_or("")}}));
                 }});
    routes_.add(
        {.path = "/v1/stream", .type = "text/event-stream", .handle = [this](const Request&) {
           Response response;
           response.type = "text/event-stream";
           response.events = [this](std::shared_ptr<EventStream> stream) {
             streams_.set_value(std::move(stream));
           };
           return response;
         }});
    options_.token = kToken;
  }

  void listen() {
    auto server = Server::listen(options_, routes_);
    ASSERT_TRUE(server.ok()) << to_string(server.error());
    server_ = std::move(*server);
  }

  std::uint64_t refused(Refusal why) const {
    return server_->counters().refused[static_cast<std::size_t>(why)];
  }

  static std::string request(const std::string& line, const std::string& more = "",
                             const std::string& body = "") {
    return line + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + kToken + "\r\n" +
           (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") + more +
           "\r\n" + body;
  }

  /// What comes back to these bytes on a connection of their own.
  std::string answer_to(const std::string& bytes) {
    RawClient client(server_->port());
    client.send(bytes);
    return client.read_answer();
  }

  static std::string status(const std::string& answer) {
    return answer.size() < 12 ? "nothing" : answer.substr(9, 3);
  }

  Options options_;
  Routes routes_;
  std::promise<std::shared_ptr<EventStream>> streams_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, a_connection_is_used_for_one_request_after_the_other) {
  listen();
  RawClient client(server_->port());
  client.send(request("GET /v1/echo/a"));
  EXPECT_TRUE(client.read_answer().ends_with("{\"name\":\"a\",\"q\":\"\"}\n"));
  client.send(request("POST /v1/echo", "", R"({"n": 1})"));
  EXPECT_TRUE(client.read_answer().ends_with("{\"n\":1}\n"));
  EXPECT_EQ(server_->counters().connections, 1u);
  EXPECT_EQ(server_->counters().requests, 2u);
}

TEST_F(ServerTest, requests_that_come_at_once_are_answered_in_order) {
  listen();
  RawClient client(server_->port());
  client.send(request("GET /v1/echo/a") + request("GET /v1/echo/b"));
  EXPECT_NE(client.read_answer().find("\"a\""), std::string::npos);
  EXPECT_NE(client.read_answer().find("\"b\""), std::string::npos);
}

TEST_F(ServerTest, paths_that_could_mean_another_are_refused) {
  listen();
  for (const char* path :
       {"/v1/echo/../admin", "/v1/echo/%2e%2e", "/v1/echo/.%2E", "/v1/echo/a%2fb", "/v1/echo/%00",
        "/v1/echo//b", "/v1/echo/a%0d%0aX", "/v1/echo/%zz", "/v1/echo/%ff", "/v1/echo/%5c",
        "/v1/echo/.", "/v1/echo/a?q=1&q=2", "/v1/echo/a?q=%00"}) {
    const std::string answer = answer_to(request("GET " + std::string(path)));
    EXPECT_EQ(status(answer), "400") << path;
    EXPECT_NE(answer.find("SK6008"), std::string::npos) << path; // request_invalid
  }
  EXPECT_EQ(refused(Refusal::target), 13u);
}

TEST_F(ServerTest, what_is_encoded_twice_is_decoded_once) {
  listen();
  EXPECT_TRUE(answer_to(request("GET /v1/echo/%252e%252e"))
                  .ends_with("{\"name\":\"%2e%2e\",\"q\":\"\"}\n"));
}

TEST_F(ServerTest, unknown_paths_methods_and_parameters_say_what_there_is) {
  listen();
  std::string answer = answer_to(request("GET /v1/ecko/a"));
  EXPECT_EQ(status(answer), "404");
  EXPECT_NE(answer.find("SK6009"), std::string::npos); // route_unknown
  answer = answer_to(request("DELETE /v1/echo/a"));
  EXPECT_EQ(status(answer), "405");
  EXPECT_NE(answer.find("only GET"), std::string::npos);
  answer = answer_to(request("GET /v1/echo/a?limit=1"));
  EXPECT_EQ(status(answer), "400");
  EXPECT_EQ(status(answer_to(request("BREW /v1/echo/a"))), "405");
}

TEST_F(ServerTest, without_the_token_nothing_is_told_but_that_it_is_missing) {
  listen();
  for (const char* header :
       {"", "Authorization: Bearer 0123456789abcdeX\r\n",
        "Authorization: Basic 0123456789abcdef\r\n", "Authorization: Bearer \r\n",
        "Authorization: Bearer 0123456789abcdef0\r\n"}) {
    const std::string answer =
        answer_to("GET /v1/echo/a HTTP/1.1\r\nHost: 127.0.0.1\r\n" + std::string(header) + "\r\n");
    EXPECT_EQ(status(answer), "401") << header;
    EXPECT_NE(answer.find("SK6007"), std::string::npos); // unauthorized
    EXPECT_NE(answer.find("WWW-Authenticate: Bearer"), std::string::npos);
  }
  EXPECT_EQ(status(answer_to("GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")), "401");
  EXPECT_EQ(refused(Refusal::token), 6u);
}

TEST_F(ServerTest, open_routes_are_open_under_names_of_this_machine_only) {
  listen();
  for (const char* host : {"127.0.0.1", "localhost:7711", "[::1]:80", "LOCALHOST"}) {
    EXPECT_EQ(status(answer_to("GET /healthz HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n")),
              "200")
        << host;
  }
  for (const char* host : {"evil.example", "127.0.0.1.evil.example", "localhost:7711:80", ""}) {
    EXPECT_EQ(status(answer_to("GET /healthz HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n")),
              "403")
        << host;
  }
  EXPECT_EQ(refused(Refusal::host), 4u);
}

TEST_F(ServerTest, a_body_that_is_too_large_is_refused_before_it_is_read) {
  options_.limits.body_bytes = 1'000;
  listen();
  EXPECT_EQ(status(answer_to(request("POST /v1/echo", "Content-Length: 1001\r\n"))), "413");
  EXPECT_EQ(refused(Refusal::body_limit), 1u);
  std::string chunks = request("POST /v1/echo", "Transfer-Encoding: chunked\r\n");
  for (int i = 0; i < 20; ++i) {
    chunks += "64\r\n" + std::string(100, 'x') + "\r\n";
  }
  const std::string answer = answer_to(chunks);
  EXPECT_EQ(status(answer), "413");
  EXPECT_NE(answer.find("SK6010"), std::string::npos); // request_too_large
  EXPECT_EQ(refused(Refusal::body_limit), 2u);
}

TEST_F(ServerTest, a_head_that_is_too_long_is_refused) {
  options_.limits.header_bytes = 1'000;
  listen();
  EXPECT_EQ(status(answer_to(request("GET /v1/echo/a", "X: " + std::string(2'000, 'x') + "\r\n"))),
            "431");
  EXPECT_EQ(refused(Refusal::header_limit), 1u);
}

TEST_F(ServerTest, requests_that_can_be_read_in_two_ways_are_refused) {
  listen();
  const std::string body = "5\r\nhello\r\n0\r\n\r\n";
  for (const std::string& bytes :
       {request("POST /v1/echo", "Transfer-Encoding: chunked\r\nContent-Length: 15\r\n") + body,
        request("POST /v1/echo", "Content-Length: 15\r\nTransfer-Encoding: chunked\r\n") + body,
        request("POST /v1/echo", "Content-Length: 1\r\nContent-Length: 2\r\n") + "xx",
        request("GET /v1/echo/a", "Host: other\r\n"),
        request("GET /v1/echo/a", "Authorization: Bearer other\r\n"),
        std::string("GET /healthz HTTP/1.1\r\n\r\n"), std::string("GET / HTTP/9.9\r\n\r\n"),
        std::string("\x16\x03\x01\x02hello\r\n\r\n")}) {
    EXPECT_EQ(status(answer_to(bytes)), "400") << bytes;
  }
  EXPECT_EQ(refused(Refusal::syntax), 8u);
}

TEST_F(ServerTest, bodies_that_are_not_plain_json_are_refused) {
  listen();
  for (const char* body : {R"({"role":"viewer","role":"admin"})", "{", R"({"n":1e400})", "\"\xff\"",
                           R"("\ud800")", "NaN"}) {
    EXPECT_EQ(status(answer_to(request("POST /v1/echo", "", body))), "400") << body;
  }
  EXPECT_EQ(status(answer_to(request("POST /v1/echo", "", std::string(100'000, '[')))), "413");
  EXPECT_EQ(status(answer_to(request("POST /v1/echo", "Content-Type: text/plain\r\n", "{}"))),
            "400");
}

TEST_F(ServerTest, a_request_that_ends_too_soon_leaves_nothing_behind) {
  listen();
  const std::string whole = request("POST /v1/echo", "", R"({"n": 1})");
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    RawClient client(server_->port());
    client.send(whole.substr(0, length));
    client.end_sending();
    client.read_all();
  }
  EXPECT_EQ(server_->counters().requests, 0u);
  EXPECT_EQ(status(answer_to(whole)), "200");
}

TEST_F(ServerTest, a_head_that_never_ends_is_given_up) {
  options_.limits.header_time = std::chrono::milliseconds(20);
  listen();
  RawClient client(server_->port());
  client.send("GET /healthz HTTP/1.1\r\nHost: ");
  EXPECT_EQ(client.read_all(), "");
  server_->stop(Millis{10'000}); // the socket closes a moment before it is counted
  EXPECT_EQ(refused(Refusal::header_time), 1u);
}

TEST_F(ServerTest, a_body_that_never_comes_is_given_up) {
  options_.limits.body_time = std::chrono::milliseconds(20);
  listen();
  RawClient client(server_->port());
  client.send(request("POST /v1/echo", "Content-Length: 10\r\n"));
  EXPECT_EQ(client.read_all(), "");
  server_->stop(Millis{10'000}); // the socket closes a moment before it is counted
  EXPECT_EQ(refused(Refusal::body_time), 1u);
}

TEST_F(ServerTest, connections_past_the_limit_are_told_so_and_closed) {
  options_.limits.connections = 2;
  listen();
  RawClient first(server_->port());
  RawClient second(server_->port());
  first.send(request("GET /v1/echo/a"));
  second.send(request("GET /v1/echo/a"));
  EXPECT_EQ(status(first.read_answer()), "200");
  EXPECT_EQ(status(second.read_answer()), "200");
  RawClient third(server_->port());
  EXPECT_EQ(status(third.read_answer()), "503");
  EXPECT_EQ(refused(Refusal::connections), 1u);
}

TEST_F(ServerTest, requests_past_what_may_wait_are_refused) {
  options_.limits.handlers = 1;
  options_.limits.waiting = 0;
  listen();
  const std::string answer = answer_to(request("GET /v1/echo/a"));
  EXPECT_EQ(status(answer), "503");
  EXPECT_NE(answer.find("SK6005"), std::string::npos);
  EXPECT_EQ(refused(Refusal::busy), 1u);
}

TEST_F(ServerTest, who_asks_before_a_large_body_is_told_to_go_on) {
  listen();
  RawClient client(server_->port());
  client.send(request("POST /v1/echo", "Content-Length: 2\r\nExpect: 100-continue\r\n"));
  EXPECT_TRUE(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 100 "));
  client.send("{}");
  EXPECT_NE(client.read_until("200 OK").find("200 OK"), std::string::npos);
}

TEST_F(ServerTest, events_arrive_in_order_until_the_stream_ends) {
  listen();
  RawClient client(server_->port());
  client.send(request("GET /v1/stream"));
  const auto stream = streams_.get_future().get();
  EXPECT_TRUE(stream->send({"1", "entry", "a\nb"}));
  EXPECT_TRUE(stream->send({"2", "", "c"}));
  stream->close();
  const std::string all = client.read_all();
  EXPECT_TRUE(all.ends_with("\r\n\r\nid: 1\nevent: entry\ndata: a\ndata: b\n\nid: 2\ndata: c\n\n"))
      << all;
  EXPECT_NE(all.find("Content-Type: text/event-stream"), std::string::npos);
  EXPECT_FALSE(stream->send({"3", "", "d"}));
}

TEST_F(ServerTest, a_client_that_never_reads_is_dropped_and_blocks_nobody) {
  options_.limits.stream_bytes = 64u << 10;
  listen();
  RawClient client(server_->port(), 4'096);
  client.send(request("GET /v1/stream"));
  const auto stream = streams_.get_future().get();
  std::promise<void> closed;
  stream->on_change([&, told = std::make_shared<std::atomic<bool>>(false)] {
    if (stream->closed() && !told->exchange(true)) {
      closed.set_value();
    }
  });
  const std::string text(4'096, 'x');
  while (stream->send({"", "", text})) {
  }
  closed.get_future().wait();
  EXPECT_EQ(refused(Refusal::slow_reader), 1u);
  EXPECT_EQ(stream->room(), 0u);
  EXPECT_EQ(status(answer_to(request("GET /v1/echo/a"))), "200");
}

TEST_F(ServerTest, who_keeps_a_stream_hears_that_its_client_went) {
  listen();
  std::promise<void> closed;
  std::shared_ptr<EventStream> stream;
  {
    RawClient client(server_->port());
    client.send(request("GET /v1/stream"));
    stream = streams_.get_future().get();
    stream->on_change([&, told = std::make_shared<std::atomic<bool>>(false)] {
      if (stream->closed() && !told->exchange(true)) {
        closed.set_value();
      }
    });
  }
  closed.get_future().wait();
  EXPECT_FALSE(stream->send({"", "", "x"}));
}

TEST_F(ServerTest, a_stop_ends_streams_and_idle_connections) {
  listen();
  RawClient streaming(server_->port());
  streaming.send(request("GET /v1/stream"));
  const auto stream = streams_.get_future().get();
  RawClient idle(server_->port());
  idle.send(request("GET /v1/echo/a"));
  idle.read_answer();
  stream->send({"", "", "last"});
  server_->stop(Millis{10'000});
  EXPECT_TRUE(streaming.read_all().ends_with("data: last\n\n"));
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_TRUE(stream->closed());
  EXPECT_EQ(server_->counters().open, 0u);
}

TEST_F(ServerTest, an_address_that_is_taken_is_an_error) {
  listen();
  Options other = options_;
  other.port = server_->port();
  const auto second = Server::listen(other, Routes());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Code::usage_invalid);
}

} // namespace
} // namespace skein::gateway
