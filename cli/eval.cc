#include <CLI/CLI.hpp>
#include <filesystem>
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

// A word such as x=2 is meant as neither.
bool names_json_or_file(const std::string& bind) {
  std::error_code ignored;
  return !bind.empty() && (bind.front() == '{' || bind == "-" ||
                           (bind.find('=') == std::string::npos && bind.front() != '[') ||
                           std::filesystem::exists(bind, ignored));
}

Result<Value> bound(const std::string& bind) {
  if (!names_json_or_file(bind)) {
    return Error{Code::usage_invalid, "--bind is \"" + bind + "\", no JSON object and no file",
                 "bind every name in one object: --bind '{\"x\":2}'"};
  }
  const auto json = bind.front() == '{' ? Result<std::string>(bind) : read_file(bind);
  auto value = json ? parse_json(*json) : json.error();
  if (!value) {
    Error error = value.error();
    if (json) {
      error.detail = "--bind: " + error.detail;
    }
    return error;
  }
  if (!value->is(Kind::map)) {
    return Error{Code::usage_invalid, "--bind is no JSON object",
                 "bind every name in one object: --bind '{\"x\":2}'"};
  }
  return value;
}

Error of_expression(Error error, const std::string& text) {
  if (error.hint.empty() && text.starts_with("${")) {
    error.hint = "leave ${ and } out: what is evaluated is what stands between them";
  }
  return error;
}

int eval(const Context& context, const std::string& text, const std::string& bind, bool binds) {
  const auto map = binds ? bound(bind) : Result<Value>(Value::of_map({}));
  if (!map) {
    return complain(map.error());
  }
  expression::Declarations names;
  for (std::size_t i = 0; i < map->as_map().size(); ++i) {
    names.add(std::string(map->as_map()[i].first.as_string()), static_cast<expression::Slot>(i));
  }
  const auto program = expression::Program::compile(text, names);
  const auto value = program ? program->evaluate(Bound(*map)) : program.error();
  if (!value) {
    return complain(of_expression(value.error(), text));
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
  command->footer(
      "The exit code is 2 where the expression cannot be read or its types do not fit, 1 where it "
      "fails.\n\nExample:\n  skein eval 'x.filter(n, n > limit)' --bind "
      "'{\"x\":[1,5],\"limit\":3}'");
  command->callback([wanted, command, &chosen] {
    const bool binds = command->get_option("--bind")->count() > 0;
    chosen = [wanted, binds](const Context& context) {
      return eval(context, wanted->text, wanted->bind, binds);
    };
  });
}

} // namespace skein::cli
