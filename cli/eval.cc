#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/input.h"
#include "core/expression/program.h"
#include "core/value/json.h"

namespace skein::cli {
namespace {

/// Variables from one map, by the order of its keys.
class Bound : public expression::Activation {
 public:
  explicit Bound(Value map) : map_(std::move(map)) {}
  const Value* find(expression::Slot slot) const override { return &map_.as_map()[slot].second; }

 private:
  Value map_;
};

int eval(const Context& context, const std::string& text, const std::string& bind) {
  Value map = Value::of_map({});
  if (!bind.empty()) {
    const auto json = bind.front() == '{' ? Result<std::string>(bind) : read_file(bind);
    const auto value = json ? parse_json(*json) : json.error();
    if (!value) {
      return complain(value.error());
    }
    if (!value->is(Kind::map)) {
      return complain(Error{Code::usage_invalid, "--bind is no JSON object"});
    }
    map = *value;
  }
  expression::Declarations names;
  for (std::size_t i = 0; i < map.as_map().size(); ++i) {
    names.add(std::string(map.as_map()[i].first.as_string()), static_cast<expression::Slot>(i));
  }
  const auto program = expression::Program::compile(text, names);
  const auto value = program ? program->evaluate(Bound(map)) : program.error();
  if (!value) {
    return complain(value.error());
  }
  if (context.format == Format::yaml) {
    put(to_yaml(*value));
  } else {
    put(to_json(*value) + "\n");
  }
  return kDone;
}

} // namespace

void add_eval(CLI::App& app, Chosen& chosen) {
  struct Wanted {
    std::string text;
    std::string bind;
  };
  auto wanted = std::make_shared<Wanted>();
  CLI::App* command = app.add_subcommand("eval", "Evaluate a CEL expression");
  command->add_option("expression", wanted->text, "Expression")->required()->type_name("CEL");
  command->add_option("--bind", wanted->bind, "Variables: a JSON object, or a file with one")
      ->type_name("FILE");
  command->callback([wanted, &chosen] {
    chosen = [wanted](const Context& context) { return eval(context, wanted->text, wanted->bind); };
  });
}

} // namespace skein::cli
