#pragma once

#include <cstddef>
#include <string>

#include "core/base/result.h"
#include "core/ports/broker.h"

/// What every broker refuses before anything is sent.
namespace skein::broker {

/// Whether the message may be sent: its subject, its reply subject, its headers (printable names;
/// values on one line; none that begins with Nats-, which change what a stream does), its id, its
/// size.
/// Errors: subject_invalid, message_too_large.
Result<void> check_message(const Message& message, const std::string& id, std::size_t max_payload);
Error too_large(const Message& message, std::size_t max_payload);

/// A stream's, consumer's or queue's name becomes a part of subjects. Errors: subject_invalid.
Result<void> check_name(const std::string& name);

} // namespace skein::broker
