#include "tools/http/http_tool.h"

#include <algorithm>

#include "core/ports/failpoint.h"
#include "core/value/json.h"
#include "tools/arguments.h"
#include "tools/http/http_call.h"

namespace skein::tools {
namespace {

constexpr Card kCard{"http", "Sends a request to a server", EffectClass::unsafe,
                     R"({
      "type": "object",
      "properties": {
        "method": {"enum": ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]},
        "url": {"type": "string", "minLength": 1},
        "headers": {"type": "object",
                    "propertyNames": {"pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"},
                    "additionalProperties": {"type": ["string", "number", "boolean"]}},
        "query": {"type": "object",
                  "additionalProperties": {"type": ["string", "number", "boolean", "array"],
                                           "items": {"type": ["string", "number", "boolean"]}}},
        "body": true,
        "timeout": {"type": "string", "description": "such as 30s"},
        "follow": {"type": "boolean", "description": "redirects, at most three"},
        "ok_status": {"type": "array",
                      "items": {"type": "integer", "minimum": 100, "maximum": 599}},
        "max_output": {"type": ["integer", "string"]}
      },
      "required": ["url"],
      "additionalProperties": false
    })",
                     R"({
      "type": "object",
      "properties": {
        "status": {"type": "integer"}, "headers": {"type": "object"}, "body": true,
        "duration_ms": {"type": "integer"}
      },
      "required": ["status", "headers", "body", "duration_ms"],
      "additionalProperties": false
    })"};

bool has_header(const HttpRequest& request, std::string_view lower) {
  return std::any_of(request.headers.begin(), request.headers.end(),
                     [&](const Header& h) { return is_named(h, lower); });
}

/// Headers that frame the message are the client's own: two opinions about them smuggle requests.
Result<void> add_headers(HttpRequest& request, const Value& input) {
  static constexpr std::string_view kOwn[] = {"host",       "content-length", "transfer-encoding",
                                              "connection", "expect",         "upgrade",
                                              "te",         "trailer"};
  const Value* headers = input.find("headers");
  if (headers == nullptr) {
    return {};
  }
  for (const auto& [name, value] : headers->as_map()) {
    const Header header{name.as_string(), plain_text(value)};
    if (std::any_of(std::begin(kOwn), std::end(kOwn),
                    [&](std::string_view own) { return is_named(header, own); })) {
      return Error{Code::tool_input_invalid,
                   "at /headers/" + header.first + ": is set by the http tool itself"};
    }
    const auto breaks = [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7F; };
    if (std::any_of(header.second.begin(), header.second.end(), breaks)) {
      return Error{Code::tool_input_invalid,
                   "at /headers/" + header.first + ": must have no control characters"};
    }
    request.headers.push_back(header);
  }
  return {};
}

void add_body(HttpRequest& request, const Value& input) {
  const Value* body = input.find("body");
  if (body == nullptr) {
    return;
  }
  const bool text = body->is(Kind::string);
  const bool bytes = body->is(Kind::bytes);
  request.has_body = true;
  request.body = text || bytes ? std::string(body->as_string()) : to_json(*body);
  if (!has_header(request, "content-type")) {
    request.headers.emplace_back("Content-Type", text    ? "text/plain; charset=utf-8"
                                                 : bytes ? "application/octet-stream"
                                                         : "application/json");
  }
}

Result<HttpRequest> request_of(const ToolCall& call, const HttpSettings& settings) {
  HttpRequest request;
  request.method = text_at(call.input, "method").value_or("GET");
  const auto time = time_for(call, settings.timeout);
  const auto max_response = size_at(call.input, "max_output", settings.max_response);
  const auto headers = add_headers(request, call.input);
  if (!time || !max_response || !headers) {
    return !time ? time.error() : (!max_response ? max_response.error() : headers.error());
  }
  request.timeout = *time;
  request.max_response = *max_response;
  add_body(request, call.input);
  if (!has_header(request, "idempotency-key") && !call.key.empty()) {
    request.headers.emplace_back("Idempotency-Key", call.key);
  }
  return request;
}

class HttpHandle : public ToolHandle {
 public:
  explicit HttpHandle(std::shared_ptr<HttpCall> call) : call_(std::move(call)) {}
  void cancel() override { call_->cancel(); }

 private:
  std::shared_ptr<HttpCall> call_;
};

} // namespace

HttpTool::HttpTool(const HttpSettings& settings) : DescribedTool(kCard), settings_(settings) {
  auto rules = AddressRules::parse(settings.allow);
  if (!rules) {
    refusal_ = Error{Code::tool_unavailable,
                     "the settings of the http tool cannot be read: " + rules.error().detail};
  }
  loop_ =
      std::make_shared<HttpLoop>(rules ? std::move(*rules) : AddressRules(), settings.max_parallel);
}

HttpTool::~HttpTool() { loop_->close(); }

EffectClass HttpTool::effect_class(const Value& input) const {
  const auto method = text_at(input, "method");
  return is_idempotent(method.value_or("GET")) ? EffectClass::idempotent : EffectClass::unsafe;
}

Result<void> HttpTool::check(const Value& input) const {
  if (const auto checked = DescribedTool::check(input); !checked) {
    return checked;
  }
  const auto url = parse_url(*text_at(input, "url"), input.find("query"));
  return url ? Result<void>() : Result<void>(url.error());
}

std::unique_ptr<ToolHandle> HttpTool::start(const ToolCall& call, ToolDone done) {
  const auto checked = refusal_ ? Result<void>(*refusal_) : DescribedTool::check(call.input);
  auto url = checked ? parse_url(*text_at(call.input, "url"), call.input.find("query"))
                     : Result<Url>(checked.error());
  auto request = url ? request_of(call, settings_) : Result<HttpRequest>(url.error());
  if (!request) {
    report(done, request.error());
    return std::make_unique<EndedCall>();
  }
  failpoint("tool.before_start");
  auto running = std::make_shared<HttpCall>(call, std::move(done), loop_);
  running->start(std::move(*request), std::move(*url));
  return std::make_unique<HttpHandle>(std::move(running));
}

} // namespace skein::tools
