#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace skein::schema {

/// A reference against a base, without the fragment. Source: RFC 3986, section 5.2.
std::string resolve_uri(std::string_view base, std::string_view reference);

/// The part behind '#', percent-decoded; nothing where the escapes are broken.
std::optional<std::string> fragment_of(std::string_view reference);

/// One token of a JSON pointer: '~' and '/' written as ~0 and ~1. Source: RFC 6901.
std::string escape_token(std::string_view token);
std::string unescape_token(std::string_view token);

} // namespace skein::schema
