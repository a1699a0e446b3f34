#include <algorithm>
#include <iterator>

#include "core/expression/evaluator.h"
#include "core/expression/lexer.h"
#include "core/expression/program.h"
#include "core/value/json.h"
#include "core/value/text.h"
#include "core/value/utf8.h"

namespace skein::expression {

/// One place of the tree: a constant, a string with parts, or a container of nodes.
struct Template::Node {
  struct Part {
    std::string text;
    std::optional<Program> program; ///< in place of the text
  };

  Value constant;          ///< where there are neither parts nor children
  std::vector<Part> parts; ///< one program alone keeps the type of its value
  std::vector<Node> items;
  std::vector<std::pair<Value, Node>> entries;
  std::string pointer; ///< where in the tree, for errors

  bool is_constant() const { return parts.empty() && items.empty() && entries.empty(); }
};

namespace {

using Node = Template::Node;

Error located(const Error& error, const std::string& pointer) {
  return {error.code, error.detail + (pointer.empty() ? "" : " in " + pointer), error.hint};
}

// Where the expression that starts here ends: the offset of the } that no { of its own opened.
Result<std::size_t> end_of_expression(std::string_view text, std::size_t from) {
  Lexer lexer(text, from);
  std::size_t open = 0;
  for (;;) {
    auto lexeme = lexer.next();
    if (!lexeme) {
      return lexeme.error();
    }
    if (lexeme->token == Token::end) {
      return Error{Code::expression_syntax,
                   "\"${\" without its \"}\" at " + line_and_column(text, from - 2),
                   "write \"$${\" where you mean the characters themselves"};
    }
    if (lexeme->token == Token::sign && lexeme->text == "{") {
      ++open;
    }
    if (lexeme->token == Token::sign && lexeme->text == "}" && open-- == 0) {
      return static_cast<std::size_t>(lexeme->at);
    }
  }
}

class Compiler {
 public:
  Compiler(const Declarations& declarations, const Options& options, std::size_t* wrong_at)
      : declarations_(declarations), options_(options), wrong_at_(wrong_at) {}

  Result<Node> compile(const Value& value, const std::string& pointer) {
    constexpr std::uint32_t kDeepest = 64;
    if (value.depth() > kDeepest) {
      return Error{Code::expression_limit, "template nests deeper than 64 levels"};
    }
    switch (value.kind()) {
      case Kind::string:
        return compile_text(value, pointer);
      case Kind::list:
        return compile_list(value, pointer);
      case Kind::map:
        return compile_map(value, pointer);
      default:
        return constant(value);
    }
  }

 private:
  static Node constant(const Value& value) {
    Node node;
    node.constant = value;
    return node;
  }

  Result<Node> compile_list(const Value& value, const std::string& pointer) {
    Node node;
    bool varies = false;
    for (std::size_t i = 0; i < value.as_list().size(); ++i) {
      auto item = compile(value.as_list()[i], pointer + "/" + std::to_string(i));
      if (!item) {
        return item;
      }
      varies = varies || !item->is_constant();
      node.items.push_back(std::move(*item));
    }
    return varies ? node : constant(Value::of_list(constants(node)));
  }

  static std::vector<Value> constants(const Node& node) {
    std::vector<Value> values;
    for (const Node& item : node.items) {
      values.push_back(item.constant);
    }
    return values;
  }

  Result<Node> compile_map(const Value& value, const std::string& pointer) {
    Node node;
    bool varies = false;
    for (const auto& [key, entry] : value.as_map()) {
      auto item = compile(entry, pointer + "/" + step_of(key));
      if (!item) {
        return item;
      }
      varies = varies || !item->is_constant();
      node.entries.emplace_back(key, std::move(*item));
    }
    if (varies) {
      return node;
    }
    std::vector<MapEntry> entries;
    for (const auto& [key, item] : node.entries) {
      entries.emplace_back(key, item.constant);
    }
    return constant(Value::of_map(std::move(entries)));
  }

  // One step of a JSON pointer. Source: RFC 6901.
  static std::string step_of(const Value& key) {
    std::string text;
    append_text(text, key);
    std::string step;
    for (const char c : text) {
      step += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    }
    return step;
  }

  Result<Node> compile_text(const Value& value, const std::string& pointer) {
    const std::string_view text = value.as_string();
    if (text.find("${") == std::string_view::npos) {
      return constant(value);
    }
    Node node;
    node.pointer = pointer;
    std::string plain;
    for (std::size_t at = 0; at < text.size();) {
      if (text.substr(at).starts_with("$${")) {
        plain += "${";
        at += 3;
      } else if (text.substr(at).starts_with("${")) {
        flush(node, plain);
        const auto end = end_of_expression(text, at + 2);
        if (!end) {
          return wrong(with_escape(end.error(), "", false), at, pointer);
        }
        const std::string_view written = text.substr(at + 2, *end - at - 2);
        auto program = Program::compile(written, declarations_, options_);
        if (!program) {
          return wrong(with_escape(program.error(), written, written.size() + 3 == text.size()), at,
                       pointer);
        }
        node.parts.push_back({{}, std::move(*program)});
        at = *end + 1;
      } else {
        plain += text[at++];
      }
    }
    flush(node, plain);
    const bool programs = std::ranges::any_of(
        node.parts, [](const Node::Part& part) { return part.program.has_value(); });
    return programs ? node : constant(Value(node.parts[0].text));
  }

