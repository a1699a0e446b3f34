#include "tools/http/http_tool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "unit/tools/calls.h"
#include "unit/tools/http_server.h"

namespace skein::tools {
namespace {

using testing::HasSubstr;
using testing::Not;

std::unique_ptr<HttpTool> tool_for(const HttpServer& server) {
  HttpSettings settings;
  settings.allow = {server.place()};
  return std::make_unique<HttpTool>(settings);
}

ToolResult get(HttpTool& tool, const std::string& url) {
  return run(tool, call_of("http", object({{"url", url}})));
}

/// What a tool without any allowance says of an address.
Error refusal(const std::string& url) {
  HttpTool tool(HttpSettings{});
  const ToolResult result = get(tool, url);
  return result.ok() ? Error{Code::interrupted, "it was sent"} : result.error();
}

TEST(HttpTool, a_json_answer_is_a_value_and_others_are_text) {
  HttpServer server([](const std::string& request) {
    return request.starts_with("GET /json ")
               ? answer(200, R"({"n": 1})", "Content-Type: application/json; charset=utf-8\r\n")
               : answer(200, "plain", "X-Twice: a\r\nX-Twice: b\r\n");
  });
  const auto tool = tool_for(server);
  const ToolResult value = get(*tool, server.url("/json"));
  ASSERT_TRUE(value.ok()) << to_string(value.error());
  EXPECT_EQ(to_json(*value->find("body")), R"({"n":1})");
  EXPECT_EQ(*value->find("status"), Value(200));
  const ToolResult text = get(*tool, server.url("/text"));
  ASSERT_TRUE(text.ok()) << to_string(text.error());
  EXPECT_EQ(text->find("body")->as_string(), "plain");
  EXPECT_EQ(text->find("headers")->find("x-twice")->as_string(), "a, b");
}

TEST(HttpTool, a_request_carries_its_key_headers_query_and_body) {
  HttpServer server([](const std::string&) { return answer(201, ""); });
  const auto tool = tool_for(server);
  const ToolResult result =
      run(*tool, call_of("http", object({{"url", server.url("/p?x=1")},
                                         {"method", "POST"},
                                         {"headers", object({{"X-Mine", 7}})},
                                         {"query", json(R"({"q": "a b&c", "l": [1, 2]})")},
                                         {"body", json(R"({"b": 1, "a": [true]})")}})));
  ASSERT_TRUE(result.ok()) << to_string(result.error());
  const std::string request = server.requests().at(0);
  EXPECT_THAT(request, HasSubstr("POST /p?x=1&l=1&l=2&q=a+b%26c HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("Idempotency-Key: triage-1/count/0\r\n"));
  EXPECT_THAT(request, HasSubstr("X-Mine: 7\r\n"));
  EXPECT_THAT(request, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_TRUE(request.ends_with("\r\n\r\n{\"a\":[true],\"b\":1}")) << request;
}

TEST(HttpTool, a_text_body_is_sent_as_it_is) {
  HttpServer server([](const std::string&) { return answer(200, ""); });
  const auto tool = tool_for(server);
  ASSERT_TRUE(
      run(*tool,
          call_of("http", object({{"url", server.url("/")}, {"method", "PUT"}, {"body", "hi"}})))
          .ok());
  EXPECT_TRUE(server.requests().at(0).ends_with("\r\n\r\nhi"));
}

TEST(HttpTool, the_class_of_a_call_is_its_methods) {
  HttpTool tool(HttpSettings{});
  EXPECT_EQ(tool.effect_class(json(R"({"url": "http://x"})")), EffectClass::idempotent);
  EXPECT_EQ(tool.effect_class(json(R"({"method": "PUT"})")), EffectClass::idempotent);
  EXPECT_EQ(tool.effect_class(json(R"({"method": "POST"})")), EffectClass::unsafe);
  EXPECT_EQ(tool.effect_class(json(R"({"method": "${ input.m }"})")), EffectClass::unsafe);
}

TEST(HttpTool, a_status_that_may_pass_is_told_from_one_that_does_not) {
  HttpServer server([](const std::string& request) {
    return answer(request.starts_with("GET /busy?") ? 503 : 404, "sorry");
  });
  const auto tool = tool_for(server);
  const Error busy = get(*tool, server.url("/busy?token=secret")).error();
  EXPECT_EQ(busy.code, Code::http_status);
  EXPECT_TRUE(is_retryable(busy.code));
  EXPECT_EQ(busy.detail, server.url("/busy") + " answered 503: sorry");
  const Error missing = get(*tool, server.url("/missing")).error();
  EXPECT_EQ(missing.code, Code::http_client_error);
  EXPECT_FALSE(is_retryable(missing.code));
  EXPECT_TRUE(run(*tool, call_of("http", object({{"url", server.url("/missing")},
                                                 {"ok_status", json("[404]")}})))
                  .ok());
}

TEST(HttpTool, redirects_are_followed_up_to_three_and_only_where_asked) {
  HttpServer server([](const std::string& request) {
    const char n = request[5]; // "GET /N"
    return n == '0'
               ? answer(200, "there")
               : answer(302, "", "Location: /" + std::string(1, static_cast<char>(n - 1)) + "\r\n");
  });
  const auto tool = tool_for(server);
  EXPECT_EQ(get(*tool, server.url("/3"))->find("body")->as_string(), "there");
  EXPECT_EQ(get(*tool, server.url("/4")).error().code, Code::http_blocked);
  const ToolResult stays = run(*tool, call_of("http", object({{"url", server.url("/1")},
                                                              {"follow", false},
                                                              {"ok_status", json("[302]")}})));
  EXPECT_EQ(*stays->find("status"), Value(302));
}

TEST(HttpTool, credentials_stay_with_the_server_they_were_meant_for) {
  HttpServer other([](const std::string&) { return answer(200, "other"); });
  HttpServer server([&](const std::string& request) {
    return request.starts_with("GET /same ") ? answer(307, "", "Location: /end\r\n")
           : request.starts_with("GET /end ")
               ? answer(200, "")
               : answer(307, "", "Location: " + other.url("/") + "\r\n");
  });
  HttpSettings settings;
  settings.allow = {server.place(), other.place()};
  HttpTool tool(settings);
  const Value headers = json(R"({"Authorization": "Bearer x", "X-Api-Key": "k", "Accept": "a/b"})");
  ASSERT_TRUE(
      run(tool, call_of("http", object({{"url", server.url("/same")}, {"headers", headers}})))
          .ok());
  EXPECT_THAT(server.requests().at(1), HasSubstr("Authorization: Bearer x"));
  ASSERT_TRUE(
      run(tool, call_of("http", object({{"url", server.url("/away")}, {"headers", headers}})))
          .ok());
  EXPECT_THAT(other.requests().at(0), Not(HasSubstr("Bearer")));
  EXPECT_THAT(other.requests().at(0), Not(HasSubstr("X-Api-Key")));
  EXPECT_THAT(other.requests().at(0), HasSubstr("Accept: a/b"));
}

TEST(HttpTool, a_redirect_to_a_forbidden_place_is_refused) {
  HttpServer server([](const std::string& request) {
    return answer(302, "",
                  std::string("Location: ") +
                      (request.starts_with("GET /file ") ? "file:///etc/passwd"
                                                         : "http://169.254.169.254/latest") +
                      "\r\n");
  });
  const auto tool = tool_for(server);
  EXPECT_EQ(get(*tool, server.url("/file")).error().code, Code::http_blocked);
  EXPECT_EQ(get(*tool, server.url("/metadata")).error().code, Code::http_blocked);
}

TEST(HttpTool, private_places_are_refused_however_they_are_written) {
  for (const char* url :
       {"http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f.1/",
        "http://localhost/", "http://[::1]/", "http://[::ffff:169.254.169.254]/",
        "http://10.0.0.1/", "http://0.0.0.0/", "http://[64:ff9b::7f00:1]/", "http://1.1.1.1:22/",
        "gopher://1.1.1.1/", "file:///etc/passwd", "ftp://1.1.1.1/", "http://user@1.1.1.1/",
        "http://user:p@1.1.1.1/", "http://ex\xC3\xA4mple.com/"}) {
    const Error error = refusal(url);
    EXPECT_EQ(error.code, Code::http_blocked) << url << ": " << to_string(error);
  }
}

TEST(HttpTool, a_message_writes_an_address_with_a_port_as_a_url_does) {
  EXPECT_EQ(refusal("http://[::1]/").detail, "[::1]:80 leads to ::1, which requests may not reach");
  EXPECT_EQ(refusal("http://127.0.0.1:22/").detail,
            "127.0.0.1:22 leads to 127.0.0.1, which requests may not reach");
}

TEST(HttpTool, the_address_that_counts_is_the_one_connected_to) {
  HttpServer server([](const std::string&) { return answer(200, "inside"); });
  HttpSettings settings;
  settings.allow = {"somewhere.else:" + server.place().substr(10)}; // the port, for another name
  HttpTool tool(settings);
  const Error error = get(tool, "http://localhost:" + server.place().substr(10) + "/").error();
  EXPECT_EQ(error.code, Code::http_blocked);
  EXPECT_TRUE(server.requests().empty());
}

TEST(HttpTool, the_proxies_of_the_environment_are_ignored) {
  HttpServer proxy([](const std::string&) { return answer(200, "proxied"); });
  HttpServer server([](const std::string&) { return answer(200, "direct"); });
  ::setenv("http_proxy", proxy.url("").c_str(), 1);
  const auto tool = tool_for(server);
  EXPECT_EQ(get(*tool, server.url("/"))->find("body")->as_string(), "direct");
  ::unsetenv("http_proxy");
}

TEST(HttpTool, an_answer_that_is_too_large_is_cut_off) {
  HttpServer server([](const std::string& request) {
    const std::string body(100'000, 'x');
    return request.starts_with("GET /open ") ? "HTTP/1.1 200 OK\r\n\r\n" + body : answer(200, body);
  });
  const auto tool = tool_for(server);
  for (const char* path : {"/open", "/measured"}) {
    const Error error =
        run(*tool, call_of("http", object({{"url", server.url(path)}, {"max_output", "64KiB"}})))
            .error();
    EXPECT_EQ(error.code, Code::tool_output_limit) << path << to_string(error);
  }
}

TEST(HttpTool, a_silent_server_runs_into_the_timeout) {
  HttpServer server([](const std::string&) { return std::string(); });
  const auto tool = tool_for(server);
  EXPECT_EQ(run(*tool, call_of("http", object({{"url", server.url("/")}, {"timeout", "100ms"}})))
                .error()
                .code,
            Code::tool_timeout);
}

TEST(HttpTool, a_server_that_is_not_there_or_talks_nonsense_is_a_transport_error) {
  HttpServer nonsense([](const std::string&) { return std::string("\x01\x02 what?\r\n\r\n"); });
  const auto tool = tool_for(nonsense);
  EXPECT_EQ(get(*tool, nonsense.url("/")).error().code, Code::http_transport);
  HttpSettings settings;
  settings.allow = {"127.0.0.1:1"};
  HttpTool refused(settings);
  EXPECT_EQ(get(refused, "http://127.0.0.1:1/").error().code, Code::http_transport);
}

TEST(HttpTool, a_body_that_lies_about_being_json_fails) {
  HttpServer server([](const std::string&) {
    return answer(200, "{", "Content-Type: application/problem+json\r\n");
  });
  const auto tool = tool_for(server);
  EXPECT_EQ(get(*tool, server.url("/")).error().code, Code::tool_failed);
}

TEST(HttpTool, headers_cannot_smuggle_others) {
  HttpTool tool(HttpSettings{});
  for (const char* headers : {R"({"A": "x\r\nB: y"})", R"({"Host": "evil"})",
                              R"({"Transfer-Encoding": "chunked"})", R"({"A B": "x"})"}) {
    const ToolResult result = run(
        tool, call_of("http", object({{"url", "http://1.1.1.1/"}, {"headers", json(headers)}})));
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, Code::tool_input_invalid) << headers;
  }
}

TEST(HttpTool, cancel_and_the_end_of_the_tool_end_calls_once) {
  HttpServer server([](const std::string&) { return std::string(); });
  auto tool = tool_for(server);
  std::deque<Promise<ToolResult>> promises(10);
  std::vector<std::unique_ptr<ToolHandle>> handles;
  for (auto& promise : promises) {
    handles.push_back(
        tool->start(call_of("http", object({{"url", server.url("/")}})), std::ref(promise)));
  }
  handles[0]->cancel();
  handles[0]->cancel();
  EXPECT_EQ(promises[0].wait().error().code, Code::step_cancelled);
  tool.reset();
  for (auto& promise : promises) {
    EXPECT_EQ(promise.wait().error().code, Code::step_cancelled);
    EXPECT_EQ(promise.calls(), 1);
  }
  handles[1]->cancel();
}

TEST(HttpTool, settings_that_cannot_be_read_stop_every_request) {
  HttpSettings settings;
  settings.allow = {"10.0.0.0/99"};
  HttpTool tool(settings);
  EXPECT_EQ(get(tool, "http://1.1.1.1/").error().code, Code::tool_unavailable);
}

} // namespace
} // namespace skein::tools
