#include "gateway/admission.h"

#include <algorithm>
#include <array>
#include <optional>

namespace skein::gateway {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

std::optional<Method> method_of(std::string_view name) {
  for (const Method method : {Method::get, Method::post, Method::put, Method::remove}) {
    if (name == name_of(method)) {
      return method;
    }
  }
  return name == "HEAD" ? std::optional(Method::get) : std::nullopt;
}

TurnedAway away(Refusal why, Error error, unsigned status) {
  return TurnedAway{why, std::move(error), status};
}

/// Two readings of where a request ends, or of whom it is for, are one too many.
std::optional<Error> ambiguous(const Words& headers, unsigned version) {
  const auto count = [&](std::string_view name) {
    return std::ranges::count(headers, name, &std::pair<std::string, std::string>::first);
  };
  if (count("content-length") > 0 && count("transfer-encoding") > 0) {
    return malformed("it has both Content-Length and Transfer-Encoding");
  }
  if (count("content-length") > 1 || count("transfer-encoding") > 1 || count("host") > 1 ||
      count("authorization") > 1) {
    return malformed("a header that stands once is there twice");
  }
  return version >= 11 && count("host") == 0 ? std::optional(malformed("it has no Host"))
                                             : std::nullopt;
}

} // namespace

std::string_view name_of(Refusal refusal) {
  static constexpr std::array<std::string_view, kRefusals> kNames{
      "connections", "busy", "syntax", "header_limit", "body_limit", "header_time", "body_time",
      "token",       "host", "target", "route",        "handler",    "slow_reader"};
  return kNames[static_cast<std::size_t>(refusal)];
}

Error malformed(const std::string& why) {
  return Error{Code::request_invalid, "the request is not HTTP/1.1 as this node reads it: " + why,
               "send it with an HTTP library, or curl"};
}

Error too_large(const char* what, std::size_t limit) {
  return Error{Code::request_too_large,
               "the " + std::string(what) + " of the request is larger than " +
                   std::to_string(limit) + " bytes",
               "keep large contents in files and send their paths"};
}

bool equal_in_constant_time(std::string_view given, std::string_view secret) {
  volatile unsigned char difference = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char other = secret.empty() ? '\0' : secret[i % secret.size()];
    difference = static_cast<unsigned char>(
        difference | (static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(other)));
  }
  return difference == 0;
}

bool Admission::has_token(const Request& request) const {
  constexpr std::string_view kScheme = "bearer ";
  const std::string_view given = request.header("authorization");
  return given.size() > kScheme.size() && lower(given.substr(0, kScheme.size())) == kScheme &&
         !options_.token.empty() &&
         equal_in_constant_time(given.substr(kScheme.size()), options_.token);
}

bool Admission::is_own_name(std::string_view host) const {
  const auto colon = host.rfind(':');
  const bool port = colon != host.npos && host.find(']', colon) == host.npos &&
                    host.find_first_not_of("0123456789", colon + 1) == host.npos;
  const std::string name = lower(port ? host.substr(0, colon) : host);
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]" ||
         name == options_.address ||
         std::ranges::find(options_.names, name) != options_.names.end();
}

std::variant<Admitted, TurnedAway> Admission::admit(Head head) const {
  Request request;
  for (auto& [name, value] : head.headers) {
    request.headers.emplace_back(lower(name), std::move(value));
  }
  if (auto error = ambiguous(request.headers, head.version)) {
    return away(Refusal::syntax, std::move(*error), 400);
  }
  const bool known = has_token(request);
  const auto target = parse_target(head.target);
  const auto method = method_of(head.method);
  const auto match = !target   ? Result<Routes::Match>(target.error())
                     : !method ? Error{Code::route_unknown, "no path knows " + head.method,
                                       "see `GET /v1/openapi.json`"}
                               : routes_.match(*method, *target);
  if (!known && !(match && match->route->open)) {
    return away(Refusal::token,
                Error{Code::unauthorized, "the token is missing or wrong",
                      "send `Authorization: Bearer TOKEN` with what the file `token` of the data "
                      "directory says"},
                401);
  }
  if (!known && !is_own_name(request.header("host"))) {
    return away(Refusal::host,
                Error{Code::unauthorized, "the Host of the request is not a name of this node",
                      "ask for it as 127.0.0.1 or localhost, or send the token"},
                403);
  }
  if (!match) {
    const Code code = match.error().code;
    const bool elsewhere = target && !routes_.methods_of(*target).empty();
    return code == Code::route_unknown ? away(Refusal::route, match.error(), elsewhere ? 405 : 404)
                                       : away(Refusal::target, match.error(), 400);
  }
  request.method = *method;
  request.path = match->route->path;
  request.parameters = match->parameters;
  request.query = target->query;
  return Admitted{std::move(request), match->route};
}

} // namespace skein::gateway
