#include "gateway/message.h"

#include <algorithm>
#include <cassert>

#include "core/value/json.h"

namespace skein::gateway {
namespace {

const std::string* find(const Words& words, std::string_view name) {
  const auto found = std::ranges::find(words, name, &std::pair<std::string, std::string>::first);
  return found == words.end() ? nullptr : &found->second;
}

struct StatusRow {
  Code code;
  unsigned status;
};
constexpr StatusRow kStatuses[] = {
    {Code::json_limit, 413},         {Code::schema_violation, 422},
    {Code::run_state_conflict, 409}, {Code::run_limit, 429},
    {Code::storage_in_use, 409},     {Code::storage_unreadable, 500},
    {Code::storage_corrupt, 500},    {Code::storage_full, 507},
    {Code::storage_io, 500},         {Code::run_unknown, 404},
    {Code::resource_unknown, 404},   {Code::blob_missing, 404},
    {Code::run_exists, 409},         {Code::replay_mismatch, 500},
    {Code::interrupted, 503},        {Code::node_busy, 503},
    {Code::node_unreachable, 502},   {Code::unauthorized, 401},
    {Code::broker_unreachable, 503}, {Code::broker_timeout, 504},
    {Code::broker_full, 503},        {Code::not_leader, 503},
    {Code::no_responder, 503},       {Code::log_diverged, 503},
    {Code::node_duplicate, 503},     {Code::event_invalid, 400},
    {Code::event_limit, 413},        {Code::schedule_invalid, 400},
    {Code::tool_unknown, 400},       {Code::tool_input_invalid, 400},
    {Code::route_unknown, 404},      {Code::request_too_large, 413},
};

} // namespace

std::string_view name_of(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::remove:
      break;
  }
  return "DELETE";
}

const std::string& Request::parameter(std::string_view name) const {
  const std::string* found = find(parameters, name);
  assert(found != nullptr);
  return *found;
}

std::optional<std::string> Request::asked(std::string_view query_name) const {
  const std::string* found = find(query, query_name);
  return found != nullptr ? std::optional(*found) : std::nullopt;
}

std::string_view Request::header(std::string_view lower_case_name) const {
  const std::string* found = find(headers, lower_case_name);
  return found != nullptr ? std::string_view(*found) : std::string_view();
}

// What is a mistake of whoever asks is a 400, unless a row says better.
unsigned status_of(Code code) {
  const auto* row = std::ranges::find(kStatuses, code, &StatusRow::code);
  if (row != std::end(kStatuses)) {
    return row->status;
  }
  const auto number = static_cast<unsigned>(code);
  return number < 2000 || number >= 6000 ? 400 : 500;
}

Response refuse(const Error& error, unsigned status) {
  Response response = answer(object({{"error", object({{"code", to_string(error.code)},
                                                       {"name", name_of(error.code)},
                                                       {"message", error.detail},
                                                       {"hint", error.hint}})}}),
                             status != 0 ? status : status_of(error.code));
  if (response.status == 401) {
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
  }
  if (response.status == 503) {
    response.headers.emplace_back("Retry-After", "1");
  }
  return response;
}

Response answer(const Value& value, unsigned status) {
  Response response;
  response.status = status;
  append_json(response.body, value);
  response.body.push_back('\n');
  return response;
}

Result<Value> json_of(const Request& request) {
  const std::string_view type = request.header("content-type");
  if (!type.empty() && !type.starts_with("application/json")) {
    return Error{Code::request_invalid, "the body is \"" + std::string(type) + "\", not JSON",
                 "send it with Content-Type: application/json"};
  }
  return parse_json(request.body.empty() ? std::string_view("{}") : request.body);
}

} // namespace skein::gateway
