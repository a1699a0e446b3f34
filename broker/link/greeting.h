#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/instant.h"
#include "core/base/result.h"

namespace skein::broker {

/// What a server says first to whoever connects: its INFO line.
struct Greeting {
  std::string version; ///< "2.9.10"
  std::string name;
  std::string id;
  bool jetstream = false;
  bool wants_credentials = false;
  bool wants_tls = false;
  std::size_t max_payload = 0;
};

/// HOST and port of a url: "nats://user:secret@host:4222", "tls://host", "host".
struct Address {
  std::string host;
  std::uint16_t port = 4222;
  bool tls = false;
};

/// Errors: broker_unreachable where the text is none.
Result<Address> parse_address(std::string_view url);
/// "host:4222", without credentials: what may be shown.
std::string to_string(const Address& address);

/// Connects, reads the greeting, and leaves again. At most 32 KiB are read and nothing is sent, so
/// that what is not a nats-server, or is a hostile one, is found before the library speaks to it.
/// Errors: broker_unreachable.
Result<Greeting> greet(const Address& address, Millis limit);
Result<Greeting> parse_greeting(std::string_view line);

} // namespace skein::broker
