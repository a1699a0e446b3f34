#include "core/value/value.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <memory>
#include <new>

namespace skein {
namespace {

using Shared = Value::Shared;
static_assert(sizeof(Value) == 16 && sizeof(Shared) == 16 && alignof(MapEntry) <= 16);

// Below this the stack carries a walk; above it the walk keeps its own list.
constexpr std::uint32_t kRecursionDepth = 256;

// How deep and how heavy a value with these parts is; both stop at the most they can count.
struct Extent {
  std::uint64_t depth = 0;
  std::uint64_t weight = 1;

  void add(const Value& part) {
    depth = std::max<std::uint64_t>(depth, part.depth());
    weight += part.weight();
  }
};

Shared* allocate(std::size_t bytes, std::size_t size, const Extent& extent) {
  constexpr std::uint64_t kDeepest = (1u << 23) - 1;
  constexpr std::uint64_t kHeaviest = ~std::uint32_t{0};
  auto* part = new (::operator new(sizeof(Shared) + bytes)) Shared;
  part->size = size & ((1ULL << 40) - 1);
  part->depth = std::min(extent.depth, kDeepest) & kDeepest;
  part->weight = static_cast<std::uint32_t>(std::min(extent.weight, kHeaviest));
  return part;
}

template <class T>
T* after(Shared* part) {
  return reinterpret_cast<T*>(part + 1); // NOLINT: the elements follow the counter
}

int rank(const Value& key) {
  switch (key.kind()) {
    case Kind::boolean:
      return 0;
    case Kind::integer:
    case Kind::uinteger:
      return 1;
    default:
      return 2;
  }
}

std::strong_ordering compare_whole(const Value& a, const Value& b) {
  const bool a_below = a.is(Kind::integer) && a.as_int() < 0;
  const bool b_below = b.is(Kind::integer) && b.as_int() < 0;
  if (a_below || b_below) {
    return a_below && b_below ? a.as_int() <=> b.as_int() : b_below <=> a_below;
  }
  return a.as_uint() <=> b.as_uint();
}

// The whole number that a double is exactly, if 64 bits hold it.
std::optional<Value> as_whole(double number) {
  if (number >= -0x1p63 && number < 0x1p63) {
    const auto whole = static_cast<std::int64_t>(number);
    return static_cast<double>(whole) == number ? std::optional<Value>(whole) : std::nullopt;
  }
  if (number >= 0x1p63 && number < 0x1p64 && std::trunc(number) == number) {
    return Value::of_uint(static_cast<std::uint64_t>(number));
  }
  return std::nullopt;
}

bool is_number(Kind kind) { return kind >= Kind::integer && kind <= Kind::real; }

double rounded(const Value& number) {
  return number.is(Kind::real)      ? number.as_double()
         : number.is(Kind::integer) ? static_cast<double>(number.as_int())
                                    : static_cast<double>(number.as_uint());
}

bool equal_numbers(const Value& a, const Value& b) {
  return a.is(Kind::real) || b.is(Kind::real) ? rounded(a) == rounded(b) : compare_whole(a, b) == 0;
}

using Pairs = std::vector<std::pair<const Value*, const Value*>>;

bool same(const Value& a, const Value& b, std::uint32_t level, Pairs& later);

bool same_nested(const Value& a, const Value& b, std::uint32_t level, Pairs& later) {
  if (level == kRecursionDepth) {
    later.emplace_back(&a, &b);
    return true;
  }
  return same(a, b, level + 1, later);
}

bool same_lists(const Value& a, const Value& b, std::uint32_t level, Pairs& later) {
  const auto x = a.as_list();
  const auto y = b.as_list();
  return x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin(), [&](auto& i, auto& j) {
           return same_nested(i, j, level, later);
         });
}

bool same_maps(const Value& a, const Value& b, std::uint32_t level, Pairs& later) {
  const auto x = a.as_map();
  const auto y = b.as_map();
  return x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin(), [&](auto& i, auto& j) {
           return compare_keys(i.first, j.first) == 0 &&
                  same_nested(i.second, j.second, level, later);
         });
}

bool same(const Value& a, const Value& b, std::uint32_t level, Pairs& later) {
  if (is_number(a.kind()) && is_number(b.kind())) {
    return equal_numbers(a, b);
  }
  if (a.kind() != b.kind() || a.depth() != b.depth()) {
    return false;
  }
  switch (a.kind()) {
    case Kind::list:
      return same_lists(a, b, level, later);
    case Kind::map:
      return same_maps(a, b, level, later);
    case Kind::string:
    case Kind::bytes:
    case Kind::type:
      return a.as_string() == b.as_string();
    case Kind::optional: {
      const Value* x = a.optional_value();
      const Value* y = b.optional_value();
      return x == nullptr || y == nullptr ? x == y : same_nested(*x, *y, level, later);
    }
    default:
      return a.as_uint() == b.as_uint() && a.nanos() == b.nanos();
  }
}

