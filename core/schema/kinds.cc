#include "core/schema/kinds.h"

#include <algorithm>
#include <string>

#include "core/schema/numbers.h"
#include "core/value/json.h"

namespace skein::schema {

std::uint8_t types_of(const Value& value) {
  switch (value.kind()) {
    case Kind::null:
      return kNullType;
    case Kind::boolean:
      return kBooleanType;
    case Kind::integer:
    case Kind::uinteger:
    case Kind::real:
      return is_whole(value) ? kIntegerType | kNumberType : std::uint8_t{kNumberType};
    case Kind::list:
      return kArrayType;
    case Kind::map:
      return kObjectType;
    default:
      return kStringType;
  }
}

std::string_view type_name(const Value& value) {
  const std::uint8_t types = types_of(value);
  return std::find_if(kTypeNames.begin(), kTypeNames.end(),
                      [&](const auto& row) { return (row.first & types) != 0; })
      ->second;
}

std::size_t size_of(const Value& value) {
  return value.is(Kind::list) ? value.as_list().size()
                              : (value.is(Kind::map) ? value.as_map().size() : 0);
}

bool equal(const Value& a, const Value& b) { return a == b; }

std::uint64_t length_of(std::string_view text) {
  return static_cast<std::uint64_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

bool all_unique(std::span<const Value> items) {
  constexpr std::size_t kFew = 32;
  if (items.size() <= kFew) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (items[i] == items[j]) {
          return false;
        }
      }
    }
    return true;
  }
  std::vector<std::string> texts; // canonical: equal values have equal texts
  texts.reserve(items.size());
  for (const Value& item : items) {
    texts.push_back(to_json(item));
  }
  std::sort(texts.begin(), texts.end());
  return std::adjacent_find(texts.begin(), texts.end()) == texts.end();
}

} // namespace skein::schema
