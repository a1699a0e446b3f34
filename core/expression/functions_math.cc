#include <algorithm>
#include <cmath>

#include "core/expression/function.h"

namespace skein::expression {
namespace {

bool is_number(const Value& value) { return (only(value.kind()) & kinds_of('n')) != 0; }

// a < b, by CEL's order of numbers.
bool below(Call& call, const Value& a, const Value& b) {
  static const Overload& less = []() -> const Overload& {
    const auto all = overloads_of("_<_");
    return *std::ranges::find(all, kinds_of('n'),
                              [](const Overload& o) { return o.parameters[0]; });
  }();
  const std::array<const Value*, 2> pair{&a, &b};
  Value result;
  Call compare{call.evaluation, pair, result};
  less.function(compare);
  return result.as_bool();
}

template <bool Greatest>
bool extreme_of(Call& call, const std::vector<const Value*>& numbers) {
  if (numbers.empty()) {
    return call.fail("math needs at least one number");
  }
  const Value* best = numbers[0];
  for (const Value* number : numbers) {
    if (!is_number(*number)) {
      return call.fail("no such overload: " + std::string(name_of(number->kind())) +
                       " is no number");
    }
    if (Greatest ? below(call, *best, *number) : below(call, *number, *best)) {
      best = number;
    }
  }
  return call.done(Value(*best));
}

template <bool Greatest>
bool extreme(Call& call) {
  return extreme_of<Greatest>(call, {call.arguments.begin(), call.arguments.end()});
}

template <bool Greatest>
bool extreme_in_list(Call& call) {
  std::vector<const Value*> numbers;
  for (const Value& item : call[0].as_list()) {
    numbers.push_back(&item);
  }
  return call.charge_bytes(16 * numbers.size()) && extreme_of<Greatest>(call, numbers);
}

template <auto Function>
bool real(Call& call) {
  return call.done(Value(Function(call[0].as_double())));
}

constexpr auto kCeil = [](double d) { return std::ceil(d); };
constexpr auto kFloor = [](double d) { return std::floor(d); };
constexpr auto kRound = [](double d) { return std::round(d); };
constexpr auto kTrunc = [](double d) { return std::trunc(d); };
constexpr auto kAbs = [](double d) { return std::abs(d); };
constexpr auto kSign = [](double d) { return d > 0 ? 1.0 : d < 0 ? -1.0 : d; };
constexpr auto kIsNan = [](double d) { return std::isnan(d); };
constexpr auto kIsInf = [](double d) { return std::isinf(d); };
constexpr auto kIsFinite = [](double d) { return std::isfinite(d); };
constexpr auto kSqrt = [](double d) { return std::sqrt(d); };

bool same(Call& call) { return call.done(call[0]); }

bool absolute(Call& call) {
  const std::int64_t number = call[0].as_int();
  return number == INT64_MIN ? call.fail("overflow: the result does not fit its type")
                             : call.done(Value(std::abs(number)));
}

bool sign(Call& call) {
  const std::int64_t number = call[0].as_int();
  return call.done(Value(number > 0 ? 1 : number < 0 ? -1 : 0));
}

bool sign_of_uint(Call& call) { return call.done(Value::of_uint(call[0].as_uint() == 0 ? 0 : 1)); }

bool root_of_int(Call& call) {
  return call.done(Value(std::sqrt(static_cast<double>(call[0].as_int()))));
}

bool root_of_uint(Call& call) {
  return call.done(Value(std::sqrt(static_cast<double>(call[0].as_uint()))));
}

// The bits of an int or uint as a value of the same kind.
Value like(const Value& model, std::uint64_t bits) {
  return model.is(Kind::integer) ? Value(static_cast<std::int64_t>(bits)) : Value::of_uint(bits);
}

bool bit_and(Call& call) { return call.done(like(call[0], call[0].as_uint() & call[1].as_uint())); }
bool bit_or(Call& call) { return call.done(like(call[0], call[0].as_uint() | call[1].as_uint())); }
bool bit_xor(Call& call) { return call.done(like(call[0], call[0].as_uint() ^ call[1].as_uint())); }
bool bit_not(Call& call) { return call.done(like(call[0], ~call[0].as_uint())); }

template <bool Left>
bool shift(Call& call) {
  const std::int64_t by = call[1].as_int();
  if (by < 0) {
    return call.fail("negative offset of a shift: " + std::to_string(by));
  }
  const std::uint64_t bits = call[0].as_uint();
  return call.done(like(call[0], by > 63 ? 0 : Left ? bits << by : bits >> by));
}

constexpr Overload kOverloads[]{
    {"math.greatest", "n", '*', extreme<true>},
    {"math.greatest", "l", '*', extreme_in_list<true>},
    {"math.greatest", "n+", '*', extreme<true>},
    {"math.least", "n", '*', extreme<false>},
    {"math.least", "l", '*', extreme_in_list<false>},
    {"math.least", "n+", '*', extreme<false>},
    {"math.ceil", "d", 'd', real<kCeil>},
    {"math.floor", "d", 'd', real<kFloor>},
    {"math.round", "d", 'd', real<kRound>},
    {"math.trunc", "d", 'd', real<kTrunc>},
    {"math.abs", "d", 'd', real<kAbs>},
    {"math.abs", "i", 'i', absolute},
    {"math.abs", "u", 'u', same},
    {"math.sign", "d", 'd', real<kSign>},
    {"math.sign", "i", 'i', sign},
    {"math.sign", "u", 'u', sign_of_uint},
    {"math.isNaN", "d", 'b', real<kIsNan>},
    {"math.isInf", "d", 'b', real<kIsInf>},
    {"math.isFinite", "d", 'b', real<kIsFinite>},
    {"math.sqrt", "d", 'd', real<kSqrt>},
    {"math.sqrt", "i", 'd', root_of_int},
    {"math.sqrt", "u", 'd', root_of_uint},
    {"math.bitAnd", "ii", 'i', bit_and},
    {"math.bitAnd", "uu", 'u', bit_and},
    {"math.bitOr", "ii", 'i', bit_or},
    {"math.bitOr", "uu", 'u', bit_or},
    {"math.bitXor", "ii", 'i', bit_xor},
    {"math.bitXor", "uu", 'u', bit_xor},
    {"math.bitNot", "i", 'i', bit_not},
    {"math.bitNot", "u", 'u', bit_not},
    {"math.bitShiftLeft", "ii", 'i', shift<true>},
    {"math.bitShiftLeft", "ui", 'u', shift<true>},
    {"math.bitShiftRight", "ii", 'i', shift<false>},
    {"math.bitShiftRight", "ui", 'u', shift<false>},
};

} // namespace

std::span<const Overload> math_functions() { return kOverloads; }

} // namespace skein::expression
