#include "gateway/routes.h"

#include <gtest/gtest.h>

#include "core/value/json.h"
#include "gateway/admission.h"

namespace skein::gateway {
namespace {

Route route(Method method, const char* path, const char* name) {
  return {.method = method, .path = path, .name = name, .summary = name, .answers = "it"};
}

Routes some() {
  Routes routes;
  routes.add(route(Method::get, "/v1/runs/{run}", "get_run"));
  routes.add(route(Method::get, "/v1/runs/{run}/{what}", "get_part"));
  routes.add(route(Method::get, "/v1/runs/{run}/history", "get_history"));
  routes.add(route(Method::remove, "/v1/runs/{run}", "delete_run"));
  return routes;
}

TEST(RoutesTest, words_of_a_path_go_before_its_parameters) {
  const Routes routes = some();
  const auto match = routes.match(Method::get, *parse_target("/v1/runs/a%20b/history"));
  ASSERT_TRUE(match.ok());
  EXPECT_EQ(match->route->name, "get_history");
  EXPECT_EQ(match->parameters, (Words{{"run", "a b"}}));
  EXPECT_EQ(routes.match(Method::get, *parse_target("/v1/runs/a/b"))->route->name, "get_part");
}

TEST(RoutesTest, what_is_not_there_names_what_is_near) {
  const Routes routes = some();
  const auto match = routes.match(Method::post, *parse_target("/v1/runs/a"));
  ASSERT_FALSE(match.ok());
  EXPECT_EQ(match.error().code, Code::route_unknown);
  EXPECT_EQ(match.error().detail, "/v1/runs/a knows no POST, only GET, DELETE");
}

TEST(RoutesTest, the_document_says_what_the_table_routes) {
  Routes routes = some();
  routes.add({.method = Method::post,
              .path = "/v1/runs",
              .name = "start_run",
              .query = {{"dry", "only check", "boolean"}},
              .body = R"({"type": "object"})",
              .answers = "the run",
              .open = true});
  const Value document = openapi(routes, "Skein", "1");
  EXPECT_EQ(document.find("openapi")->as_string(), "3.1.0");
  const Value& start = *document.find("paths")->find("/v1/runs")->find("post");
  EXPECT_EQ(start.find("operationId")->as_string(), "start_run");
  EXPECT_EQ(to_json(*start.find("parameters")),
            R"([{"description":"only check","in":"query","name":"dry","required":false,)"
            R"("schema":{"type":"boolean"}}])");
  EXPECT_EQ(to_json(*start.find("security")), "[]");
  EXPECT_NE(document.find("paths")->find("/v1/runs/{run}")->find("delete"), nullptr);
}

TEST(RoutesTest, secrets_are_equal_only_where_every_byte_is) {
  EXPECT_TRUE(equal_in_constant_time("secret", "secret"));
  for (const char* given : {"", "secre", "secrets", "Secret", "secretsecret"}) {
    EXPECT_FALSE(equal_in_constant_time(given, "secret")) << given;
  }
  EXPECT_FALSE(equal_in_constant_time("x", ""));
}

TEST(RoutesTest, encoded_text_comes_back_as_it_was) {
  const std::string text = "a/b c%2e..?&=ä";
  EXPECT_EQ(parse_target("/x?q=" + percent_encoded(text))->query[0].second, text);
}

} // namespace
} // namespace skein::gateway
