#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/value/value.h"

/// What comes in over HTTP and what goes out, without a word about sockets.
namespace skein::gateway {

class EventStream;

enum class Method { get, post, put, remove };

/// "GET", …
std::string_view name_of(Method method);

using Words = std::vector<std::pair<std::string, std::string>>;

/// A request that has been read whole, is within every limit, and comes from who may ask.
struct Request {
  Method method = Method::get;
  std::string path; ///< decoded, for messages
  Words parameters; ///< what stands where the route's path has {name}
  Words query;      ///< decoded, in order
  Words headers;    ///< names in lower case
  std::string body;

  /// REQUIRES: the route's path has it.
  const std::string& parameter(std::string_view name) const;
  std::optional<std::string> asked(std::string_view query_name) const;
  std::string_view header(std::string_view lower_case_name) const; ///< "" where absent
};

struct Response {
  unsigned status = 200;
  std::string type = "application/json";
  std::string body;
  Words headers;
  /// Where set, the answer is a stream of server-sent events: called once its head is on the way,
  /// on the thread of the handler; may keep the stream. Must not block.
  std::function<void(std::shared_ptr<EventStream>)> events;
};

/// What HTTP calls an error of this code: 404 for what is unknown, 409 for what does not fit, …
unsigned status_of(Code code);
/// {"error": {"code", "name", "message", "hint"}} with the status that fits, or the one given.
Response refuse(const Error& error, unsigned status = 0);
Response answer(const Value& value, unsigned status = 200);

/// The body as JSON. Errors: json_invalid, json_limit; request_invalid where it says that it is
/// something else.
Result<Value> json_of(const Request& request);

} // namespace skein::gateway
