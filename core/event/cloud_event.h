#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/expression/shape.h"
#include "core/value/value.h"

/// What happened somewhere, told to whoever wants to know.
/// Source: CloudEvents 1.0.2, with its JSON format.
namespace skein::event {

struct EventLimits {
  std::size_t max_bytes = 960u << 10;         ///< of one event, in its structured form
  std::size_t max_attribute_bytes = 4u << 10; ///< of the value of one attribute
  std::size_t max_attributes = 64;
  std::size_t max_batch = 1'000; ///< events that come together
  std::size_t max_batch_bytes = 8u << 20;
};

/// One event. Attributes are checked by `check`, so one that was read is sound; one that code made
/// is sound once it was checked. An empty text is an attribute that is not there.
struct CloudEvent {
  std::string id;
  std::string source; ///< a URI reference; with the id it identifies the event
  std::string type;
  std::string subject;
  std::string time; ///< RFC 3339, as it was written
  std::string data_schema;
  std::string content_type; ///< of the data; empty: JSON
  /// Bool, int of 32 bits or string, by name; a map, so that they are always in the same order.
  std::map<std::string, Value, std::less<>> extensions;
  /// Bytes, or what JSON holds; a string where the content type is a text's. None: no data.
  std::optional<Value> data;

  bool operator==(const CloudEvent&) const = default;
};

/// Whether every attribute is what the specification wants. Errors: event_invalid, event_limit.
Result<void> check(const CloudEvent& event, const EventLimits& limits = {});

/// The event as its JSON format has it; what expressions see as `event`. Bytes are data_base64.
Value to_value(const CloudEvent& event);
/// Reads that. Errors: event_invalid, event_limit.
Result<CloudEvent> from_value(const Value& structured, const EventLimits& limits = {});

/// Canonical JSON of to_value.
std::string to_structured(const CloudEvent& event);

/// Whether data of this content type is JSON: application/json, text/json, anything+json, or none.
bool is_json(std::string_view content_type);

/// What is known of `event` before there is one.
const expression::Shape& shape_of_event();

} // namespace skein::event
