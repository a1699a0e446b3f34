#include "tools/http/address_rules.h"

#include <gtest/gtest.h>

namespace skein::tools {
namespace {

bool is_public(const char* text) {
  const auto address = parse_address(text);
  EXPECT_TRUE(address.has_value()) << text;
  return address && is_public(*address);
}

bool allows(const std::vector<std::string>& allow, const char* host, std::uint16_t port,
            const char* address) {
  const auto rules = AddressRules::parse(allow);
  EXPECT_TRUE(rules.ok());
  return rules.ok() && rules->allows(host, port, *parse_address(address));
}

TEST(AddressRules, only_addresses_of_the_public_internet_are_public) {
  for (const char* text : {"1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111"}) {
    EXPECT_TRUE(is_public(text)) << text;
  }
  for (const char* text : {"0.0.0.0",
                           "10.1.2.3",
                           "100.64.0.1",
                           "127.0.0.1",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.1.1",
                           "192.0.2.1",
                           "198.19.0.1",
                           "203.0.113.9",
                           "224.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::ffff:8.8.8.8",
                           "64:ff9b::808:808",
                           "fc00::1",
                           "fd00::1",
                           "fe80::1",
                           "ff02::1",
                           "2001::1",
                           "2001:db8::1",
                           "2002:7f00:1::",
                           "100::1"}) {
    EXPECT_FALSE(is_public(text)) << text;
  }
}

TEST(AddressRules, without_settings_only_web_ports_of_public_addresses_are_allowed) {
  EXPECT_TRUE(allows({}, "example.com", 443, "1.1.1.1"));
  EXPECT_TRUE(allows({}, "example.com", 80, "1.1.1.1"));
  EXPECT_FALSE(allows({}, "example.com", 22, "1.1.1.1"));
  EXPECT_FALSE(allows({}, "example.com", 443, "10.0.0.1"));
}

TEST(AddressRules, an_operator_allows_hosts_ranges_and_ports) {
  EXPECT_TRUE(allows({"127.0.0.1:8080"}, "127.0.0.1", 8080, "127.0.0.1"));
  EXPECT_FALSE(allows({"127.0.0.1:8080"}, "127.0.0.1", 8081, "127.0.0.1"));
  EXPECT_TRUE(allows({"10.0.0.0/8"}, "x", 443, "10.9.9.9"));
  EXPECT_FALSE(allows({"10.0.0.0/8"}, "x", 8443, "10.9.9.9"));
  EXPECT_TRUE(allows({"10.0.0.0/8:*"}, "x", 8443, "10.9.9.9"));
  EXPECT_FALSE(allows({"10.0.0.0/8:*"}, "x", 8443, "11.9.9.9"));
  EXPECT_TRUE(allows({"Vault.internal:8200"}, "vault.INTERNAL", 8200, "10.0.0.1"));
  EXPECT_FALSE(allows({"vault.internal:8200"}, "evil.vault.internal", 8200, "10.0.0.1"));
  EXPECT_TRUE(allows({"[::1]:9000"}, "::1", 9000, "::1"));
  EXPECT_TRUE(allows({"fd00::/8"}, "x", 80, "fd12::1"));
  EXPECT_FALSE(allows({"0.0.0.0/0"}, "x", 80, "::1"));
}

TEST(AddressRules, what_cannot_be_read_is_refused) {
  for (const char* text :
       {"", "10.0.0.0/33", "name/8", "host:0", "host:70000", "host:x", "10.0.0.0/x", "a b", " host",
        "http://host", "[::1", "[::1]x", "[::1]80", "::1/129", "*.host", ":80"}) {
    EXPECT_FALSE(AddressRules::parse({text}).ok()) << text;
  }
}

} // namespace
} // namespace skein::tools
