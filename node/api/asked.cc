#include "node/api/asked.h"

#include <algorithm>
#include <charconv>

#include "core/base/nearest.h"

namespace skein::node {
namespace {

Error no(std::string_view name, const char* what) {
  return Error{Code::request_invalid, "\"" + std::string(name) + "\" is no " + what,
               "see `GET /v1/openapi.json`"};
}

} // namespace

Result<std::uint64_t> number_in(const gateway::Request& request, std::string_view name,
                                std::uint64_t other) {
  const auto text = request.asked(name);
  if (!text) {
    return other;
  }
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), number);
  return fault == std::errc() && end == text->data() + text->size()
             ? Result<std::uint64_t>(number)
             : no(name, "whole number of 64 bits");
}

Result<bool> flag_in(const gateway::Request& request, std::string_view name) {
  const auto text = request.asked(name);
  if (text && *text != "true" && *text != "false") {
    return no(name, "boolean: say true or false");
  }
  return text && *text == "true";
}

bool wants_frames(const gateway::Request& request) { return request.header("accept") == kFrames; }

gateway::Response answer(FrameWriter frames) {
  gateway::Response response;
  response.type = kFrames;
  response.body = frames.take();
  return response;
}

Result<Value> fields_of(const gateway::Request& request,
                        std::initializer_list<std::string_view> names) {
  auto value = gateway::json_of(request);
  if (!value) {
    return value;
  }
  if (!value->is(Kind::map)) {
    return Error{Code::request_invalid, "the body is no JSON object"};
  }
  const std::vector<std::string_view> known(names);
  for (const auto& [key, field] : value->as_map()) {
    if (std::ranges::find(known, key.as_string()) == known.end()) {
      return Error{Code::request_invalid,
                   "the body has a field \"" + std::string(key.as_string()) +
                       "\" that nothing reads" + did_you_mean(key.as_string(), known),
                   listed("fields", key.as_string(), known)};
    }
  }
  return value;
}

Result<std::string> text_of(const Value& fields, std::string_view name) {
  const Value* field = fields.find(name);
  if (field == nullptr || field->is_null()) {
    return std::string();
  }
  return field->is(Kind::string) ? Result<std::string>(std::string(field->as_string()))
                                 : no(name, "text");
}

Result<std::optional<std::uint64_t>> number_of(const Value& fields, std::string_view name) {
  using Number = std::optional<std::uint64_t>;
  const Value* field = fields.find(name);
  if (field == nullptr || field->is_null()) {
    return Number();
  }
  if (field->is(Kind::uinteger)) {
    return Number(field->as_uint());
  }
  return field->is(Kind::integer) && field->as_int() >= 0
             ? Result<Number>(Number(static_cast<std::uint64_t>(field->as_int())))
             : no(name, "whole number that is not negative");
}

Value value_of(const Value& fields, std::string_view name) {
  const Value* field = fields.find(name);
  return field != nullptr ? *field : Value();
}

} // namespace skein::node
