#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "core/value/json.h"
#include "schemas/yaml.h"

/// What is read as YAML can be written as JSON and is read as the same value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto documents =
      skein::schemas::read_yaml({reinterpret_cast<const char*>(bytes), size}, "fuzz");
  if (!documents) {
    return 0;
  }
  for (const skein::Document& document : *documents) {
    const skein::Value value = document.root.to_value();
    const auto read = skein::parse_json(skein::to_json(value));
    if (!read || !(*read == value)) {
      std::cerr << skein::to_json(value) << '\n';
      std::abort();
    }
  }
  return 0;
}
