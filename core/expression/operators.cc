#include <algorithm>
#include <cmath>

#include "core/expression/function.h"

namespace skein::expression {
namespace {

bool overflow(Call& call) { return call.fail("overflow: the result does not fit its type"); }

template <auto Operation>
bool whole(Call& call) {
  std::int64_t result = 0;
  return Operation(call[0].as_int(), call[1].as_int(), &result) ? overflow(call)
                                                                : call.done(Value(result));
}

template <auto Operation>
bool natural(Call& call) {
  std::uint64_t result = 0;
  return Operation(call[0].as_uint(), call[1].as_uint(), &result)
             ? overflow(call)
             : call.done(Value::of_uint(result));
}

// The compiler's checked arithmetic, given a name that can be a template argument.
constexpr auto kAdd = [](auto a, auto b, auto* out) { return __builtin_add_overflow(a, b, out); };
constexpr auto kSubtract = [](auto a, auto b, auto* out) {
  return __builtin_sub_overflow(a, b, out);
};
constexpr auto kMultiply = [](auto a, auto b, auto* out) {
  return __builtin_mul_overflow(a, b, out);
};

bool add_real(Call& call) { return call.done(Value(call[0].as_double() + call[1].as_double())); }
bool subtract_real(Call& call) {
  return call.done(Value(call[0].as_double() - call[1].as_double()));
}
bool multiply_real(Call& call) {
  return call.done(Value(call[0].as_double() * call[1].as_double()));
}
bool divide_real(Call& call) { return call.done(Value(call[0].as_double() / call[1].as_double())); }

bool divide(Call& call) {
  const std::int64_t by = call[1].as_int();
  if (by == 0) {
    return call.fail("division by zero");
  }
  if (by == -1) {
    return call[0].as_int() == INT64_MIN ? overflow(call) : call.done(Value(-call[0].as_int()));
  }
  return call.done(Value(call[0].as_int() / by));
}

bool modulo(Call& call) {
  const std::int64_t by = call[1].as_int();
  if (by == 0) {
    return call.fail("modulus by zero");
  }
  if (by == -1) {
    return call[0].as_int() == INT64_MIN ? overflow(call) : call.done(Value(0));
  }
  return call.done(Value(call[0].as_int() % by));
}

bool divide_natural(Call& call) {
  return call[1].as_uint() == 0 ? call.fail("division by zero")
                                : call.done(Value::of_uint(call[0].as_uint() / call[1].as_uint()));
}

bool modulo_natural(Call& call) {
  return call[1].as_uint() == 0 ? call.fail("modulus by zero")
                                : call.done(Value::of_uint(call[0].as_uint() % call[1].as_uint()));
}

bool negate(Call& call) {
  return call[0].as_int() == INT64_MIN ? overflow(call) : call.done(Value(-call[0].as_int()));
}

bool negate_real(Call& call) { return call.done(Value(-call[0].as_double())); }

bool negate_duration(Call& call) {
  return call.done(Value::of_duration(-call[0].seconds(), -call[0].nanos()));
}

bool invert(Call& call) { return call.done(Value(!call[0].as_bool())); }

std::string concatenated(Call& call) {
  std::string text(call[0].as_string());
  text += call[1].as_string();
  return text;
}

bool charge_concat(Call& call) {
  return call.charge_bytes(call[0].as_string().size() + call[1].as_string().size());
}

bool concat(Call& call) { return charge_concat(call) && call.done(Value(concatenated(call))); }

bool concat_bytes(Call& call) {
  return charge_concat(call) && call.done(Value::of_bytes(concatenated(call)));
}

bool concat_lists(Call& call) {
  const auto a = call[0].as_list();
  const auto b = call[1].as_list();
  if (!call.charge_bytes((a.size() + b.size()) * sizeof(Value))) {
    return false;
  }
  std::vector<Value> items;
  items.reserve(a.size() + b.size());
  items.insert(items.end(), a.begin(), a.end());
  items.insert(items.end(), b.begin(), b.end());
  return call.done(Value::take_list(items));
}

bool in_list(Call& call) {
  const auto items = call[1].as_list();
  const std::uint64_t each = std::min<std::uint64_t>(call[0].weight(), call[1].weight());
  if (!call.charge_bytes(items.size() * each * 16)) {
    return false;
  }
  return call.done(Value(std::ranges::any_of(items, [&](const Value& i) { return i == call[0]; })));
}

bool in_map(Call& call) { return call.done(Value(call[1].find(call[0]) != nullptr)); }

constexpr Overload kOverloads[]{
    {"_+_", "ii", 'i', whole<kAdd>},
    {"_+_", "ss", 's', concat},
    {"_+_", "dd", 'd', add_real},
    {"_+_", "uu", 'u', natural<kAdd>},
    {"_+_", "ll", 'l', concat_lists},
    {"_+_", "yy", 'y', concat_bytes},
    {"_-_", "ii", 'i', whole<kSubtract>},
    {"_-_", "dd", 'd', subtract_real},
    {"_-_", "uu", 'u', natural<kSubtract>},
    {"_*_", "ii", 'i', whole<kMultiply>},
    {"_*_", "dd", 'd', multiply_real},
    {"_*_", "uu", 'u', natural<kMultiply>},
    {"_/_", "ii", 'i', divide},
    {"_/_", "dd", 'd', divide_real},
    {"_/_", "uu", 'u', divide_natural},
    {"_%_", "ii", 'i', modulo},
    {"_%_", "uu", 'u', modulo_natural},
    {"-_", "i", 'i', negate},
    {"-_", "d", 'd', negate_real},
    {"-_", "r", 'r', negate_duration},
    {"!_", "b", 'b', invert},
    {"@in", "*l", 'b', in_list},
    {"@in", "*m", 'b', in_map},
};

} // namespace

std::span<const Overload> operator_functions() { return kOverloads; }

} // namespace skein::expression
