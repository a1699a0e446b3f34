// Nanoseconds of one evaluation of a flow's typical condition, and of JSON of an entry's size.

#include <chrono>
#include <cstdio>

#include "core/expression/program.h"
#include "core/value/json.h"

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
void measure(const char* name, Work work) {
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
  std::printf("%-24s %8.1f ns\n", name, best);
}

} // namespace

int main() {
  constexpr std::string_view kEntry =
      R"({"duration_ms":12,"exit_code":0,"parsed":null,"stderr":"","stdout":"42 errors",)"
      R"("truncated":false})";
  expression::Declarations declarations;
  declarations.add("steps.a.output", 0);
  declarations.add("input", 1);
  const Variables variables(*skein::parse_json(R"({"m":1,"n":42,"stdout":"x"})"),
                            *skein::parse_json(R"({"id":7,"region":"us","service":"web"})"));
  const auto program = expression::Program::compile(
      R"(steps.a.output.n > 10 && input.region in ["eu", "us"])", declarations);
  const Value entry = *skein::parse_json(kEntry);
  std::size_t sink = 0;
  measure("condition", [&] { sink += program->evaluate(variables)->as_bool() ? 1 : 0; });
  measure("parse_json 100 bytes", [&] { sink += skein::parse_json(kEntry)->depth(); });
  measure("to_json 100 bytes", [&] { sink += skein::to_json(entry).size(); });
  return sink > 0 ? 0 : 1;
}