// U+E000 and above sort after the surrogates of U+10000 and above in UTF-16, before them in bytes.
bool sorts_alike(std::string_view text) {
  std::uint64_t bytes = 0;
  for (const char c : text) {
    bytes |= static_cast<unsigned char>(c);
  }
  return bytes < 0x80 ||
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0xEE; });
}

template <class T>
void destroy(Shared* part) {
  std::destroy_n(after<T>(part), part->size);
}

void free_part(Kind kind, Shared* part) {
  if (kind == Kind::list || kind == Kind::optional) {
    destroy<Value>(part);
  } else if (kind == Kind::map) {
    destroy<MapEntry>(part);
  }
  part->~Shared();
  ::operator delete(part);
}

} // namespace

std::string_view name_of(Kind kind) {
  constexpr std::array<std::string_view, 13> kNames{"null_type",
                                                    "bool",
                                                    "int",
                                                    "uint",
                                                    "double",
                                                    "string",
                                                    "bytes",
                                                    "list",
                                                    "map",
                                                    "google.protobuf.Timestamp",
                                                    "google.protobuf.Duration",
                                                    "type",
                                                    "optional_type"};
  return kNames[static_cast<std::size_t>(kind)];
}

Value::Value(std::string_view text) : Value(of_text(Kind::string, text)) {}

void Value::release() noexcept {
  if (part()->references.fetch_sub(1, std::memory_order_acq_rel) != 1) {
    return;
  }
  if (part()->depth <= kRecursionDepth) {
    free_part(kind_, part());
    return;
  }
  // Deep: take the children that are deep themselves out before their parent goes.
  std::vector<std::pair<Kind, Shared*>> doomed{{kind_, part()}};
  const auto take = [&](Value& child) {
    if (child.depth() > kRecursionDepth) {
      if (child.part()->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        doomed.emplace_back(child.kind_, child.part());
      }
      child.kind_ = Kind::null;
    }
  };
  while (!doomed.empty()) {
    const auto [kind, dead] = doomed.back();
    doomed.pop_back();
    if (kind == Kind::map) {
      std::for_each_n(after<MapEntry>(dead), dead->size, [&](MapEntry& e) { take(e.second); });
    } else {
      std::for_each_n(after<Value>(dead), dead->size, take);
    }
    free_part(kind, dead);
  }
}

Value Value::of_text(Kind kind, std::string_view text) {
  if (text.empty()) {
    return Value(kind, 0, 0);
  }
  Shared* part = allocate(text.size(), text.size(), {.depth = 0, .weight = 1 + text.size() / 16});
  std::memcpy(after<char>(part), text.data(), text.size());
  constexpr std::size_t kLongestKey = 1024; // longer ones are not looked at, and count as unsorted
  part->keys_in_json_order = text.size() <= kLongestKey && sorts_alike(text) ? 1 : 0;
  return Value(kind, std::bit_cast<std::uint64_t>(part), 0);
}

Value Value::with_items(Kind kind, std::span<Value> items) {
  if (items.empty()) {
    return Value(kind, 0, 0);
  }
  Extent extent;
  for (const Value& item : items) {
    extent.add(item);
  }
  ++extent.depth;
  Shared* part = allocate(items.size_bytes(), items.size(), extent);
  std::uninitialized_move(items.begin(), items.end(), after<Value>(part));
  return Value(kind, std::bit_cast<std::uint64_t>(part), 0);
}

Value Value::of_uint(std::uint64_t u) noexcept { return Value(Kind::uinteger, u, 0); }

Value Value::of_bytes(std::string_view bytes) { return of_text(Kind::bytes, bytes); }

Value Value::of_type(std::string_view name) { return of_text(Kind::type, name); }

Value Value::of_list(std::vector<Value> items) { return take_list(items); }

Value Value::take_list(std::span<Value> items) { return with_items(Kind::list, items); }

Value Value::of_map(std::vector<MapEntry> entries) {
  auto map = take_map(entries);
  assert(map && "two keys of a map are equal");
  return std::move(*map);
}

