#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/value/value.h"

namespace skein::tools {

/// An absolute address of a server, read and written by one parser only, the one that connects.
struct Url {
  std::string text; ///< normalised: 127.1 has become 127.0.0.1
  std::string scheme;
  std::string host; ///< lower case, no brackets
  std::uint16_t port = 0;

  /// Scheme, host and path: what a message may show, for a query can hold secrets.
  std::string shown() const;
  bool same_origin(const Url& other) const {
    return scheme == other.scheme && host == other.host && port == other.port;
  }
};

/// `query` is null or an object of scalars and lists of them, appended and escaped.
/// Errors: tool_input_invalid, http_blocked (other schemes, a user in it, a host that is not
/// ASCII).
Result<Url> parse_url(std::string_view text, const Value* query);

/// Where a redirect leads. Errors: http_blocked (as above; from https to http).
Result<Url> follow_url(const Url& from, std::string_view location);

} // namespace skein::tools
