#include "tools/http/address_rules.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace skein::tools {
namespace {

struct Range {
  const char* network;
  int bits;
};

constexpr Range kNotPublic4[] = {
    {"0.0.0.0", 8},      {"10.0.0.0", 8},     {"100.64.0.0", 10}, {"127.0.0.0", 8},
    {"169.254.0.0", 16}, {"172.16.0.0", 12},  {"192.0.0.0", 24},  {"192.0.2.0", 24},
    {"192.88.99.0", 24}, {"192.168.0.0", 16}, {"198.18.0.0", 15}, {"198.51.100.0", 24},
    {"203.0.113.0", 24}, {"224.0.0.0", 4},    {"240.0.0.0", 4},
};
constexpr Range kGlobal6 = {"2000::", 3};
constexpr Range kNotPublic6[] = {
    {"2001::", 23}, {"2001:db8::", 32}, {"2002::", 16}, {"3fff::", 20}};

bool in_range(const Address& address, const Address& network, int bits) {
  if (address.size != network.size) {
    return false;
  }
  for (int i = 0; bits > 0; ++i, bits -= 8) {
    const auto mask = static_cast<std::uint8_t>(bits >= 8 ? 0xFF : 0xFF << (8 - bits));
    const auto at = static_cast<std::size_t>(i);
    if ((address.bytes[at] & mask) != (network.bytes[at] & mask)) {
      return false;
    }
  }
  return true;
}

bool in_range(const Address& address, const Range& range) {
  return in_range(address, *parse_address(range.network), range.bits);
}

std::optional<unsigned> number(std::string_view text) {
  unsigned out = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
  return problem == std::errc() && end == text.data() + text.size() ? std::optional(out)
                                                                    : std::nullopt;
}

/// "host:port" apart; an address of IPv6 has its port behind brackets.
std::pair<std::string, std::optional<std::string>> split_port(const std::string& text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end != std::string::npos) {
      const std::string host = text.substr(1, end - 1);
      const std::string rest = text.substr(end + 1);
      return rest.empty() || rest.starts_with(':')
                 ? std::pair(host, rest.empty() ? std::nullopt : std::optional(rest.substr(1)))
                 : std::pair(text, std::optional<std::string>());
    }
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || text.find(':', colon + 1) != std::string::npos) {
    return {text, std::nullopt};
  }
  return {text.substr(0, colon), text.substr(colon + 1)};
}

bool may_be_in_a_host(unsigned char c) {
  return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

} // namespace

std::optional<Address> parse_address(std::string_view text) {
  Address out;
  const std::string terminated(text);
  if (::inet_pton(AF_INET, terminated.c_str(), out.bytes.data()) == 1) {
    return out;
  }
  if (::inet_pton(AF_INET6, terminated.c_str(), out.bytes.data()) == 1) {
    out.size = 16;
    return out;
  }
  return std::nullopt;
}

std::optional<Address> address_of(const sockaddr* socket_address) {
  Address out;
  if (socket_address->sa_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, socket_address, sizeof in);
    std::memcpy(out.bytes.data(), &in.sin_addr, 4);
    return out;
  }
  if (socket_address->sa_family == AF_INET6) {
    sockaddr_in6 in;
    std::memcpy(&in, socket_address, sizeof in);
    std::memcpy(out.bytes.data(), &in.sin6_addr, 16);
    out.size = 16;
    return out;
  }
  return std::nullopt;
}

std::string to_string(const Address& address) {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(address.size == 4 ? AF_INET : AF_INET6, address.bytes.data(), text, sizeof text);
  return text;
}

bool is_public(const Address& address) {
  const auto inside = [&](const Range& range) { return in_range(address, range); };
  if (address.size == 4) {
    return std::none_of(std::begin(kNotPublic4), std::end(kNotPublic4), inside);
  }
  return inside(kGlobal6) && std::none_of(std::begin(kNotPublic6), std::end(kNotPublic6), inside);
}

Result<AddressRules::Entry> AddressRules::parse_entry(const std::string& text) {
  const Error wrong{Code::usage_invalid, "\"" + text + "\" is no HOST, HOST:PORT or ADDRESS/BITS",
                    "write no scheme and no path, and an IPv6 address with a port in brackets"};
  const auto [name, port] = split_port(text);
  Entry entry;
  if (port) {
    const auto parsed = *port == "*" ? std::optional(0U) : number(*port);
    if (!parsed || *parsed > 65535 || (*parsed == 0 && *port != "*")) {
      return wrong;
    }
    entry.port = static_cast<std::uint16_t>(*parsed);
  }
  const std::size_t slash = name.find('/');
  const auto address = parse_address(name.substr(0, slash));
  if (!address) {
    if (!std::all_of(name.begin(), name.end(), may_be_in_a_host) || name.empty()) {
      return wrong;
    }
    entry.host = lower(name);
    return entry;
  }
  entry.network = *address;
  entry.bits = address->size * 8;
  if (slash != std::string::npos) {
    const auto bits = number(std::string_view(name).substr(slash + 1));
    if (!bits || *bits > static_cast<unsigned>(entry.bits)) {
      return wrong;
    }
    entry.bits = static_cast<int>(*bits);
  }
  return entry;
}

Result<AddressRules> AddressRules::parse(const std::vector<std::string>& allow) {
  AddressRules rules;
  for (const std::string& text : allow) {
    auto entry = parse_entry(text);
    if (!entry) {
      return entry.error();
    }
    rules.entries_.push_back(std::move(*entry));
  }
  return rules;
}

bool AddressRules::port_matches(const Entry& entry, std::uint16_t port) {
  return entry.port ? *entry.port == 0 || *entry.port == port : port == 80 || port == 443;
}

bool AddressRules::allows(std::string_view host, std::uint16_t port, const Address& address) const {
  if ((port == 80 || port == 443) && is_public(address)) {
    return true;
  }
  const std::string name = lower(host);
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    const bool matches =
        entry.host.empty() ? in_range(address, entry.network, entry.bits) : entry.host == name;
    return matches && port_matches(entry, port);
  });
}

} // namespace skein::tools
