#include "core/expression/function.h"

namespace skein::expression {
namespace {

bool zero(const Value& value) {
  switch (value.kind()) {
    case Kind::null:
      return true;
    case Kind::real:
      return value.as_double() == 0;
    case Kind::list:
      return value.as_list().empty();
    case Kind::map:
      return value.as_map().empty();
    case Kind::string:
    case Kind::bytes:
      return value.as_string().empty();
    case Kind::optional:
      return value.optional_value() == nullptr;
    case Kind::type:
      return false;
    default:
      return value.as_uint() == 0 && value.nanos() == 0;
  }
}

bool of(Call& call) { return call.done(Value::some(call[0])); }

bool of_non_zero(Call& call) {
  return call.done(zero(call[0]) ? Value::none() : Value::some(call[0]));
}

bool none(Call& call) { return call.done(Value::none()); }

bool has_value(Call& call) { return call.done(Value(call[0].optional_value() != nullptr)); }

bool value_of(Call& call) {
  const Value* value = call[0].optional_value();
  return value != nullptr ? call.done(*value) : call.fail("optional.none() has no value");
}

bool unwrap(Call& call) {
  std::vector<Value> values;
  for (const Value& item : call[0].as_list()) {
    if (!item.is(Kind::optional)) {
      return call.fail("no such overload: unwrap takes a list of optionals");
    }
    if (item.optional_value() != nullptr) {
      values.push_back(*item.optional_value());
    }
  }
  return call.charge_bytes(16 * call[0].as_list().size()) && call.done(Value::take_list(values));
}

bool first(Call& call) {
  const auto items = call[0].as_list();
  return call.done(items.empty() ? Value::none() : Value::some(items.front()));
}

bool last(Call& call) {
  const auto items = call[0].as_list();
  return call.done(items.empty() ? Value::none() : Value::some(items.back()));
}

constexpr Overload kOverloads[]{
    {"optional.of", "*", 'o', of},    {"optional.ofNonZeroValue", "*", 'o', of_non_zero},
    {"optional.none", "", 'o', none}, {"optional.unwrap", "l", 'l', unwrap},
    {".unwrapOpt", "l", 'l', unwrap}, {".hasValue", "o", 'b', has_value},
    {".value", "o", '*', value_of},   {".first", "l", 'o', first},
    {".last", "l", 'o', last},
};

} // namespace

std::span<const Overload> optional_functions() { return kOverloads; }

} // namespace skein::expression
