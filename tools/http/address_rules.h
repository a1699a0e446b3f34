#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace skein::tools {

/// An IP address: four bytes or sixteen.
struct Address {
  std::array<std::uint8_t, 16> bytes{};
  std::uint8_t size = 4;
  auto operator<=>(const Address&) const = default;
};

std::optional<Address> parse_address(std::string_view text);
std::optional<Address> address_of(const sockaddr* socket_address);
std::string to_string(const Address& address);

/// Whether the address belongs to the public internet: no private, shared, loopback, link-local,
/// documentation, benchmark, multicast or reserved range, and none that embeds another address
/// (v4-mapped, NAT64, 6to4, Teredo). Source: IANA special-purpose address registries.
bool is_public(const Address& address);

/// Where requests may go: public addresses at ports 80 and 443, and what the operator allows.
class AddressRules {
 public:
  /// Entries as HttpSettings::allow says. Errors: usage_invalid.
  static Result<AddressRules> parse(const std::vector<std::string>& allow);

  /// Asked with the address that a connection is really made to, whatever the name resolved to
  /// before.
  bool allows(std::string_view host, std::uint16_t port, const Address& address) const;

 private:
  struct Entry {
    std::string host; ///< lower case; "" where it is a range
    Address network;
    int bits = 0;
    std::optional<std::uint16_t> port; ///< 0: any; none: 80 and 443
  };
  static Result<Entry> parse_entry(const std::string& text);
  static bool port_matches(const Entry& entry, std::uint16_t port);

  std::vector<Entry> entries_;
};

} // namespace skein::tools
