// Nanoseconds of one evaluation of a flow's typical condition.

#include <chrono>
#include <cstdio>

#include "core/expression/program.h"
#include "core/value/json.h"
#include "measure.h"

namespace {

using skein::Value;
namespace expression = skein::expression;

class Variables : public expression::Activation {
 public:
  Variables(Value output, Value input) : values_{std::move(output), std::move(input)} {}
  const Value* find(expression::Slot slot) const override { return &values_[slot]; }

 private:
  Value values_[2];
};

template <class Work>
double measure(Work work) {
  constexpr int kRounds = 5;
  constexpr int kTimes = 400'000;
  double best = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kTimes; ++i) {
      work();
    }
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
    best = std::min(best, spent.count() / kTimes);
  }
  return best;
}

// What the condition below asks, as one would write it by hand for these values.
bool by_hand(const expression::Activation& variables) {
  const Value* output = variables.find(0);
  const Value* n = output != nullptr ? output->find("n") : nullptr;
  const Value* input = variables.find(1);
  const Value* region = input != nullptr ? input->find("region") : nullptr;
  return n != nullptr && n->is(skein::Kind::integer) && n->as_int() > 10 && region != nullptr &&
         region->is(skein::Kind::string) &&
         (region->as_string() == "eu" || region->as_string() == "us");
}

} // namespace

int main() {
  expression::Declarations declarations;
  declarations.add("steps.a.output", 0);
  declarations.add("input", 1);
  const Variables variables(*skein::parse_json(R"({"m":1,"n":42,"stdout":"x"})"),
                            *skein::parse_json(R"({"id":7,"region":"us","service":"web"})"));
  const auto program = expression::Program::compile(
      R"(steps.a.output.n > 10 && input.region in ["eu", "us"])", declarations);
  std::size_t sink = 0;
  const double limit = measure([&] { sink += by_hand(variables) ? 1 : 0; });
  const double value = measure([&] { sink += program->evaluate(variables)->as_bool() ? 1 : 0; });
  skein::bench::report("cel_condition", value, "ns", limit, "the same in C++ by hand");
  return sink > 0 ? 0 : 1;
}
