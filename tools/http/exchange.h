#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/instant.h"
#include "core/base/result.h"

namespace skein::tools {

using Header = std::pair<std::string, std::string>;

/// One request to one server; redirects are answers like any other.
struct HttpRequest {
  std::string method = "GET";
  std::string url;  ///< absolute, http or https, no user in it
  std::string host; ///< of the url: lower case, no brackets
  std::uint16_t port = 80;
  std::vector<Header> headers;
  std::string body;
  bool has_body = false;
  Millis timeout;
  std::size_t max_response = 0; ///< bytes of the body, after decompression
};

struct HttpResponse {
  int status = 0;
  std::vector<Header> headers; ///< names in lower case, in the order of arrival
  std::string body;
};

using HttpDone = std::function<void(Result<HttpResponse>)>;

/// Whether the header has this name, which is given in lower case.
bool is_named(const Header& header, std::string_view lower);

/// Whether running a request again is the same as running it once. Source: RFC 9110, 9.2.2.
bool is_idempotent(std::string_view method);

} // namespace skein::tools
