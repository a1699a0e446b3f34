#include "core/schema/uri.h"

#include <vector>

namespace skein::schema {
namespace {

struct Parts {
  std::string_view scheme;    // with its colon
  std::string_view authority; // with its two slashes
  std::string_view path;
  std::string_view query; // with its question mark
};

Parts split(std::string_view text) {
  Parts parts;
  text = text.substr(0, text.find('#'));
  const std::size_t colon = text.find_first_of(":/?");
  if (colon != std::string_view::npos && colon > 0 && text[colon] == ':') {
    parts.scheme = text.substr(0, colon + 1);
    text.remove_prefix(colon + 1);
  }
  if (text.starts_with("//")) {
    const std::size_t end = text.find_first_of("/?", 2);
    parts.authority = text.substr(0, end);
    text.remove_prefix(parts.authority.size());
  }
  const std::size_t question = text.find('?');
  parts.path = text.substr(0, question);
  if (question != std::string_view::npos) {
    parts.query = text.substr(question);
  }
  return parts;
}

std::string without_dots(std::string_view path) {
  std::vector<std::string_view> kept;
  const bool rooted = path.starts_with('/');
  bool open = false; // the path ends with a slash
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    open = slash != std::string_view::npos || segment == "." || segment == "..";
    if (segment == "..") {
      if (!kept.empty()) {
        kept.pop_back();
      }
    } else if (segment != "." && !(segment.empty() && kept.empty())) {
      kept.push_back(segment);
    }
  }
  std::string out;
  for (const std::string_view segment : kept) {
    if (rooted || !out.empty()) {
      out += '/';
    }
    out += segment;
  }
  return open ? out + "/" : out;
}

std::string merged(const Parts& base, std::string_view path) {
  if (path.starts_with('/')) {
    return without_dots(path);
  }
  std::string whole;
  if (!base.authority.empty() && base.path.empty()) {
    whole = "/";
  } else {
    whole = base.path.substr(0, base.path.rfind('/') + 1);
  }
  return without_dots(whole.append(path));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

} // namespace

std::string resolve_uri(std::string_view base, std::string_view reference) {
  const Parts b = split(base);
  const Parts r = split(reference);
  if (!r.scheme.empty()) {
    return std::string(r.scheme).append(r.authority).append(r.path).append(r.query);
  }
  std::string out(b.scheme);
  if (!r.authority.empty()) {
    return out.append(r.authority).append(r.path).append(r.query);
  }
  out += b.authority;
  if (r.path.empty()) {
    return out.append(b.path).append(r.query.empty() ? b.query : r.query);
  }
  return out.append(merged(b, r.path)).append(r.query);
}

std::optional<std::string> fragment_of(std::string_view reference) {
  const std::size_t hash = reference.find('#');
  std::string out;
  if (hash == std::string_view::npos) {
    return out;
  }
  for (std::size_t i = hash + 1; i < reference.size(); ++i) {
    if (reference[i] != '%') {
      out += reference[i];
      continue;
    }
    if (i + 2 >= reference.size()) {
      return std::nullopt;
    }
    const int high = hex_digit(reference[i + 1]);
    const int low = hex_digit(reference[i + 2]);
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string escape_token(std::string_view token) {
  std::string out;
  for (const char c : token) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::string unescape_token(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1')) {
      out += token[++i] == '0' ? '~' : '/';
    } else {
      out += token[i];
    }
  }
  return out;
}

} // namespace skein::schema
