#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/instant.h"
#include "core/base/result.h"
#include "core/event/cloud_event.h"
#include "core/ports/broker.h"

namespace skein::event {

/// What a body that is no CloudEvent is taken as: JSON that becomes the data of this event.
struct Bare {
  std::string id; ///< empty: a body that is no CloudEvent is refused
  std::string source;
  std::string type;
  std::string time;
};

/// One message of a broker or one request, in whichever of its forms.
///
///   content-type application/cloudevents-batch…   a JSON list of events
///   content-type application/cloudevents…         one event as JSON
///   a header ce-specversion                        attributes are headers, the body is the data
///   a JSON object with a specversion               one event as JSON
///   any other JSON                                 the data of an event as `bare` says
///
/// In binary form the data's content type is ce-datacontenttype, or else content-type. Names of
/// headers may be in any case. Errors: event_invalid (with which event of a batch, and which
/// attribute or byte), event_limit.
/// Source: CloudEvents HTTP binding 1.0.2; CloudEvents NATS binding, working draft.
Result<std::vector<CloudEvent>> read(std::span<const Header> headers, std::string_view body,
                                     const Bare& bare, const EventLimits& limits = {});

/// The same where a batch is none of its forms: a message of a stream.
Result<CloudEvent> read_one(std::span<const Header> headers, std::string_view body,
                            const Bare& bare, const EventLimits& limits = {});

struct Printed {
  std::vector<Header> headers;
  std::string body;
};

inline constexpr std::string_view kStructured = "application/cloudevents+json";
inline constexpr std::string_view kBatch = "application/cloudevents-batch+json";

Printed print_structured(const CloudEvent& event);
Printed print_binary(const CloudEvent& event);
Printed print_batch(std::span<const CloudEvent> events);

/// The first header of the name, in any case; "" where there is none.
std::string_view find_header(std::span<const Header> headers, std::string_view name);

/// An id for a message that brought none: the same message taken at the same instant has the same
/// one, whoever computes it and however often it is delivered.
std::string content_id(std::string_view subject, std::span<const Header> headers,
                       std::string_view body, Instant at);

/// A new id: sorts by time. The two words are random. Source: RFC 9562, section 5.7.
std::string uuid7(Instant at, std::uint64_t high, std::uint64_t low);

} // namespace skein::event
