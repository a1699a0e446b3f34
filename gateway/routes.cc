#include "gateway/routes.h"

#include <algorithm>
#include <optional>

#include "core/base/nearest.h"

namespace skein::gateway {
namespace {

using Segments = std::vector<std::string>;

bool is_parameter(const std::string& segment) { return segment.starts_with('{'); }

std::string inner(const std::string& segment) { return segment.substr(1, segment.size() - 2); }

Segments split(const std::string& path) {
  Segments segments;
  for (std::size_t at = 1; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    segments.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return segments;
}

std::optional<Words> fits(const Segments& wanted, const Segments& given) {
  if (wanted.size() != given.size()) {
    return std::nullopt;
  }
  Words parameters;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (is_parameter(wanted[i])) {
      parameters.emplace_back(inner(wanted[i]), given[i]);
    } else if (wanted[i] != given[i]) {
      return std::nullopt;
    }
  }
  return parameters;
}

Result<void> check_query(const Route& route, const Words& query) {
  std::vector<std::string_view> known;
  for (const Parameter& parameter : route.query) {
    known.push_back(parameter.name);
  }
  for (const auto& [name, value] : query) {
    if (std::ranges::find(known, name) == known.end()) {
      return Error{Code::request_invalid,
                   std::string(name_of(route.method)) + " " + route.path + " has no parameter \"" +
                       name + "\"" + did_you_mean(name, known),
                   known.empty() ? "leave it out" : listed("parameters", name, known)};
    }
  }
  return {};
}

std::string text_of(const Segments& segments) {
  std::string path;
  for (const std::string& segment : segments) {
    path += "/" + segment;
  }
  return path.empty() ? "/" : path;
}

} // namespace

void Routes::add(Route route) {
  segments_.push_back(split(route.path));
  routes_.push_back(std::move(route));
}

// A path of words goes before one with parameters: /v1/resources/by-hash before {kind}.
Result<Routes::Match> Routes::match(Method method, const Target& target) const {
  std::optional<Match> found;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    if (routes_[i].method != method) {
      continue;
    }
    auto parameters = fits(segments_[i], target.segments);
    if (parameters && (!found || parameters->size() < found->parameters.size())) {
      found = Match{&routes_[i], std::move(*parameters)};
    }
  }
  if (found) {
    auto known = check_query(*found->route, target.query);
    return known ? Result<Match>(std::move(*found)) : known.error();
  }
  const std::string path = text_of(target.segments);
  if (const std::string others = methods_of(target); !others.empty()) {
    return Error{Code::route_unknown,
                 path + " knows no " + std::string(name_of(method)) + ", only " + others,
                 "see `GET /v1/openapi.json`"};
  }
  std::vector<std::string_view> paths;
  for (const Route& route : routes_) {
    paths.push_back(route.path);
  }
  return Error{Code::route_unknown, "there is no " + path + did_you_mean(path, paths),
               "see `GET /v1/openapi.json`"};
}

std::string Routes::methods_of(const Target& target) const {
  std::string methods;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    const std::string name(name_of(routes_[i].method));
    if (fits(segments_[i], target.segments) && methods.find(name) == methods.npos) {
      methods += (methods.empty() ? "" : ", ") + name;
    }
  }
  return methods;
}

} // namespace skein::gateway
