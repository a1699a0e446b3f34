#include "gateway/target.h"

#include <algorithm>
#include <optional>

#include "core/value/utf8.h"

namespace skein::gateway {
namespace {

constexpr std::size_t kLongest = 8u << 10;
constexpr std::size_t kMostWords = 64;

Error refused(std::string why) {
  return Error{Code::request_invalid, std::move(why), "see `GET /v1/openapi.json`"};
}

int hex(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

std::optional<std::string> decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0) {
        return std::nullopt;
      }
      c = static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    out.push_back(c);
  }
  const bool control = std::ranges::any_of(
      out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  return control || !valid_utf8(out) ? std::nullopt : std::optional(std::move(out));
}

Result<std::vector<std::string>> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  if (path == "/") {
    return segments;
  }
  while (!path.empty()) {
    path.remove_prefix(1); // the slash
    const auto end = path.find('/');
    auto segment = decoded(path.substr(0, end), false);
    path.remove_prefix(end == path.npos ? path.size() : end);
    if (!segment || segment->empty() || *segment == "." || *segment == ".." ||
        segment->find_first_of("/\\") != std::string::npos) {
      return refused("the path has a part that is empty, \".\", \"..\" or badly encoded");
    }
    segments.push_back(std::move(*segment));
  }
  return segments;
}

Result<Words> query_of(std::string_view text) {
  Words words;
  while (!text.empty()) {
    const auto end = text.find('&');
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    const auto equals = part.find('=');
    auto name = decoded(part.substr(0, equals), true);
    auto value = decoded(equals == part.npos ? "" : part.substr(equals + 1), true);
    if (!name || !value || name->empty()) {
      return refused("the query has a part that is badly encoded");
    }
    // A label may be asked for more than once; what else comes twice contradicts itself.
    const bool twice = *name != "label" && std::ranges::any_of(words, [&](const auto& word) {
      return word.first == *name;
    });
    if (twice || words.size() == kMostWords) {
      return refused(twice ? "the query has \"" + *name + "\" twice" : "the query is too long");
    }
    words.emplace_back(std::move(*name), std::move(*value));
  }
  return words;
}

} // namespace

Result<Target> parse_target(std::string_view target) {
  if (target.empty() || target.front() != '/' || target.size() > kLongest) {
    return refused("the target is no path, or longer than 8KiB");
  }
  const auto mark = target.find('?');
  auto segments = segments_of(target.substr(0, mark));
  auto query = query_of(mark == target.npos ? "" : target.substr(mark + 1));
  if (!segments || !query) {
    return segments ? query.error() : segments.error();
  }
  return Target{std::move(*segments), std::move(*query)};
}

std::string percent_encoded(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

} // namespace skein::gateway
