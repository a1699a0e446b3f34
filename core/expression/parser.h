#pragma once

#include <optional>

#include "core/expression/lexer.h"
#include "core/expression/syntax.h"

namespace skein::expression {

/// Recursive descent over CEL's grammar; macros become nodes of their own as they are met.
/// Source: CEL language definition, "Syntax".
class Parser {
 public:
  Parser(std::string_view text, const Limits& limits);

  /// Errors: expression_syntax, expression_limit; detail ends with "at LINE:COLUMN".
  Result<Node> run();

 private:
  // Each sets node and returns true, or sets error_ and returns false.
  bool expression(Node& node);
  bool chain(Node& node, Op op, std::string_view sign, bool (Parser::*next)(Node&));
  bool disjunction(Node& node);
  bool conjunction(Node& node);
  bool relation(Node& node);
  bool sum(Node& node);
  bool product(Node& node);
  bool unary(Node& node);
  bool negated(Node& node, std::string_view sign, std::size_t count, std::uint32_t at);
  bool member(Node& node);
  bool selection(Node& node);
  bool subscript(Node& node);
  bool primary(Node& node);
  bool named(Node& node);
  bool list(Node& node);
  bool map(Node& node);
  bool arguments(std::vector<Node>& into, std::string_view end);

  // macros.cc: 0 where the call is no macro, 1 where it was made one, -1 on an error.
  int macro(Node& call);
  int has_macro(Node& call);
  int walk_macro(Node& call);
  int bind_macro(Node& call);
  int optional_macro(Node& call);
  bool take_variable(Node& call, Node& from, Node& into);

  bool advance();
  bool is(std::string_view sign) const { return now_.token == Token::sign && now_.text == sign; }
  bool take(std::string_view sign, bool& taken);
  bool expect(std::string_view sign);
  bool finish(Node& node); ///< computes the depth, checks the limit
  bool binary(Node& left, std::string_view function, std::uint32_t at, Node right);
  bool fail(Code code, std::string what, std::size_t at);
  bool unexpected(std::string_view wanted);

  std::string_view text_;
  Limits limits_;
  Lexer lexer_;
  Lexeme now_;
  std::size_t nesting_ = 0;
  std::optional<Error> error_;
};

} // namespace skein::expression