  Error wrong(const Error& error, std::size_t at, const std::string& pointer) const {
    if (wrong_at_ != nullptr) {
      *wrong_at_ = at;
    }
    return located(error, pointer);
  }

  // ${NAME:-text}, ${NAME%.*} and their like.
  static bool is_of_a_shell(std::string_view written) {
    constexpr std::string_view kNameAndMore =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    const std::size_t end = written.find_first_not_of(kNameAndMore);
    return end != std::string_view::npos &&
           std::string_view(":%#/^,").find(written[end]) != std::string_view::npos;
  }

  // ${HOME} of a script is most often meant for the shell. `alone`: it is all of the text.
  static Error with_escape(Error error, std::string_view written, bool alone) {
    const auto of_a_name = [&](char c) {
      return (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9') ||
             (!alone && c >= 'a' && c <= 'z');
    };
    const bool name =
        error.detail.starts_with("unknown name") && std::ranges::all_of(written, of_a_name);
    if (name) {
      error.hint += (error.hint.empty() ? "" : "; ") + ("write $${" + std::string(written)) +
                    "} for the characters themselves";
    } else if (error.code == Code::expression_syntax && error.hint.empty() &&
               is_of_a_shell(written)) {
      error.hint = "write \"$${\" where you mean the characters themselves";
    }
    return error;
  }

  static void flush(Node& node, std::string& plain) {
    if (!plain.empty()) {
      node.parts.push_back({std::move(plain), std::nullopt});
      plain.clear();
    }
  }

  const Declarations& declarations_;
  const Options& options_;
  std::size_t* wrong_at_;
};

Result<Value> evaluate_text(const Node& node, const Activation& activation) {
  std::string text;
  for (const Node::Part& part : node.parts) {
    if (!part.program) {
      text += part.text;
      continue;
    }
    auto value = part.program->evaluate(activation);
    if (!value) {
      return located(value.error(), node.pointer);
    }
    if (node.parts.size() == 1) {
      return value;
    }
    if (value->is(Kind::bytes) && !valid_utf8(value->as_string())) {
      return located({Code::expression_evaluation, "bytes in a text are no UTF-8"}, node.pointer);
    }
    append_shown(text, *value);
  }
  return Value(text);
}

Result<Value> evaluate_node(const Node& node, const Activation& activation) {
  if (!node.parts.empty()) {
    return evaluate_text(node, activation);
  }
  if (!node.items.empty()) {
    std::vector<Value> items;
    items.reserve(node.items.size());
    for (const Node& item : node.items) {
      auto value = evaluate_node(item, activation);
      if (!value) {
        return value;
      }
      items.push_back(std::move(*value));
    }
    return Value::take_list(items);
  }
  if (!node.entries.empty()) {
    std::vector<MapEntry> entries;
    entries.reserve(node.entries.size());
    for (const auto& [key, item] : node.entries) {
      auto value = evaluate_node(item, activation);
      if (!value) {
        return value;
      }
      entries.emplace_back(key, std::move(*value));
    }
    return Value::of_map(std::move(entries));
  }
  return node.constant;
}

void collect_slots(const Node& node, std::vector<Slot>& into) {
  for (const Node::Part& part : node.parts) {
    if (part.program) {
      std::ranges::copy(part.program->slots(), std::back_inserter(into));
    }
  }
  for (const Node& item : node.items) {
    collect_slots(item, into);
  }
  for (const auto& [key, item] : node.entries) {
    collect_slots(item, into);
  }
}

} // namespace

Result<Template> Template::compile(const Value& tree, const Declarations& declarations,
                                   const Options& options, std::size_t* wrong_at) {
  auto root = Compiler(declarations, options, wrong_at).compile(tree, "");
  if (!root) {
    return root.error();
  }
  return Template(std::make_shared<const Node>(std::move(*root)));
}

Template::Template() : root_(std::make_shared<const Node>()) {}

Result<Value> Template::evaluate(const Activation& activation) const {
  auto value = evaluate_node(*root_, activation);
  const auto bounded = value ? check_extent(*value) : Result<void>();
  return bounded ? std::move(value) : Result<Value>(bounded.error());
}

bool Template::constant() const { return root_->is_constant(); }

std::vector<Slot> Template::slots() const {
  std::vector<Slot> slots;
  collect_slots(*root_, slots);
  std::ranges::sort(slots);
  slots.erase(std::ranges::unique(slots).begin(), slots.end());
  return slots;
}

} // namespace skein::expression
