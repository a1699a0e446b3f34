#include <compare>

#include "core/expression/function.h"

namespace skein::expression {
namespace {

template <class Order>
bool less(Order order) {
  return order < 0;
}
template <class Order>
bool at_most(Order order) {
  return order <= 0;
}
template <class Order>
bool more(Order order) {
  return order > 0;
}
template <class Order>
bool at_least(Order order) {
  return order >= 0;
}

std::partial_ordering order_of_ints(const Value& a, const Value& b) {
  return a.as_int() <=> b.as_int();
}
std::partial_ordering order_of_reals(const Value& a, const Value& b) {
  return a.as_double() <=> b.as_double();
}
std::partial_ordering order_of_texts(const Value& a, const Value& b) {
  return a.as_string() <=> b.as_string();
}
std::partial_ordering order_of_bools(const Value& a, const Value& b) {
  return a.as_bool() <=> b.as_bool();
}
std::partial_ordering order_of_times(const Value& a, const Value& b) {
  return a.seconds() != b.seconds() ? a.seconds() <=> b.seconds() : a.nanos() <=> b.nanos();
}

// CEL compares a whole number with a double as doubles, rounding the whole number.
double rounded(const Value& number) {
  return number.is(Kind::real)      ? number.as_double()
         : number.is(Kind::integer) ? static_cast<double>(number.as_int())
                                    : static_cast<double>(number.as_uint());
}

std::partial_ordering order_of_numbers(const Value& a, const Value& b) {
  if (a.is(Kind::real) || b.is(Kind::real)) {
    return rounded(a) <=> rounded(b);
  }
  return compare_keys(a, b);
}

template <auto Order, auto Test>
bool compare(Call& call) {
  return call.done(Value(Test(Order(call[0], call[1]))));
}

template <auto Order, auto Test>
bool compare_texts(Call& call) {
  return call.charge_bytes(std::min(call[0].as_string().size(), call[1].as_string().size())) &&
         compare<Order, Test>(call);
}

constexpr auto kLess = less<std::partial_ordering>;
constexpr auto kAtMost = at_most<std::partial_ordering>;
constexpr auto kMore = more<std::partial_ordering>;
constexpr auto kAtLeast = at_least<std::partial_ordering>;

template <auto Test>
constexpr std::array<Overload, 8> overloads(std::string_view name) {
  return {Overload{name, "ii", 'b', compare<order_of_ints, Test>},
          Overload{name, "dd", 'b', compare<order_of_reals, Test>},
          Overload{name, "ss", 'b', compare_texts<order_of_texts, Test>},
          Overload{name, "tt", 'b', compare<order_of_times, Test>},
          Overload{name, "rr", 'b', compare<order_of_times, Test>},
          Overload{name, "bb", 'b', compare<order_of_bools, Test>},
          Overload{name, "yy", 'b', compare_texts<order_of_texts, Test>},
          Overload{name, "nn", 'b', compare<order_of_numbers, Test>}};
}

constexpr auto kOverloads = [] {
  std::array<Overload, 32> all;
  std::size_t next = 0;
  for (const auto& part : {overloads<kLess>("_<_"), overloads<kAtMost>("_<=_"),
                           overloads<kMore>("_>_"), overloads<kAtLeast>("_>=_")}) {
    for (const Overload& overload : part) {
      all[next++] = overload;
    }
  }
  return all;
}();

} // namespace

std::span<const Overload> compare_functions() { return kOverloads; }

} // namespace skein::expression
