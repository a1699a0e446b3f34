#include "core/event/attribute.h"

#include <algorithm>
#include <array>

#include "core/value/utf8.h"

namespace skein::event {
namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

int hex(char c) {
  return is_digit(c)              ? c - '0'
         : (c >= 'a' && c <= 'f') ? c - 'a' + 10
         : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                  : -1;
}

bool is_escape(std::string_view text) {
  return text.size() >= 3 && text[0] == '%' && hex(text[1]) >= 0 && hex(text[2]) >= 0;
}

bool is_forbidden(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0xFDD0 && c <= 0xFDEF) ||
         (c & 0xFFFE) == 0xFFFE;
}

// Source: RFC 9110, section 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return is_letter(c) || is_digit(c) || kMarks.find(c) != std::string_view::npos;
  });
}

std::string unquoted(std::string_view text) {
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    i += text[i] == '\\' && i + 2 < text.size() ? 1 : 0;
    out += text[i];
  }
  return out;
}

} // namespace

bool is_attribute_name(std::string_view name) {
  return !name.empty() && name.size() <= 20 &&
         std::ranges::all_of(name, [](char c) { return is_lower(c) || is_digit(c); });
}

bool is_attribute_text(std::string_view text) {
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    if (point.size == 0 || is_forbidden(point.value)) {
      return false;
    }
    text.remove_prefix(point.size);
  }
  return true;
}

bool is_uri_reference(std::string_view text) {
  constexpr std::string_view kMarks = "-._~:/?#[]@!$&'()*+,;=";
  if (text.empty() || std::ranges::count(text, '#') > 1) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool good = is_letter(text[i]) || is_digit(text[i]) ||
                      kMarks.find(text[i]) != std::string_view::npos || is_escape(text.substr(i));
    if (!good) {
      return false;
    }
  }
  // A ':' in the first segment ends a scheme.
  const auto end = text.find_first_of(":/?#");
  return end == std::string_view::npos || text[end] != ':' || is_uri(text);
}

bool is_uri(std::string_view text) {
  const auto end = text.find(':');
  if (end == std::string_view::npos || end == 0 || !is_letter(text[0])) {
    return false;
  }
  const std::string_view scheme = text.substr(0, end);
  return std::ranges::all_of(scheme,
                             [](char c) {
                               return is_letter(c) || is_digit(c) || c == '+' || c == '-' ||
                                      c == '.';
                             }) &&
         is_uri_reference("/" + std::string(text.substr(end + 1)));
}

bool is_media_type(std::string_view text) {
  std::string_view type = text.substr(0, text.find(';'));
  while (type.ends_with(' ')) {
    type.remove_suffix(1);
  }
  const auto slash = type.find('/');
  return slash != std::string_view::npos && is_token(type.substr(0, slash)) &&
         is_token(type.substr(slash + 1));
}

std::string encode_header(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7F || c == '"' || c == '%') {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 0xF]};
    } else {
      out += c;
    }
  }
  return out;
}

std::string decode_header(std::string_view text) {
  std::string inner;
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    inner = unquoted(text);
    text = inner;
  }
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_escape(text.substr(i))) {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

} // namespace skein::event
