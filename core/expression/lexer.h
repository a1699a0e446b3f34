#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/value/value.h"

namespace skein::expression {

enum class Token : std::uint8_t {
  end,
  literal, ///< a number, string, bytes, true, false or null; its value is in Lexeme::value
  name,
  reserved, ///< a word that may name a field but no variable
  quoted,   ///< `content-type`: the name of a field
  sign,     ///< an operator or bracket; its text says which
  in,
};

struct Lexeme {
  Token token = Token::end;
  std::uint32_t at = 0;  ///< offset in the text
  std::string_view text; ///< as written; of quoted, what is between the quotes
  Value value;
};

/// Cuts an expression into tokens, one at a time. The text outlives the lexer and its lexemes.
class Lexer {
 public:
  explicit Lexer(std::string_view text, std::size_t from = 0) : text_(text), at_(from) {}

  /// Errors: expression_syntax; the position is position().
  Result<Lexeme> next();

  /// Offset behind the last token; where an error is, its offset.
  std::size_t position() const { return at_; }

 private:
  void skip_space();
  Result<Lexeme> number();
  Result<Lexeme> word();
  Result<Lexeme> quoted_name();
  Result<Lexeme> string(std::size_t prefix);
  Result<Lexeme> sign();
  Result<void> escape(std::string& out, bool bytes);
  Result<char32_t> digits(std::size_t count, int radix);
  bool string_starts(std::size_t& prefix) const;
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  Lexeme made(Token token, std::size_t from, Value value = {}) const;
  Error error(std::string what) const { return Error{Code::expression_syntax, std::move(what)}; }

  std::string_view text_;
  std::size_t at_;
};

/// "3:14", counting code points from 1. REQUIRES: at <= text.size().
std::string line_and_column(std::string_view text, std::size_t at);

} // namespace skein::expression
