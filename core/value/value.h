#pragma once

#include <atomic>
#include <bit>
#include <compare>
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
  Value(const Value& other) noexcept
      : kind_(other.kind_), nanos_(other.nanos_), word_(other.word_) {
    retain();
  }
  Value(Value&& other) noexcept : kind_(other.kind_), nanos_(other.nanos_), word_(other.word_) {
    other.kind_ = Kind::null;
    other.word_ = 0;
  }
  Value& operator=(const Value& other) noexcept {
    other.retain();
    return take(other.kind_, other.nanos_, other.word_);
  }
  Value& operator=(Value&& other) noexcept {
    const Kind kind = std::exchange(other.kind_, Kind::null);
    return take(kind, other.nanos_, std::exchange(other.word_, 0));
  }
  ~Value() {
    if (shared() && word_ != 0) {
      release();
    }
  }

  Value(std::same_as<bool> auto b) noexcept : kind_(Kind::boolean), word_(b ? 1 : 0) {} // NOLINT
  template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char> && std::is_signed_v<T>) Value(T i)
  noexcept : kind_(Kind::integer), word_(static_cast<std::uint64_t>(std::int64_t{i})) {} // NOLINT
  /// Only floating point: an unsigned number is of_uint's, or a signed cast away.
  Value(std::floating_point auto d) noexcept // NOLINT: implicit by design
      : kind_(Kind::real), word_(std::bit_cast<std::uint64_t>(static_cast<double>(d))) {}
  Value(std::string_view text);                                     // NOLINT
  Value(const std::string& text) : Value(std::string_view(text)) {} // NOLINT
  Value(const char* text) : Value(std::string_view(text)) {}        // NOLINT

  static Value of_uint(std::uint64_t u) noexcept;
  static Value of_bytes(std::string_view bytes);
  static Value of_list(std::vector<Value> items);
  /// Entries in any order. REQUIRES: keys are bool, int, uint or string, and no two are equal.
  static Value of_map(std::vector<MapEntry> entries);
  /// The same, moved out of memory that the caller keeps and may use again.
  static Value take_list(std::span<Value> items);
  /// None where two keys are equal; the entries are then sorted in place and not moved.
  static std::optional<Value> take_map(std::span<MapEntry> entries);
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
  double as_double() const noexcept { return std::bit_cast<double>(word_); }
  std::string_view as_string() const noexcept; ///< string, bytes, or the name of a type
  std::span<const Value> as_list() const noexcept;
  std::span<const MapEntry> as_map() const noexcept; ///< sorted by key (see compare_keys)
  std::int64_t seconds() const noexcept {
    return static_cast<std::int64_t>(word_);
  } ///< timestamp, duration
  std::int32_t nanos() const noexcept { return nanos_; }
  const Value* optional_value() const noexcept; ///< null where none

  /// How deep lists, maps and optionals nest: 0 for a scalar, 1 for a list of scalars. Known, not
  /// computed.
  std::uint32_t depth() const noexcept;
  /// How large it is when written out, with what it shares counted each time: one for every value
  /// and for every 16 bytes of text; at most 2^32-1. Known, not computed.
  std::uint32_t weight() const noexcept { return shared() && word_ != 0 ? part()->weight : 1; }
  /// Whether the keys of a map are strings whose order by bytes is also JSON's, by UTF-16 units.
  bool keys_in_json_order() const noexcept { return word_ == 0 || part()->keys_in_json_order == 1; }

  /// The entry of a map under a string key, or null where there is none or this is no map.
  const Value* find(std::string_view key) const noexcept;
  /// The entry under any key, by CEL's equality of keys (1 == 1u).
  const Value* find(const std::same_as<Value> auto& key) const noexcept { return find_key(key); }

  /// CEL equality: numbers compare across kinds (a whole number with a double as doubles), NaN
  /// equals nothing, unlike kinds are unequal.
  friend bool operator==(const Value& a, const Value& b) noexcept {
    if (a.kind_ != b.kind_ || a.kind_ > Kind::string || a.kind_ == Kind::real) {
      return equal(a, b);
    }
    return a.is(Kind::string) ? a.as_string() == b.as_string() : a.word_ == b.word_;
  }

  /// The counted, immutable part of the larger kinds; the bytes, items or entries follow it.
  /// An empty one has none: its word is 0.
  struct Shared {
    std::atomic<std::uint32_t> references{1};
    std::uint32_t weight = 0;
    std::uint64_t size : 40 = 0;
    std::uint64_t depth : 23 = 0;
    std::uint64_t keys_in_json_order : 1 = 1; ///< of a map's keys; of a text, were it a key
  };

 private:
  Value(Kind kind, std::uint64_t word, std::int32_t nanos) noexcept
      : kind_(kind), nanos_(nanos), word_(word) {}
  bool shared() const noexcept {
    return (kind_ >= Kind::string && kind_ <= Kind::map) || kind_ >= Kind::type;
  }
  Shared* part() const noexcept { return std::bit_cast<Shared*>(word_); }
  void retain() const noexcept {
    if (shared() && word_ != 0) {
      part()->references.fetch_add(1, std::memory_order_relaxed);
    }
  }
  const Value* find_key(const Value& key) const noexcept;
  /// Becomes a reference that is already counted. The old one goes last: it may hold the new one.
  Value& take(Kind kind, std::int32_t nanos, std::uint64_t word) noexcept {
    const Value old(kind_, word_, nanos_); // released on return
    kind_ = kind;
    nanos_ = nanos;
    word_ = word;
    return *this;
  }
  void release() noexcept;
  static bool equal(const Value& a, const Value& b) noexcept;
  static Value of_text(Kind kind, std::string_view text);
  static Value with_items(Kind kind, std::span<Value> items);

  Kind kind_ = Kind::null;
  std::int32_t nanos_ = 0;
  std::uint64_t word_ = 0; ///< the number itself, or the address of the shared part
};

inline std::string_view Value::as_string() const noexcept {
  return word_ == 0
             ? std::string_view{}
             : std::string_view{reinterpret_cast<const char*>(part() + 1), part()->size}; // NOLINT
}

inline std::span<const Value> Value::as_list() const noexcept {
  return word_ == 0 ? std::span<const Value>{}
                    : std::span{reinterpret_cast<const Value*>(part() + 1), part()->size}; // NOLINT
}

inline std::uint32_t Value::depth() const noexcept {
  const bool nests = kind_ == Kind::list || kind_ == Kind::map || kind_ == Kind::optional;
  return !nests ? 0 : word_ == 0 ? 1 : static_cast<std::uint32_t>(part()->depth);
}

/// The total order of map keys: bool < number (by value, across int and uint) < string (by bytes).
std::strong_ordering compare_keys(const Value& a, const Value& b) noexcept;

/// A JSON-like object in one expression: object({{"op", "read"}, {"path", path}}).
Value object(std::initializer_list<std::pair<std::string_view, Value>> entries);

} // namespace skein
