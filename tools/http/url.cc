#include "tools/http/url.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <memory>

#include "tools/arguments.h"

namespace skein::tools {
namespace {

struct CloseUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Handle = std::unique_ptr<CURLU, CloseUrl>;

std::string part(const Handle& url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, flags) != CURLUE_OK) {
    return {};
  }
  std::string out(text);
  curl_free(text);
  return out;
}

void append_query(const Handle& url, const std::string& name, const Value& value) {
  if (value.is(Kind::list)) {
    for (const Value& item : value.as_list()) {
      append_query(url, name, item);
    }
    return;
  }
  const std::string pair = name + "=" + plain_text(value);
  curl_url_set(url.get(), CURLUPART_QUERY, pair.c_str(), CURLU_APPENDQUERY | CURLU_URLENCODE);
}

Error blocked(const std::string& url, const std::string& why) {
  return {Code::http_blocked, url + " " + why};
}

std::string without_query(const Handle& url) {
  return part(url, CURLUPART_SCHEME) + "://" + part(url, CURLUPART_HOST) +
         part(url, CURLUPART_PATH);
}

Result<Url> checked(const Handle& handle) {
  Url url;
  url.scheme = part(handle, CURLUPART_SCHEME);
  url.host = part(handle, CURLUPART_HOST);
  const std::string shown = without_query(handle);
  if (url.scheme != "http" && url.scheme != "https") {
    return blocked(shown, "is not http or https");
  }
  if (!part(handle, CURLUPART_USER).empty() || !part(handle, CURLUPART_PASSWORD).empty()) {
    return blocked(shown, "has a user in it; send credentials in a header");
  }
  const auto plain = [](unsigned char c) { return c > 0x20 && c < 0x7F; };
  if (url.host.empty() || !std::all_of(url.host.begin(), url.host.end(), plain)) {
    return blocked(shown, "has a host that is not plain ASCII; write it in its xn-- form");
  }
  std::transform(url.host.begin(), url.host.end(), url.host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (url.host.starts_with('[')) {
    url.host = url.host.substr(1, url.host.size() - 2);
  }
  url.port = static_cast<std::uint16_t>(
      std::atoi(part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT).c_str()));
  curl_url_set(handle.get(), CURLUPART_FRAGMENT, nullptr, 0);
  url.text = part(handle, CURLUPART_URL);
  return url;
}

} // namespace

std::string Url::shown() const { return text.substr(0, text.find('?')); }

Result<Url> parse_url(std::string_view text, const Value* query) {
  const Handle handle(curl_url());
  const std::string terminated(text);
  const CURLUcode code =
      curl_url_set(handle.get(), CURLUPART_URL, terminated.c_str(), CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK || terminated.size() != std::string_view(terminated.c_str()).size()) {
    return Error{Code::tool_input_invalid,
                 "at /url: is no absolute URL: " + std::string(curl_url_strerror(code)),
                 "write it out, such as https://example.com/path"};
  }
  if (query != nullptr) {
    for (const auto& [name, value] : query->as_map()) {
      append_query(handle, std::string(name.as_string()), value);
    }
  }
  return checked(handle);
}

Result<Url> follow_url(const Url& from, std::string_view location) {
  const Handle handle(curl_url());
  curl_url_set(handle.get(), CURLUPART_URL, from.text.c_str(), 0);
  const CURLUcode code = curl_url_set(handle.get(), CURLUPART_URL, std::string(location).c_str(),
                                      CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK) {
    return Error{Code::http_transport,
                 from.shown() + " redirects to what is no URL: " + curl_url_strerror(code)};
  }
  auto url = checked(handle);
  if (url && from.scheme == "https" && url->scheme == "http") {
    return blocked(from.shown(), "redirects from https to http");
  }
  return url;
}

} // namespace skein::tools
