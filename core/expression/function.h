#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/expression/syntax.h"

namespace skein::expression {

class Evaluation;

/// The arguments of one call, already of the kinds that the overload asks for, and its result.
struct Call {
  Evaluation& evaluation;
  std::span<const Value* const> arguments;
  Value& result;

  const Value& operator[](std::size_t i) const { return *arguments[i]; }
  std::size_t size() const { return arguments.size(); }
  bool done(Value value) {
    result = std::move(value);
    return true;
  }
  bool fail(std::string why);
  /// Charges work beyond the call itself, in bytes; false where the cost limit is reached.
  bool charge_bytes(std::size_t bytes);
};

/// Computes the result and returns true, or fails. Pure.
using Function = bool (*)(Call&);

/// Kinds by letter: b bool, i int, u uint, d double, n a number, s string, y bytes, l list, m map,
/// t timestamp, r duration, o optional, T type, 0 null, * any.
constexpr Kinds kinds_of(char letter) {
  switch (letter) {
    case 'b':
      return only(Kind::boolean);
    case 'i':
      return only(Kind::integer);
    case 'u':
      return only(Kind::uinteger);
    case 'd':
      return only(Kind::real);
    case 'n':
      return only(Kind::integer) | only(Kind::uinteger) | only(Kind::real);
    case 's':
      return only(Kind::string);
    case 'y':
      return only(Kind::bytes);
    case 'l':
      return only(Kind::list);
    case 'm':
      return only(Kind::map);
    case 't':
      return only(Kind::timestamp);
    case 'r':
      return only(Kind::duration);
    case 'o':
      return only(Kind::optional);
    case 'T':
      return only(Kind::type);
    case '0':
      return only(Kind::null);
    default:
      return kAnyKind;
  }
}

/// One signature of a function. A member function's name has a dot before it and its receiver is
/// the first parameter. "n+" as parameters means one or more numbers.
struct Overload {
  static constexpr std::uint32_t kMany = 255;

  std::string_view name;
  std::array<Kinds, 4> parameters{};
  std::uint32_t count = 0; ///< kMany: any number of parameters[0]
  Kinds result = kAnyKind;
  Function function = nullptr;

  constexpr Overload() = default;
  constexpr Overload(std::string_view n, std::string_view letters, char r, Function f)
      : name(n), result(kinds_of(r)), function(f) {
    if (letters.ends_with('+')) {
      count = kMany;
      parameters[0] = kinds_of(letters[0]);
      return;
    }
    for (const char letter : letters) {
      parameters[count++] = kinds_of(letter);
    }
  }
  constexpr Kinds parameter(std::size_t i) const { return parameters[count == kMany ? 0 : i]; }
};

// The parts of the table, by subject.
std::span<const Overload> operator_functions();
std::span<const Overload> compare_functions();
std::span<const Overload> convert_functions();
std::span<const Overload> text_functions();
std::span<const Overload> format_functions();
std::span<const Overload> math_functions();
std::span<const Overload> time_functions();
std::span<const Overload> optional_functions();

/// Every overload of the name, those with fewer parameters first; empty where it is unknown.
std::span<const Overload> overloads_of(std::string_view name);
/// Names that a user may call, without operators; for "did you mean".
std::span<const std::string_view> function_names();

/// "(int, string)".
std::string kinds_text(std::span<const Value* const> arguments);
std::string kinds_text(Kinds kinds);
/// "_+_" → "+", ".size" → "size".
std::string_view shown_name(std::string_view function);

/// CEL's conversion with string(): of a double that is special too. Used by format and templates.
void append_shown(std::string& out, const Value& value);

/// Nanoseconds of a timestamp or duration as one wide number.
__extension__ using Wide = __int128;
inline constexpr Wide kNanosPerSecond = 1'000'000'000;
inline Wide nanos_of(const Value& value) {
  return value.seconds() * kNanosPerSecond + value.nanos();
}

} // namespace skein::expression
