#include <algorithm>
#include <array>

#include "core/expression/parser.h"

namespace skein::expression {
namespace {

struct Walk {
  std::string_view name;
  Op op;
  std::size_t variables;
  bool may_filter; ///< whether a condition may stand before the result
};

constexpr std::array kWalks{Walk{".all", Op::all, 1, false},
                            Walk{".all", Op::all, 2, false},
                            Walk{".exists", Op::exists, 1, false},
                            Walk{".exists", Op::exists, 2, false},
                            Walk{".exists_one", Op::exists_one, 1, false},
                            Walk{".exists_one", Op::exists_one, 2, false},
                            Walk{".existsOne", Op::exists_one, 1, false},
                            Walk{".existsOne", Op::exists_one, 2, false},
                            Walk{".map", Op::map_items, 1, true},
                            Walk{".filter", Op::filter, 1, false},
                            Walk{".transformList", Op::map_items, 2, true},
                            Walk{".transformMap", Op::transform_map, 2, true},
                            Walk{".transformMapEntry", Op::transform_entry, 2, true}};

// How the rest of the language would spell the target of a call: "cel" of cel.bind(…).
bool is_name(const Node& node, std::string_view name) {
  return node.op == Op::name && !node.flag && node.value.as_string() == name;
}

} // namespace

int Parser::macro(Node& call) {
  for (const auto expand :
       {&Parser::has_macro, &Parser::walk_macro, &Parser::bind_macro, &Parser::optional_macro}) {
    if (const int done = (this->*expand)(call); done != 0) {
      return done;
    }
  }
  return 0;
}

bool Parser::take_variable(Node& call, Node& from, Node& into) {
  if (from.op != Op::name || from.flag) {
    return fail(Code::expression_syntax,
                "the variable of " + std::string(call.value.as_string().substr(1)) +
                    "() must be a simple name",
                from.at);
  }
  into.variables.emplace_back(from.value.as_string());
  return true;
}

int Parser::has_macro(Node& call) {
  if (call.value.as_string() != "has" || call.kids.size() != 1 || call.flag) {
    return 0;
  }
  Node field = std::move(call.kids[0]);
  if (field.op != Op::select || field.flag) {
    fail(Code::expression_syntax, "has() needs a field, as in has(a.b)", field.at);
    return -1;
  }
  field.op = Op::has;
  call = std::move(field);
  return 1;
}

int Parser::walk_macro(Node& call) {
  const std::string_view name = call.value.as_string();
  for (const Walk& walk : kWalks) {
    const std::size_t least = 1 + walk.variables + 1;
    const std::size_t most = least + (walk.may_filter ? 1 : 0);
    if (walk.name != name || call.kids.size() < least || call.kids.size() > most) {
      continue;
    }
    Node made;
    made.op = walk.op;
    made.at = call.at;
    made.flag = walk.variables == 2;
    made.kids.push_back(std::move(call.kids[0]));
    for (std::size_t i = 0; i < walk.variables; ++i) {
      if (!take_variable(call, call.kids[1 + i], made)) {
        return -1;
      }
    }
    if (made.flag && made.variables[0] == made.variables[1]) {
      fail(Code::expression_syntax, "the two variables are both \"" + made.variables[0] + "\"",
           call.kids[2].at);
      return -1;
    }
    std::move(call.kids.begin() + static_cast<std::ptrdiff_t>(1 + walk.variables), call.kids.end(),
              std::back_inserter(made.kids));
    call = std::move(made);
    return 1;
  }
  return 0;
}

int Parser::bind_macro(Node& call) {
  if (call.value.as_string() != ".bind" || call.kids.size() != 4 || !is_name(call.kids[0], "cel")) {
    return 0;
  }
  Node made;
  made.op = Op::bind;
  made.at = call.at;
  if (!take_variable(call, call.kids[1], made)) {
    return -1;
  }
  made.kids.push_back(std::move(call.kids[2]));
  made.kids.push_back(std::move(call.kids[3]));
  call = std::move(made);
  return 1;
}

int Parser::optional_macro(Node& call) {
  const std::string_view name = call.value.as_string();
  if ((name == ".orValue" || name == ".or") && call.kids.size() == 2) {
    call.op = name == ".or" ? Op::or_optional : Op::or_value;
    return 1;
  }
  if ((name != ".optMap" && name != ".optFlatMap") || call.kids.size() != 3) {
    return 0;
  }
  Node made;
  made.op = name == ".optMap" ? Op::opt_map : Op::opt_flat_map;
  made.at = call.at;
  if (!take_variable(call, call.kids[1], made)) {
    return -1;
  }
  made.kids.push_back(std::move(call.kids[0]));
  made.kids.push_back(std::move(call.kids[2]));
  call = std::move(made);
  return 1;
}

} // namespace skein::expression
