#include "core/base/subject.h"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <cstdio>

#include "core/base/hash.h"

namespace skein {
namespace {

constexpr std::size_t kMaxParts = 16;
constexpr std::size_t kMaxDotted = 256;

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

std::string base32(const ContentHash& hash) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
  std::string text;
  std::uint32_t held = 0;
  unsigned bits = 0;
  for (const std::uint8_t byte : hash.bytes) {
    held = held << 8 | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += kLetters[held >> bits & 31];
    }
  }
  text += kLetters[held << (5 - bits) & 31]; // 256 bits: one is left over
  return text;
}

Error invalid(std::string_view subject, const std::string& why) {
  std::string shown(subject.substr(0, 80));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return {Code::subject_invalid, "subject '" + shown + "' " + why,
          "use letters, digits, '_' and '-' in each part between the dots"};
}

Result<void> check_bytes(std::string_view subject) {
  if (subject.empty() || subject.size() > kMaxSubject) {
    return invalid(subject, "has " + std::to_string(subject.size()) + " bytes; 1 to " +
                                std::to_string(kMaxSubject) + " are allowed");
  }
  const auto bad = std::find_if(subject.begin(), subject.end(),
                                [](char c) { return c <= ' ' || c > '~'; }); // NOLINT: signed char
  if (bad != subject.end()) {
    char code[8];
    std::snprintf(code, sizeof code, "0x%02x", static_cast<unsigned char>(*bad));
    return invalid(subject, std::string("holds the byte ") + code + " at " +
                                std::to_string(bad - subject.begin()));
  }
  return {};
}

Result<void> check(std::string_view subject, bool wildcards) {
  if (auto bytes = check_bytes(subject); !bytes) {
    return bytes;
  }
  for (std::size_t at = 0; at <= subject.size();) {
    const std::size_t end = std::min(subject.find('.', at), subject.size());
    const std::string_view token = subject.substr(at, end - at);
    if (token.empty()) {
      return invalid(subject, "has an empty part");
    }
    const bool wild = token == "*" || (token == ">" && end == subject.size());
    if (token.find_first_of("*>") != std::string_view::npos && !(wildcards && wild)) {
      return invalid(subject, "has a wildcard in '" + std::string(token) + "'");
    }
    at = end + 1;
  }
  return {};
}

} // namespace

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= kMaxToken &&
         std::all_of(text.begin(), text.end(), is_token_char);
}

std::string to_token(std::string_view text) {
  if (is_token(text) && !text.starts_with(kHashedToken)) {
    return std::string(text);
  }
  return std::string(kHashedToken) + base32(content_hash(text));
}

Subject::Subject(std::string_view first) : text_(first) { assert(is_token(first)); }

Subject& Subject::append(std::string_view token) {
  assert(!text_.ends_with('>'));
  text_ += '.';
  text_ += token;
  return *this;
}

Subject& Subject::add(std::string_view text) { return append(to_token(text)); }

Subject& Subject::add_dotted(std::string_view text) {
  const auto parts = subject_tokens(text);
  if (parts.size() > kMaxParts || text.size() > kMaxDotted) {
    return add(text);
  }
  for (const std::string_view part : parts) {
    add(part);
  }
  return *this;
}

Subject& Subject::any() { return append("*"); }

Subject& Subject::rest() { return append(">"); }

Result<void> add_pattern(Subject& subject, std::string_view dotted) {
  const auto parts = subject_tokens(dotted);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == "**" && i + 1 != parts.size()) {
      return invalid(dotted, "has '**' before its last part");
    }
    if (parts[i] == "**") {
      subject.rest();
    } else if (parts[i] == "*") {
      subject.any();
    } else {
      subject.add(parts[i]);
    }
  }
  return {};
}

std::vector<std::string_view> subject_tokens(std::string_view subject) {
  std::vector<std::string_view> tokens;
  std::size_t at = 0;
  for (std::size_t dot = subject.find('.'); dot != std::string_view::npos;
       dot = subject.find('.', at)) {
    tokens.push_back(subject.substr(at, dot - at));
    at = dot + 1;
  }
  tokens.push_back(subject.substr(at));
  return tokens;
}

Result<void> check_subject(std::string_view subject) { return check(subject, false); }

Result<void> check_filter(std::string_view filter) { return check(filter, true); }

bool subject_matches(std::string_view filter, std::string_view subject) {
  for (;;) {
    const std::string_view want = filter.substr(0, filter.find('.'));
    if (want == ">") {
      return true;
    }
    const std::string_view have = subject.substr(0, subject.find('.'));
    if (want != "*" && want != have) {
      return false;
    }
    const bool filter_ends = want.size() == filter.size();
    const bool subject_ends = have.size() == subject.size();
    if (filter_ends || subject_ends) {
      return filter_ends && subject_ends;
    }
    filter.remove_prefix(want.size() + 1);
    subject.remove_prefix(have.size() + 1);
  }
}

} // namespace skein
