#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace skein {

/// Longest token that is sent as it is, and longest subject that is accepted.
inline constexpr std::size_t kMaxToken = 64;
inline constexpr std::size_t kMaxSubject = 1024;

/// What a token starts with where it stands for a text that could not be one.
inline constexpr std::string_view kHashedToken = "h32-";

/// Whether the text is [A-Za-z0-9_-]{1,64}: what a token of ours is made of.
bool is_token(std::string_view text);

/// The text as one token: itself where it is one, else kHashedToken and its SHA-256 in base32. Two
/// texts never give the same token, so a text that begins like a hashed one is hashed too.
/// Source: RFC 4648, base32 in lower case without padding.
std::string to_token(std::string_view text);

/// Builds the subject of a message, or a filter of subjects, out of tokens; the only way to one, so
/// that no text from outside can add a token, a wildcard or a line to the protocol.
///
///   Subject("skein").add(tenant).add("event").add_dotted(type).text()
class Subject {
 public:
  /// REQUIRES: first is a token.
  explicit Subject(std::string_view first);

  /// Any text, as one token.
  Subject& add(std::string_view text);
  /// "alert.fired" as two tokens. Texts of more than 16 parts or 256 bytes become one token.
  Subject& add_dotted(std::string_view text);
  /// Any one token. From here on it is a filter.
  Subject& any();
  /// One token or more. REQUIRES: nothing is added after it.
  Subject& rest();

  const std::string& text() const { return text_; }

 private:
  Subject& append(std::string_view token);

  std::string text_;
};

/// What a filter of add_dotted matches: the tokens that it would add, "*" and "**" (the rest, last)
/// as wildcards: "alert.*" or "alert.**". Errors: subject_invalid where "**" is not the last.
Result<void> add_pattern(Subject& subject, std::string_view dotted);

/// The parts between the dots. Views into the text.
std::vector<std::string_view> subject_tokens(std::string_view subject);

/// Whether a message can be sent to it: tokens of printable ASCII without space, dot or wildcard,
/// none empty, at most kMaxSubject bytes.
/// Errors: subject_invalid, naming the first byte or token that is wrong.
Result<void> check_subject(std::string_view subject);
/// The same, where "*" may be a token and ">" the last one.
Result<void> check_filter(std::string_view filter);

/// Whether the filter takes the subject. REQUIRES: both passed their check.
bool subject_matches(std::string_view filter, std::string_view subject);

} // namespace skein
