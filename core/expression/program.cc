#include "core/expression/program.h"

#include <algorithm>

#include "core/base/nearest.h"
#include "core/expression/checking/checker.h"
#include "core/expression/evaluator.h"
#include "core/expression/parser.h"

namespace skein::expression {
namespace {

Error as_error(const Expression& expression, const Failure& failure) {
  std::string detail = failure.what;
  std::string hint;
  if (failure.container.is(Kind::map)) {
    std::string key;
    append_shown(key, failure.key);
    detail += " \"" + key + "\"";
    std::vector<std::string_view> keys;
    for (const auto& [name, value] : failure.container.as_map().first(
             std::min<std::size_t>(100, failure.container.as_map().size()))) {
      if (name.is(Kind::string)) {
        keys.push_back(name.as_string());
      }
    }
    detail += did_you_mean(key, keys);
    hint = "test it first with has(), or use the optional form .? with orValue()";
  }
  if (failure.limit) {
    detail += " of " + std::to_string(expression.limits.max_cost);
  }
  const std::size_t at = std::min<std::size_t>(failure.at, expression.text.size());
  detail += " at " + line_and_column(expression.text, at);
  return {failure.limit ? Code::expression_limit : Code::expression_evaluation, std::move(detail),
          std::move(hint)};
}

} // namespace

Result<void> check_extent(const Value& result) {
  constexpr std::uint32_t kDeepest = 64;       // what JSON of a journal may nest
  constexpr std::uint32_t kHeaviest = 1 << 22; // 64 MiB
  if (result.depth() > kDeepest) {
    return Error{Code::expression_limit, "result nests deeper than 64 levels at 1:1"};
  }
  if (result.weight() > kHeaviest) {
    return Error{Code::expression_limit, "result is larger than 64 MiB at 1:1"};
  }
  return {};
}

void Declarations::add(std::string name, Slot slot, StaticType type) {
  const auto at =
      std::ranges::lower_bound(sorted_, name, {}, &decltype(sorted_)::value_type::first);
  if (at != sorted_.end() && at->first == name) {
    at->second = Declared{slot, type};
    return;
  }
  sorted_.emplace(at, std::move(name), Declared{slot, type});
}

void Declarations::describe(std::string_view name, std::shared_ptr<const Shape> shape) {
  const auto at =
      std::ranges::lower_bound(sorted_, name, {}, &decltype(sorted_)::value_type::first);
  at->second.shape = std::move(shape);
}

const Declarations::Declared* Declarations::find(std::string_view name) const {
  const auto at =
      std::ranges::lower_bound(sorted_, name, {}, &decltype(sorted_)::value_type::first);
  return at != sorted_.end() && at->first == name ? &at->second : nullptr;
}

std::vector<std::string_view> Declarations::names() const {
  std::vector<std::string_view> names;
  for (const auto& [name, declared] : sorted_) {
    names.emplace_back(name);
  }
  return names;
}

Result<Program> Program::compile(std::string_view text, const Declarations& declarations,
                                 const Options& options) {
  auto expression = std::make_shared<Expression>();
  expression->text = text;
  expression->limits = options.limits;
  auto root = Parser(expression->text, options.limits).run();
  if (!root) {
    return root.error();
  }
  expression->root = std::move(*root);
  if (auto checked = checking::Checker(declarations, options, *expression).run(); !checked) {
    return checked.error();
  }
  return Program(std::move(expression));
}

Result<Value> Program::evaluate(const Activation& activation) const {
  Evaluation evaluation(&activation, expression_->limits.max_cost, expression_->locals);
  Value room;
  const Value* value = evaluation.run(expression_->root, room);
  if (value == nullptr) {
    return as_error(*expression_, evaluation.failure());
  }
  if (const auto bounded = check_extent(*value); !bounded) {
    return bounded.error();
  }
  return value == &room ? Result<Value>(std::move(room)) : Result<Value>(*value);
}

std::string_view Program::text() const { return expression_->text; }

std::span<const Slot> Program::slots() const { return expression_->slots; }

} // namespace skein::expression
