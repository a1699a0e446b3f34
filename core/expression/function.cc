#include "core/expression/function.h"

#include <algorithm>
#include <cmath>

#include "core/value/json.h"
#include "core/value/text.h"

namespace skein::expression {
namespace {

const std::vector<Overload>& table() {
  static const std::vector<Overload> sorted = [] {
    std::vector<Overload> all;
    for (const auto part :
         {operator_functions(), compare_functions(), convert_functions(), text_functions(),
          format_functions(), math_functions(), time_functions(), optional_functions()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    std::ranges::stable_sort(all, [](const Overload& a, const Overload& b) {
      return std::pair(a.name, a.count) < std::pair(b.name, b.count);
    });
    return all;
  }();
  return sorted;
}

} // namespace

std::span<const Overload> overloads_of(std::string_view name) {
  const auto found = std::ranges::equal_range(table(), name, {}, &Overload::name);
  return {found.begin(), found.end()};
}

std::span<const std::string_view> function_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all{
        "has",       "all",           "exists",     "exists_one",   "map",
        "filter",    "optMap",        "optFlatMap", "or",           "orValue",
        "existsOne", "transformList", "cel.bind",   "transformMap", "transformMapEntry"};
    for (const Overload& overload : table()) {
      if (overload.name.find_first_of("_@!") == std::string_view::npos) {
        all.push_back(shown_name(overload.name));
      }
    }
    return all;
  }();
  return names;
}

std::string_view shown_name(std::string_view function) {
  if (function.starts_with('.') || function.starts_with('@')) {
    function.remove_prefix(1);
  } else if (function.starts_with('_') && function.size() > 2) {
    function = function.substr(1, function.size() - 2);
  } else if (function == "-_" || function == "!_") {
    function.remove_suffix(1);
  }
  return function;
}

std::string kinds_text(std::span<const Value* const> arguments) {
  std::string text = "(";
  for (const Value* argument : arguments) {
    text += text.size() > 1 ? ", " : "";
    text += name_of(argument->kind());
  }
  return text + ")";
}

std::string kinds_text(Kinds kinds) {
  if (kinds == kAnyKind) {
    return "dyn";
  }
  std::string text;
  for (unsigned kind = 0; kind <= static_cast<unsigned>(Kind::optional); ++kind) {
    if ((kinds >> kind & 1) != 0) {
      text += text.empty() ? "" : " or ";
      text += name_of(static_cast<Kind>(kind));
    }
  }
  return text;
}

void append_shown(std::string& out, const Value& value) {
  if (value.is(Kind::list) || value.is(Kind::map) || value.is(Kind::optional)) {
    append_json(out, value);
  } else {
    append_text(out, value);
  }
}

} // namespace skein::expression
