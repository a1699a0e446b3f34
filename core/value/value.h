#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace skein {

enum class Kind : std::uint8_t {
  null,
  boolean,
  integer,  ///< 64-bit signed: CEL int
  uinteger, ///< 64-bit unsigned: CEL uint
  real,     ///< CEL double
  string,   ///< valid UTF-8
  bytes,
  list,
  map,
  timestamp, ///< seconds and nanoseconds since 1970, years 0001 to 9999
  duration,  ///< seconds and nanoseconds
  type,      ///< a CEL type as a value: type(1) == int
  optional,  ///< a value or none: a?.b
};

/// "int", "map", …: CEL's name of the kind.
std::string_view name_of(Kind kind);

class Value;
using MapEntry = std::pair<Value, Value>;

/// A dynamic value: what a flow's input, a step's output and an expression's result are made of.
///
/// Sixteen bytes; strings, bytes, lists and maps are shared and immutable, so a copy is a counted
/// reference and a value may go to any thread. Maps keep their entries sorted by key (see
/// compare_keys), so iteration is the same everywhere. Thread-safety: const access from any thread;
/// the object itself like an int.
class Value {
 public:
  Value() noexcept = default; ///< null
  Value(const Value& other) noexcept;
  Value(Value&& other) noexcept;
  Value& operator=(const Value& other) noexcept;
  Value& operator=(Value&& other) noexcept;
  ~Value();

  Value(std::same_as<bool> auto b) noexcept : kind_(Kind::boolean), word_(b ? 1 : 0) {} // NOLINT
  template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char> && std::is_signed_v<T>) Value(T i)
  noexcept : kind_(Kind::integer), word_(static_cast<std::uint64_t>(std::int64_t{i})) {} // NOLINT
  Value(double d) noexcept;                                         // NOLINT: implicit by design
  Value(std::string_view text);                                     // NOLINT
  Value(const std::string& text) : Value(std::string_view(text)) {} // NOLINT
  Value(const char* text) : Value(std::string_view(text)) {}        // NOLINT

  static Value of_uint(std::uint64_t u) noexcept;
  static Value of_bytes(std::string_view bytes);
  static Value of_list(std::vector<Value> items);
  /// Entries in any order. REQUIRES: keys are bool, int, uint or string, and no two are equal.
  static Value of_map(std::vector<MapEntry> entries);
  static Value of_timestamp(std::int64_t seconds, std::uint32_t nanos) noexcept;
  /// nanos has the sign of seconds where neither is 0.
  static Value of_duration(std::int64_t seconds, std::int32_t nanos) noexcept;
  static Value of_type(std::string_view name);
  static Value some(Value value); ///< optional.of(value)
  static Value none();            ///< optional.none()

  Kind kind() const noexcept { return kind_; }
  bool is_null() const noexcept { return kind_ == Kind::null; }
  bool is(Kind kind) const noexcept { return kind_ == kind; }

  // REQUIRES for each: the kind that it names. Views live as long as this value (or a copy of it).
  bool as_bool() const noexcept { return word_ != 0; }
  std::int64_t as_int() const noexcept { return static_cast<std::int64_t>(word_); }
  std::uint64_t as_uint() const noexcept { return word_; }
  double as_double() const noexcept;
  std::string_view as_string() const noexcept; ///< string, bytes, or the name of a type
  std::span<const Value> as_list() const noexcept;
  std::span<const MapEntry> as_map() const noexcept; ///< sorted by key
  std::int64_t seconds() const noexcept {
    return static_cast<std::int64_t>(word_);
  } ///< timestamp, duration
  std::int32_t nanos() const noexcept { return nanos_; }
  const Value* optional_value() const noexcept; ///< null where none

  /// The entry of a map under a string key, or null where there is none or this is no map.
  const Value* find(std::string_view key) const noexcept;
  /// The entry under any key, by CEL's equality of keys (1 == 1u).
  const Value* find(const Value& key) const noexcept;

  /// CEL equality: numbers compare across kinds, NaN equals nothing, unlike kinds are unequal.
  friend bool operator==(const Value& a, const Value& b) noexcept;

  struct Shared; ///< the counted, immutable part of the larger kinds

 private:
  Value(Kind kind, std::uint64_t word, std::int32_t nanos) noexcept
      : kind_(kind), nanos_(nanos), word_(word) {}
  bool shared() const noexcept {
    return (kind_ >= Kind::string && kind_ <= Kind::map) || kind_ >= Kind::type;
  }

  Kind kind_ = Kind::null;
  std::int32_t nanos_ = 0;
  std::uint64_t word_ = 0; ///< the number itself, or the address of the shared part
};

/// The total order of map keys: bool < number (by value, across int and uint) < string (by bytes).
std::strong_ordering compare_keys(const Value& a, const Value& b) noexcept;

/// A JSON-like object in one expression: object({{"op", "read"}, {"path", path}}).
Value object(std::initializer_list<std::pair<std::string_view, Value>> entries);

} // namespace skein