std::optional<Value> Value::take_map(std::span<MapEntry> entries) {
  const auto before = [](const MapEntry& a, const MapEntry& b) {
    return compare_keys(a.first, b.first) < 0;
  };
  const auto not_before = [&](const MapEntry& a, const MapEntry& b) { return !before(a, b); };
  if (std::adjacent_find(entries.begin(), entries.end(), not_before) != entries.end()) {
    std::sort(entries.begin(), entries.end(), before);
    if (std::adjacent_find(entries.begin(), entries.end(), not_before) != entries.end()) {
      return std::nullopt;
    }
  }
  if (entries.empty()) {
    return Value(Kind::map, 0, 0);
  }
  Extent extent;
  bool in_order = true;
  for (const auto& [key, value] : entries) {
    extent.add(key);
    extent.add(value);
    in_order = in_order && key.is(Kind::string) && key.keys_in_json_order();
  }
  ++extent.depth;
  Shared* part = allocate(entries.size_bytes(), entries.size(), extent);
  part->keys_in_json_order = in_order ? 1 : 0;
  std::uninitialized_move(entries.begin(), entries.end(), after<MapEntry>(part));
  return Value(Kind::map, std::bit_cast<std::uint64_t>(part), 0);
}

Value Value::of_timestamp(std::int64_t seconds, std::uint32_t nanos) noexcept {
  return Value(Kind::timestamp, static_cast<std::uint64_t>(seconds),
               static_cast<std::int32_t>(nanos));
}

Value Value::of_duration(std::int64_t seconds, std::int32_t nanos) noexcept {
  return Value(Kind::duration, static_cast<std::uint64_t>(seconds), nanos);
}

Value Value::some(Value value) { return with_items(Kind::optional, {&value, 1}); }

Value Value::none() { return Value(Kind::optional, 0, 0); }

std::span<const MapEntry> Value::as_map() const noexcept {
  return word_ == 0 ? std::span<const MapEntry>{}
                    : std::span{after<MapEntry>(part()), part()->size};
}

const Value* Value::optional_value() const noexcept {
  return word_ == 0 ? nullptr : after<Value>(part());
}

const Value* Value::find(std::string_view key) const noexcept {
  if (kind_ != Kind::map) {
    return nullptr;
  }
  auto entries = as_map();
  constexpr std::size_t kScan = 8; // up to here comparing sizes first beats halving
  while (entries.size() > kScan) {
    const std::size_t half = entries.size() / 2;
    const Value& middle = entries[half].first;
    const bool above = middle.is(Kind::string) && middle.as_string() > key;
    entries = above ? entries.first(half) : entries.subspan(half);
  }
  for (const auto& [name, value] : entries) {
    if (name.is(Kind::string) && name.as_string() == key) {
      return &value;
    }
  }
  return nullptr;
}

const Value* Value::find_key(const Value& key) const noexcept {
  if (kind_ != Kind::map) {
    return nullptr;
  }
  switch (key.kind()) {
    case Kind::string:
      return find(key.as_string());
    case Kind::real: {
      const auto whole = as_whole(key.as_double());
      return whole ? find_key(*whole) : nullptr;
    }
    case Kind::boolean:
    case Kind::integer:
    case Kind::uinteger: {
      const auto entries = as_map();
      const auto at = std::ranges::lower_bound(
          entries, key, [](const Value& a, const Value& b) { return compare_keys(a, b) < 0; },
          [](const MapEntry& entry) -> const Value& { return entry.first; });
      return at != entries.end() && compare_keys(at->first, key) == 0 ? &at->second : nullptr;
    }
    default:
      return nullptr;
  }
}

bool Value::equal(const Value& a, const Value& b) noexcept {
  Pairs later;
  if (!same(a, b, 0, later)) {
    return false;
  }
  while (!later.empty()) {
    const auto [x, y] = later.back();
    later.pop_back();
    if (!same(*x, *y, 0, later)) {
      return false;
    }
  }
  return true;
}

std::strong_ordering compare_keys(const Value& a, const Value& b) noexcept {
  if (a.is(Kind::string) && b.is(Kind::string)) {
    return a.as_string() <=> b.as_string();
  }
  const int rank_a = rank(a);
  const int rank_b = rank(b);
  if (rank_a != rank_b) {
    return rank_a <=> rank_b;
  }
  switch (rank_a) {
    case 0:
      return a.as_bool() <=> b.as_bool();
    case 1:
      return compare_whole(a, b);
    default:
      return a.as_string() <=> b.as_string();
  }
}

Value object(std::initializer_list<std::pair<std::string_view, Value>> entries) {
  std::vector<MapEntry> items;
  items.reserve(entries.size());
  for (const auto& [key, value] : entries) {
    items.emplace_back(Value(key), value);
  }
  return Value::of_map(std::move(items));
}

} // namespace skein
