#include "core/expression/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/value/utf8.h"

namespace skein::expression {
namespace {

constexpr std::array<std::string_view, 17> kReserved{
    "as",  "break", "const",   "continue",  "else",   "for", "function", "if",   "import",
    "let", "loop",  "package", "namespace", "return", "var", "void",     "while"};

constexpr std::array<std::string_view, 6> kLongSigns{"&&", "||", "==", "!=", "<=", ">="};
constexpr std::string_view kSigns = "()[]{}.,:?!-+*/%<>";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_hex(char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }

} // namespace

Lexeme Lexer::made(Token token, std::size_t from, Value value) const {
  return {token, static_cast<std::uint32_t>(from), text_.substr(from, at_ - from),
          std::move(value)};
}

void Lexer::skip_space() {
  while (at_ < text_.size()) {
    if (peek() == '/' && peek(1) == '/') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (std::string_view(" \t\n\r\f").find(peek()) != std::string_view::npos &&
               peek() != '\0') {
      ++at_;
    } else {
      return;
    }
  }
}

Result<Lexeme> Lexer::next() {
  skip_space();
  if (at_ >= text_.size()) {
    return made(Token::end, at_);
  }
  std::size_t prefix = 0;
  if (string_starts(prefix)) {
    return string(prefix);
  }
  if (is_digit(peek()) || (peek() == '.' && is_digit(peek(1)))) {
    return number();
  }
  if (is_letter(peek())) {
    return word();
  }
  return peek() == '`' ? quoted_name() : sign();
}

// A quote, behind at most one r and one b in any order and case.
bool Lexer::string_starts(std::size_t& prefix) const {
  bool raw = false;
  bool bytes = false;
  for (prefix = 0;; ++prefix) {
    const char c = static_cast<char>(peek(prefix) | 0x20);
    if (c == 'r' && !raw) {
      raw = true;
    } else if (c == 'b' && !bytes) {
      bytes = true;
    } else {
      return peek(prefix) == '"' || peek(prefix) == '\'';
    }
  }
}

Result<Lexeme> Lexer::number() {
  const std::size_t from = at_;
  const bool hex = peek() == '0' && (peek(1) | 0x20) == 'x' && is_hex(peek(2));
  bool real = false;
  if (hex) {
    at_ += 2;
    while (is_hex(peek())) {
      ++at_;
    }
  } else {
    const auto skip = [&] {
      while (is_digit(peek())) {
        ++at_;
      }
    };
    skip();
    if (peek() == '.' && is_digit(peek(1))) {
      real = true;
      ++at_;
      skip();
    }
    const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if ((peek() | 0x20) == 'e' && is_digit(peek(1 + sign))) {
      real = true;
      at_ += 1 + sign;
      skip();
    }
  }
  const std::string_view digits = text_.substr(from, at_ - from);
  if (real) {
    double value = 0;
    const auto failed =
        std::from_chars(digits.begin(), digits.end(), value, std::chars_format::general).ec;
    const bool tiny = digits.find("e-") != std::string_view::npos ||
                      digits.find("E-") != std::string_view::npos || digits.starts_with('.') ||
                      digits.starts_with("0.");
    if (failed != std::errc{} && !tiny) {
      return error("number " + std::string(digits) + " is beyond the range of a double");
    }
    return made(Token::literal, from, Value(failed != std::errc{} ? 0.0 : value));
  }
  std::uint64_t value = 0;
  const auto failed =
      std::from_chars(digits.begin() + (hex ? 2 : 0), digits.end(), value, hex ? 16 : 10).ec;
  const bool is_unsigned = (peek() | 0x20) == 'u';
  at_ += is_unsigned ? 1 : 0;
  if (failed != std::errc{}) {
    return error("number " + std::string(digits) + " is beyond 64 bits");
  }
  // Above the largest int it stays a uint that only a minus sign makes right; the parser decides.
  return made(Token::literal, from,
              is_unsigned || value > INT64_MAX ? Value::of_uint(value)
                                               : Value(static_cast<std::int64_t>(value)));
}

Result<Lexeme> Lexer::word() {
  const std::size_t from = at_;
  while (is_letter(peek()) || is_digit(peek())) {
    ++at_;
  }
  const std::string_view text = text_.substr(from, at_ - from);
  if (text == "true" || text == "false") {
    return made(Token::literal, from, Value(text == "true"));
  }
  if (text == "null") {
    return made(Token::literal, from);
  }
  if (text == "in") {
    return made(Token::in, from);
  }
  const bool reserved = std::ranges::find(kReserved, text) != kReserved.end();
  return made(reserved ? Token::reserved : Token::name, from);
}

Result<Lexeme> Lexer::quoted_name() {
  const std::size_t from = at_++;
  while (is_letter(peek()) || is_digit(peek()) || peek() == '.' || peek() == '-' || peek() == '/' ||
         peek() == ' ') {
    ++at_;
  }
  if (peek() != '`' || at_ == from + 1) {
    at_ = from;
    return error("a name in backquotes has letters, digits, '_', '.', '-', '/' or ' ', and an end");
  }
  ++at_;
  Lexeme lexeme = made(Token::quoted, from);
  lexeme.text = lexeme.text.substr(1, lexeme.text.size() - 2);
  return lexeme;
}

Result<Lexeme> Lexer::sign() {
  const std::size_t from = at_;
  for (const std::string_view sign : kLongSigns) {
    if (text_.substr(at_).starts_with(sign)) {
      at_ += sign.size();
      return made(Token::sign, from);
    }
  }
  if (kSigns.find(peek()) != std::string_view::npos) {
    ++at_;
    return made(Token::sign, from);
  }
  const CodePoint found = decode_utf8(text_.substr(at_, 4));
  return error("unexpected \"" +
               std::string(text_.substr(at_, std::max<std::size_t>(1, found.size))) + "\"");
}

Result<Lexeme> Lexer::string(std::size_t prefix) {
  const std::size_t from = at_;
  const std::string_view marks = text_.substr(at_, prefix);
  const bool raw = marks.find_first_of("rR") != std::string_view::npos;
  const bool bytes = marks.find_first_of("bB") != std::string_view::npos;
  at_ += prefix;
  const char quote = peek();
  const bool triple = peek(1) == quote && peek(2) == quote;
  const std::string end(triple ? 3 : 1, quote);
  at_ += end.size();
  std::string out;
  while (!text_.substr(at_).starts_with(end)) {
    if (at_ >= text_.size() || (!triple && (peek() == '\n' || peek() == '\r'))) {
      at_ = from;
      return error("string without an end");
    }
    if (peek() == '\\' && !raw) {
      if (auto done = escape(out, bytes); !done) {
        return done.error();
      }
      continue;
    }
    out.push_back(text_[at_++]);
  }
  at_ += end.size();
  return made(Token::literal, from, bytes ? Value::of_bytes(out) : Value(out));
}

Result<char32_t> Lexer::digits(std::size_t count, int radix) {
  const std::string_view text = text_.substr(std::min(at_, text_.size()), count);
  std::uint32_t value = 0;
  const auto [end, failed] = std::from_chars(text.begin(), text.end(), value, radix);
  if (failed != std::errc{} || text.size() != count || end != text.end()) {
    return error("escape needs " + std::to_string(count) + " digits");
  }
  at_ += count;
  return static_cast<char32_t>(value);
}

Result<void> Lexer::escape(std::string& out, bool bytes) {
  constexpr std::string_view kLetters = "abfnrtv\\?\"'`";
  constexpr std::string_view kMeant = "\a\b\f\n\r\t\v\\?\"'`";
  const char letter = peek(1);
  if (const auto at = kLetters.find(letter); letter != '\0' && at != std::string_view::npos) {
    out.push_back(kMeant[at]);
    at_ += 2;
    return {};
  }
  const bool octal = letter >= '0' && letter <= '3';
  const bool hex = letter == 'x' || letter == 'X';
  const bool unicode = (letter == 'u' || letter == 'U') && !bytes;
  if (!octal && !hex && !unicode) {
    return error("unknown escape \"\\" + std::string(1, letter) + "\"");
  }
  at_ += octal ? 1 : 2;
  const auto code = digits(octal ? 3 : hex ? 2 : letter == 'u' ? 4 : 8, octal ? 8 : 16);
  if (!code) {
    return code.error();
  }
  if (*code > 0x10FFFF || (*code >= 0xD800 && *code < 0xE000)) {
    return error("escape is no Unicode code point");
  }
  if (bytes) {
    out.push_back(static_cast<char>(*code));
  } else {
    append_utf8(out, *code);
  }
  return {};
}

std::string line_and_column(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  const std::size_t line = 1 + static_cast<std::size_t>(std::ranges::count(before, '\n'));
  const std::size_t start =
      before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return std::to_string(line) + ":" + std::to_string(1 + count_code_points(before.substr(start)));
}

} // namespace skein::expression
