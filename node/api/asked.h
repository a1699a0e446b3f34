#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/message.h"
#include "node/api/frames.h"

/// What requests say, read and checked. Errors of all: request_invalid, which names the field.
namespace skein::node {

/// A number in the query; `other` where it is not there.
Result<std::uint64_t> number_in(const gateway::Request& request, std::string_view name,
                                std::uint64_t other);
/// Whether the query says NAME=true. Absent is no.
Result<bool> flag_in(const gateway::Request& request, std::string_view name);

/// Whether whoever asks reads frames rather than JSON.
bool wants_frames(const gateway::Request& request);
gateway::Response answer(FrameWriter frames);

/// A JSON object with no other fields than these.
Result<Value> fields_of(const gateway::Request& request,
                        std::initializer_list<std::string_view> names);
/// A text field; "" where it is not there.
Result<std::string> text_of(const Value& fields, std::string_view name);
Result<std::optional<std::uint64_t>> number_of(const Value& fields, std::string_view name);
/// Any value; null where it is not there.
Value value_of(const Value& fields, std::string_view name);

} // namespace skein::node
