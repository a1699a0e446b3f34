#include "core/expression/parser.h"

#include <algorithm>
#include <array>

#include "core/value/utf8.h"

namespace skein::expression {
namespace {

constexpr std::size_t kDeepest = 1000; // what the stack of a small thread carries

Node call(std::string_view function, std::uint32_t at) {
  Node node;
  node.op = Op::call;
  node.at = at;
  node.value = Value(function);
  return node;
}

Node literal(Lexeme& lexeme) {
  Node node;
  node.at = lexeme.at;
  node.value = std::move(lexeme.value);
  return node;
}

} // namespace

Parser::Parser(std::string_view text, const Limits& limits)
    : text_(text), limits_(limits), lexer_(text) {
  limits_.max_depth = std::min(limits_.max_depth, kDeepest);
}

Result<Node> Parser::run() {
  Node node;
  if (text_.size() > limits_.max_bytes) {
    return Error{Code::expression_limit, "expression of " + std::to_string(text_.size()) +
                                             " bytes is longer than " +
                                             std::to_string(limits_.max_bytes) + " at 1:1"};
  }
  if (!valid_utf8(text_)) {
    return Error{Code::expression_syntax, "expression is not UTF-8 at 1:1"};
  }
  if (!advance() || !expression(node) || (now_.token != Token::end && !unexpected("an operator"))) {
    return std::move(*error_);
  }
  return node;
}

bool Parser::fail(Code code, std::string what, std::size_t at) {
  if (!error_) {
    error_.emplace(code, std::move(what) + " at " + line_and_column(text_, at));
  }
  return false;
}

bool Parser::unexpected(std::string_view wanted) {
  const std::string found =
      now_.token == Token::end ? "the end" : "\"" + std::string(now_.text) + "\"";
  return fail(Code::expression_syntax, "expected " + std::string(wanted) + ", found " + found,
              now_.at);
}

bool Parser::advance() {
  auto lexeme = lexer_.next();
  if (!lexeme) {
    return fail(Code::expression_syntax, lexeme.error().detail,
                std::min(lexer_.position(), text_.size()));
  }
  now_ = std::move(*lexeme);
  return true;
}

bool Parser::take(std::string_view sign, bool& taken) {
  taken = is(sign);
  return !taken || advance();
}

bool Parser::expect(std::string_view sign) {
  return is(sign) ? advance() : unexpected("\"" + std::string(sign) + "\"");
}

bool Parser::finish(Node& node) {
  std::uint16_t deepest = 0;
  for (const Node& kid : node.kids) {
    deepest = std::max(deepest, kid.depth);
  }
  node.depth = static_cast<std::uint16_t>(deepest + 1);
  return node.depth <= limits_.max_depth ||
         fail(Code::expression_limit,
              "expression nests deeper than " + std::to_string(limits_.max_depth) + " levels",
              node.at);
}

bool Parser::binary(Node& left, std::string_view function, std::uint32_t at, Node right) {
  Node node = call(function, at);
  node.op = function == "_==_" ? Op::equal : function == "_!=_" ? Op::unequal : Op::call;
  node.kids.push_back(std::move(left));
  node.kids.push_back(std::move(right));
  left = std::move(node);
  return finish(left);
}

bool Parser::expression(Node& node) {
  if (++nesting_ > limits_.max_depth) {
    return fail(Code::expression_limit,
                "expression nests deeper than " + std::to_string(limits_.max_depth) + " levels",
                now_.at);
  }
  if (!disjunction(node)) {
    return false;
  }
  if (is("?")) {
    Node choice;
    choice.op = Op::conditional;
    choice.at = now_.at;
    choice.kids.resize(3);
    if (!advance() || !disjunction(choice.kids[1]) || !expect(":") || !expression(choice.kids[2])) {
      return false;
    }
    choice.kids[0] = std::move(node);
    node = std::move(choice);
    if (!finish(node)) {
      return false;
    }
  }
  --nesting_;
  return true;
}

bool Parser::chain(Node& node, Op op, std::string_view sign, bool (Parser::*next)(Node&)) {
  if (!(this->*next)(node)) {
    return false;
  }
  if (!is(sign)) {
    return true;
  }
  Node all;
  all.op = op;
  all.at = now_.at;
  all.kids.push_back(std::move(node));
  while (is(sign)) {
    Node more;
    if (!advance() || !(this->*next)(more)) {
      return false;
    }
    all.kids.push_back(std::move(more));
  }
  node = std::move(all);
  return finish(node);
}

bool Parser::disjunction(Node& node) { return chain(node, Op::any_of, "||", &Parser::conjunction); }

bool Parser::conjunction(Node& node) { return chain(node, Op::all_of, "&&", &Parser::relation); }

bool Parser::relation(Node& node) {
  constexpr std::array<std::string_view, 6> kSigns{"==", "!=", "<", "<=", ">", ">="};
  if (!sum(node)) {
    return false;
  }
  while (now_.token == Token::in || std::ranges::any_of(kSigns, [&](auto s) { return is(s); })) {
    const std::string function =
        now_.token == Token::in ? "@in" : "_" + std::string(now_.text) + "_";
    const std::uint32_t at = now_.at;
    Node right;
    if (!advance() || !sum(right) || !binary(node, function, at, std::move(right))) {
      return false;
    }
  }
  return true;
}

bool Parser::sum(Node& node) {
  if (!product(node)) {
    return false;
  }
  while (is("+") || is("-")) {
    const std::string_view function = is("+") ? "_+_" : "_-_";
    const std::uint32_t at = now_.at;
    Node right;
    if (!advance() || !product(right) || !binary(node, function, at, std::move(right))) {
      return false;
    }
  }
  return true;
}

bool Parser::product(Node& node) {
  if (!unary(node)) {
    return false;
  }
  while (is("*") || is("/") || is("%")) {
    const std::string_view function = is("*") ? "_*_" : is("/") ? "_/_" : "_%_";
    const std::uint32_t at = now_.at;
    Node right;
    if (!advance() || !unary(right) || !binary(node, function, at, std::move(right))) {
      return false;
    }
  }
  return true;
}

bool Parser::unary(Node& node) {
  const std::uint32_t at = now_.at;
  std::size_t count = 0;
  const std::string_view sign = is("!") ? "!" : "-";
  while (is(sign)) {
    ++count;
    if (!advance()) {
      return false;
    }
  }
  return count == 0 ? member(node) : negated(node, sign, count, at);
}

bool Parser::negated(Node& node, std::string_view sign, std::size_t count, std::uint32_t at) {
  constexpr std::uint64_t kLeast = 1ULL << 63; // of an int, without its sign
  const bool number = sign == "-" && now_.token == Token::literal &&
                      (now_.value.is(Kind::integer) || now_.value.is(Kind::real) ||
                       (now_.value.is(Kind::uinteger) && (now_.text.back() | 0x20) != 'u'));
  if (number) {
    const bool least = now_.value.is(Kind::uinteger) && now_.value.as_uint() == kLeast;
    if (now_.value.is(Kind::integer)) {
      now_.value = Value(-now_.value.as_int());
    } else if (now_.value.is(Kind::real)) {
      now_.value = Value(-now_.value.as_double());
    } else if (least) {
      now_.value = Value(INT64_MIN);
    }
    --count;
  }
  if (!member(node)) {
    return false;
  }
  if (count % 2 == 0) {
    return true;
  }
  Node negation = call(sign == "!" ? "!_" : "-_", at);
  negation.kids.push_back(std::move(node));
  node = std::move(negation);
  return finish(node);
}

bool Parser::member(Node& node) {
  if (!primary(node)) {
    return false;
  }
  while (is(".") || is("[")) {
    if (is(".") ? !selection(node) : !subscript(node)) {
      return false;
    }
  }
  return is("{") && (node.op == Op::name || node.op == Op::select)
             ? fail(Code::expression_syntax, "messages are not supported; use a map", now_.at)
             : true;
}

bool Parser::selection(Node& node) {
  Node made;
  made.op = Op::select;
  made.at = now_.at;
  if (!advance() || !take("?", made.flag)) {
    return false;
  }
  const bool quoted = now_.token == Token::quoted;
  if (!quoted && now_.token != Token::name && now_.token != Token::reserved) {
    return unexpected("a field or a function");
  }
  made.at = now_.at;
  made.value = Value(now_.text);
  if (!advance()) {
    return false;
  }
  made.kids.push_back(std::move(node));
  if (!is("(") || quoted || made.flag) {
    node = std::move(made);
    return finish(node);
  }
  made.op = Op::call;
  made.value = Value("." + std::string(made.value.as_string()));
  if (!advance() || !arguments(made.kids, ")")) {
    return false;
  }
  node = std::move(made);
  const int expanded = macro(node);
  return expanded >= 0 && finish(node);
}

bool Parser::subscript(Node& node) {
  Node made;
  made.op = Op::index;
  made.at = now_.at;
  made.kids.resize(2);
  if (!advance() || !take("?", made.flag) || !expression(made.kids[1]) || !expect("]")) {
    return false;
  }
  made.kids[0] = std::move(node);
  node = std::move(made);
  return finish(node);
}

bool Parser::arguments(std::vector<Node>& into, std::string_view end) {
  while (!is(end)) {
    Node argument;
    bool more = false;
    if (!expression(argument)) {
      return false;
    }
    into.push_back(std::move(argument));
    if (!take(",", more)) {
      return false;
    }
    if (!more) {
      break;
    }
    if (is(end)) {
      return unexpected("an argument");
    }
  }
  return expect(end);
}

bool Parser::primary(Node& node) {
  if (now_.token == Token::literal) {
    if (now_.value.is(Kind::uinteger) && (now_.text.back() | 0x20) != 'u') {
      return fail(Code::expression_syntax,
                  "number " + std::string(now_.text) + " is beyond the range of int", now_.at);
    }
    node = literal(now_);
    return advance();
  }
  if (is("(")) {
    return advance() && expression(node) && expect(")");
  }
  if (is("[")) {
    return list(node);
  }
  return is("{") ? map(node) : named(node);
}

bool Parser::named(Node& node) {
  node.op = Op::name;
  node.at = now_.at;
  if (!take(".", node.flag)) {
    return false;
  }
  if (now_.token == Token::reserved) {
    return fail(Code::expression_syntax, "\"" + std::string(now_.text) + "\" is a reserved word",
                now_.at);
  }
  if (now_.token != Token::name) {
    return unexpected("a value");
  }
  node.value = Value(now_.text);
  if (!advance()) {
    return false;
  }
  if (!is("(")) {
    return true;
  }
  node.op = Op::call;
  if (!advance() || !arguments(node.kids, ")")) {
    return false;
  }
  const int expanded = macro(node);
  return expanded >= 0 && finish(node);
}

bool Parser::list(Node& node) {
  node.op = Op::list;
  node.at = now_.at;
  bool more = true;
  if (!advance()) {
    return false;
  }
  while (more && !is("]")) {
    Node item;
    bool maybe = false;
    if (!take("?", maybe) || !expression(item) || !take(",", more)) {
      return false;
    }
    item.maybe = maybe;
    node.kids.push_back(std::move(item));
  }
  return expect("]") && finish(node);
}

bool Parser::map(Node& node) {
  node.op = Op::map;
  node.at = now_.at;
  bool more = true;
  if (!advance()) {
    return false;
  }
  while (more && !is("}")) {
    Node key;
    Node value;
    bool maybe = false;
    if (!take("?", maybe) || !expression(key) || !expect(":") || !expression(value) ||
        !take(",", more)) {
      return false;
    }
    key.maybe = maybe;
    node.kids.push_back(std::move(key));
    node.kids.push_back(std::move(value));
  }
  return expect("}") && finish(node);
}

} // namespace skein::expression
