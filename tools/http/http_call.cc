#include "tools/http/http_call.h"

#include <algorithm>
#include <map>

#include "core/value/json.h"
#include "core/value/utf8.h"
#include "tools/arguments.h"
#include "tools/described_tool.h"

namespace skein::tools {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kMaxRedirects = 3;

std::string_view header_of(const HttpResponse& answer, std::string_view name) {
  const auto found = std::find_if(answer.headers.begin(), answer.headers.end(),
                                  [&](const Header& h) { return h.first == name; });
  return found == answer.headers.end() ? std::string_view() : std::string_view(found->second);
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// Headers that say nothing of who asks; everything else stays with the server it was meant for.
bool may_go_elsewhere(const Header& header) {
  static constexpr std::string_view kHarmless[] = {"accept", "accept-language", "content-type",
                                                   "idempotency-key"};
  return std::any_of(std::begin(kHarmless), std::end(kHarmless),
                     [&](std::string_view name) { return is_named(header, name); });
}

bool says_json(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  return type.starts_with("application/json") || type.ends_with("+json") ||
         type.ends_with("+json ");
}

Result<Value> body_of(const HttpResponse& answer) {
  if (says_json(header_of(answer, "content-type")) && !answer.body.empty()) {
    auto value = parse_json(answer.body);
    if (!value) {
      return Error{Code::tool_failed,
                   "the body says it is JSON and is not: " + value.error().detail};
    }
    return value;
  }
  return valid_utf8(answer.body) ? Value(answer.body) : Value::of_bytes(answer.body);
}

Value headers_of(const HttpResponse& answer) {
  std::map<std::string, std::string> joined;
  for (const auto& [name, value] : answer.headers) {
    std::string& all = joined[name];
    all += (all.empty() ? "" : ", ") + repaired_utf8(value);
  }
  std::vector<MapEntry> entries;
  for (const auto& [name, value] : joined) {
    entries.emplace_back(name, value);
  }
  return Value::of_map(std::move(entries));
}

bool is_accepted(const Value& input, int status) {
  const Value* accepted = input.find("ok_status");
  if (accepted == nullptr) {
    return status >= 200 && status < 300;
  }
  return std::any_of(accepted->as_list().begin(), accepted->as_list().end(),
                     [&](const Value& s) { return s == Value(status); });
}

} // namespace

void HttpCall::start(HttpRequest request, Url url) {
  started_ = steady_clock::now();
  until_ = started_ + milliseconds(request.timeout.count);
  redirects_left_ = flag_at(call_.input, "follow", true) ? kMaxRedirects : 0;
  request_ = std::move(request);
  url_ = std::move(url);
  send();
}

void HttpCall::send() {
  const auto loop = loop_.lock();
  std::unique_lock lock(mutex_);
  if (!loop || cancelled_) {
    lock.unlock();
    return report(done_, Error{Code::step_cancelled, "the request was cancelled"});
  }
  request_.url = url_.text;
  request_.host = url_.host;
  request_.port = url_.port;
  id_ = loop->start(request_, [self = shared_from_this()](Result<HttpResponse> answer) {
    self->on_answer(std::move(answer));
  });
}

void HttpCall::cancel() {
  const auto loop = loop_.lock();
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  if (loop) {
    loop->cancel(id_);
  }
}

void HttpCall::on_answer(Result<HttpResponse> answer) {
  if (!answer) {
    return report(done_, answer.error());
  }
  const auto elsewhere = redirect(*answer);
  if (!elsewhere) {
    return report(done_, elsewhere.error());
  }
  if (*elsewhere) {
    return send();
  }
  const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - started_);
  report(done_, result_of(call_, url_, *answer, Millis{took.count()}));
}

Result<bool> HttpCall::redirect(const HttpResponse& answer) {
  const std::string_view location = header_of(answer, "location");
  if (!is_redirect(answer.status) || location.empty() || !flag_at(call_.input, "follow", true)) {
    return false;
  }
  if (redirects_left_-- == 0) {
    return Error{Code::http_blocked, url_.shown() + " is the fourth redirect in a row"};
  }
  auto next = follow_url(url_, location);
  if (!next) {
    return next.error();
  }
  const bool becomes_get =
      answer.status == 303 || (answer.status < 303 && request_.method == "POST");
  if (becomes_get && request_.method != "HEAD") {
    request_.method = "GET";
    request_.has_body = false;
    request_.body.clear();
    std::erase_if(request_.headers, [](const Header& h) { return is_named(h, "content-type"); });
  }
  if (!next->same_origin(url_)) {
    std::erase_if(request_.headers, [](const Header& h) { return !may_go_elsewhere(h); });
  }
  const auto left = std::chrono::duration_cast<milliseconds>(until_ - steady_clock::now());
  if (left.count() <= 0) {
    return Error{Code::tool_timeout, url_.shown() + " redirected until the time was over"};
  }
  request_.timeout = Millis{left.count()};
  url_ = std::move(*next);
  return true;
}

ToolResult result_of(const ToolCall& call, const Url& url, const HttpResponse& answer,
                     Millis duration) {
  constexpr std::size_t kShownBody = 200;
  if (!is_accepted(call.input, answer.status)) {
    const bool may_pass = answer.status == 429 || answer.status >= 500;
    const std::string body = repaired_utf8(answer.body.substr(0, kShownBody));
    return Error{may_pass ? Code::http_status : Code::http_client_error,
                 url.shown() + " answered " + std::to_string(answer.status) +
                     (body.empty() ? "" : ": " + body),
                 "list the status in ok_status where it is a good answer"};
  }
  auto body = body_of(answer);
  if (!body) {
    return body.error();
  }
  return object({{"status", answer.status},
                 {"headers", headers_of(answer)},
                 {"body", *body},
                 {"duration_ms", duration.count}});
}

} // namespace skein::tools
