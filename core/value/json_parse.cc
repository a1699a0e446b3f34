#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <vector>

#include "core/value/json.h"
#include "core/value/plain_text.h"
#include "core/value/text.h"
#include "core/value/utf8.h"

namespace skein {
namespace {

constexpr std::size_t kDeepest = 1000; // what the stack of a small thread carries

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The key as a value that is shared with the last equal key of this thread: objects repeat their
// keys, and a counted reference is cheaper than memory.
const Value& shared_key(std::string_view key) {
  constexpr std::size_t kPlaces = 256;
  constexpr std::size_t kLongest = 32;
  thread_local std::array<Value, kPlaces> known;
  thread_local Value long_key;
  if (key.empty() || key.size() > kLongest) {
    return long_key = Value(key);
  }
  const auto letter = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(key[i]));
  };
  const std::size_t place =
      (key.size() * 131 + letter(0) * 31 + letter(key.size() / 2) * 17 + letter(key.size() - 1)) %
      kPlaces;
  Value& there = known[place];
  if (!there.is(Kind::string) || there.as_string() != key) {
    there = Value(key);
  }
  return there;
}

// Finished parts of containers that are still open, so that a container is allocated once. Kept by
// the thread from text to text.
struct Scratch {
  std::vector<Value> items;
  std::vector<MapEntry> entries;

  void clear() {
    constexpr std::size_t kKept = 4096;
    items.clear();
    entries.clear();
    if (items.capacity() > kKept || entries.capacity() > kKept) {
      *this = Scratch{};
    }
  }
};

class Parser {
 public:
  Parser(std::string_view text, std::size_t max_depth)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()), max_depth_(max_depth) {}
  ~Parser() { scratch_.clear(); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  Result<Value> run() {
    Value value;
    skip_space();
    if (!parse_value(value, 0)) {
      return std::move(*error_);
    }
    skip_space();
    if (at_ != end_) {
      fail("text after the value");
      return std::move(*error_);
    }
    return value;
  }

 private:
  bool fail(std::string_view what) { return fail(Code::json_invalid, what, {}); }

  bool fail(Code code, std::string_view what, std::string hint) {
    error_.emplace(code, std::string(what) + " at byte " + std::to_string(at_ - begin_),
                   std::move(hint));
    return false;
  }

  char peek() const { return at_ != end_ ? *at_ : '\0'; }

  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) {
      ++at_;
    }
  }

  bool take(char c) {
    if (at_ == end_ || *at_ != c) {
      return false;
    }
    ++at_;
    return true;
  }

  bool parse_value(Value& out, std::size_t depth) {
    switch (peek()) {
      case '"':
        return parse_string(out);
      case '{':
        return parse_object(out, depth + 1);
      case '[':
        return parse_array(out, depth + 1);
      case 't':
        return parse_word("true", Value(true), out);
      case 'f':
        return parse_word("false", Value(false), out);
      case 'n':
        return parse_word("null", Value(), out);
      default:
        return parse_number(out);
    }
  }

  bool parse_word(std::string_view word, Value value, Value& out) {
    if (std::string_view(at_, static_cast<std::size_t>(end_ - at_)).substr(0, word.size()) !=
        word) {
      return fail("no JSON value");
    }
    at_ += word.size();
    out = std::move(value);
    return true;
  }

  bool enter(std::size_t depth) {
    if (depth <= max_depth_) {
      ++at_;
      skip_space();
      return true;
    }
    return fail(Code::json_limit,
                "JSON nests deeper than " + std::to_string(max_depth_) + " levels", {});
  }

  bool parse_array(Value& out, std::size_t depth) {
    if (!enter(depth)) {
      return false;
    }
    const std::size_t first = items_.size();
    if (!take(']')) {
      do {
        Value item;
        skip_space();
        if (!parse_value(item, depth)) {
          return false;
        }
        items_.push_back(std::move(item));
        skip_space();
      } while (take(','));
      if (!take(']')) {
        return fail("expected ',' or ']'");
      }
    }
    out = Value::take_list(std::span(items_).subspan(first));
    items_.resize(first);
    return true;
  }

  bool parse_object(Value& out, std::size_t depth) {
    if (!enter(depth)) {
      return false;
    }
    const std::size_t first = entries_.size();
    if (!take('}')) {
      do {
        MapEntry entry;
        if (!parse_entry(entry, depth)) {
          return false;
        }
        entries_.emplace_back(std::move(entry));
        skip_space();
      } while (take(','));
      if (!take('}')) {
        return fail("expected ',' or '}'");
      }
    }
    auto map = Value::take_map(std::span(entries_).subspan(first));
    if (!map) {
      return fail_duplicate(std::span(entries_).subspan(first));
    }
    out = std::move(*map);
    entries_.resize(first);
    return true;
  }

  bool parse_entry(MapEntry& entry, std::size_t depth) {
    skip_space();
    if (peek() != '"') {
      return fail("expected a key in quotes");
    }
    if (!parse_key(entry.first)) {
      return false;
    }
    skip_space();
    if (!take(':')) {
      return fail("expected ':'");
    }
    skip_space();
    return parse_value(entry.second, depth);
  }

  bool fail_duplicate(std::span<const MapEntry> sorted) {
    const auto twice = std::ranges::adjacent_find(
        sorted, [](const MapEntry& a, const MapEntry& b) { return a.first == b.first; });
    return fail("key \"" + std::string(twice->first.as_string()) +
                "\" is there twice in the object that ends");
  }

  // Whether the string is plain to its end, which is then passed; text is what was read.
  bool skip_plain(std::string_view& text) {
    ++at_;
    text = {at_, static_cast<std::size_t>(end_ - at_)};
    text = text.substr(0, plain_prefix(text, true));
    at_ += text.size();
    return take('"');
  }

  bool parse_key(Value& out) {
    std::string_view text;
    if (skip_plain(text)) {
      out = shared_key(text);
      return true;
    }
    text_ = text;
    return parse_rest_of_string(out);
  }

  bool parse_string(Value& out) {
    std::string_view text;
    if (skip_plain(text)) {
      out = Value(text);
      return true;
    }
    text_ = text;
    return parse_rest_of_string(out);
  }

  // From the first byte that is not plain ASCII.
  bool parse_rest_of_string(Value& out) {
    while (at_ != end_) {
      const auto c = static_cast<unsigned char>(*at_);
      if (c == '"') {
        ++at_;
        out = Value(text_);
        return true;
      }
      if (c == '\\') {
        if (!parse_escape()) {
          return false;
        }
      } else if (c < 0x20) {
        return fail("control character in a string");
      } else {
        const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
        const std::size_t size = c < 0x80 ? 1 : decode_utf8(rest.substr(0, 4)).size;
        if (size == 0) {
          return fail("invalid UTF-8");
        }
        text_.append(at_, size);
        at_ += size;
      }
    }
    return fail("string without an end");
  }

  bool parse_escape() {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    ++at_;
    if (peek() == 'u') {
      return parse_unicode_escape();
    }
    const std::size_t letter = at_ == end_ ? std::string_view::npos : kLetters.find(*at_);
    if (letter == std::string_view::npos) {
      return fail("unknown escape");
    }
    text_.push_back(kMeant[letter]);
    ++at_;
    return true;
  }

  bool parse_unicode_escape() {
    ++at_;
    char32_t unit = 0;
    if (!parse_hex(unit)) {
      return false;
    }
    if (unit >= 0xD800 && unit < 0xDC00) {
      char32_t low = 0;
      if (!take('\\') || !take('u')) {
        return fail("lone surrogate");
      }
      if (!parse_hex(low)) {
        return false;
      }
      if (low < 0xDC00 || low > 0xDFFF) {
        return fail("lone surrogate");
      }
      unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    } else if (unit >= 0xDC00 && unit < 0xE000) {
      return fail("lone surrogate");
    }
    append_utf8(text_, unit);
    return true;
  }

  bool parse_hex(char32_t& out) {
    std::uint32_t unit = 0;
    const char* const stop = end_ - at_ < 4 ? end_ : at_ + 4;
    const auto [end, failed] = std::from_chars(at_, stop, unit, 16);
    if (failed != std::errc{} || end - at_ != 4) {
      return fail("\\u needs four hexadecimal digits");
    }
    at_ = end;
    out = unit;
    return true;
  }

  bool parse_number(Value& out) {
    const char* const start = at_;
    take('-');
    if (!is_digit(peek())) {
      at_ = start;
      return fail(at_ == end_ ? "unexpected end" : "no JSON value");
    }
    if (take('0')) {
      if (is_digit(peek())) {
        return fail("number with a leading zero");
      }
    } else {
      skip_digits();
    }
    const bool whole = peek() != '.' && (peek() | 0x20) != 'e';
    if (take('.') && !skip_digits()) {
      return fail("number without digits after its point");
    }
    if (at_ != end_ && (*at_ | 0x20) == 'e') {
      ++at_;
      if (!take('+')) {
        take('-');
      }
      if (!skip_digits()) {
        return fail("number without digits in its exponent");
      }
    }
    return whole ? read_whole(start, out) : read_double(start, out);
  }

  bool skip_digits() {
    const char* const start = at_;
    while (is_digit(peek())) {
      ++at_;
    }
    return at_ != start;
  }

  bool read_whole(const char* start, Value& out) {
    std::int64_t number = 0;
    if (std::from_chars(start, at_, number).ec == std::errc{}) {
      out = Value(number);
      return true;
    }
    std::uint64_t large = 0;
    if (std::from_chars(start, at_, large).ec == std::errc{}) {
      out = Value::of_uint(large);
      return true;
    }
    const std::string_view text(start, static_cast<std::size_t>(at_ - start));
    double real = 0;
    std::string canonical;
    if (std::from_chars(start, at_, real).ec == std::errc{}) {
      append_double(canonical, real);
    }
    if (canonical != text) {
      at_ = start;
      return fail(Code::json_invalid, "whole number that 64 bits cannot hold",
                  "write it as a string, or with a fraction to have it rounded");
    }
    out = Value(real);
    return true;
  }

  bool read_double(const char* start, Value& out) {
    double number = 0;
    if (std::from_chars(start, at_, number).ec == std::errc::result_out_of_range) {
      if (above_one(std::string_view(start, static_cast<std::size_t>(at_ - start)))) {
        at_ = start;
        return fail("number beyond the range of a double");
      }
      number = *start == '-' ? -0.0 : 0.0;
    }
    out = Value(number);
    return true;
  }

  // Whether a number out of range is too large, not too small: its exponent decides, unless the
  // digits outweigh it.
  static bool above_one(std::string_view text) {
    const std::size_t mark = text.find_first_of("eE");
    const std::string_view digits = text.substr(0, mark);
    std::int64_t exponent = 0;
    if (mark != std::string_view::npos) {
      std::string_view power = text.substr(mark + 1);
      power.remove_prefix(power.starts_with('+') ? 1 : 0);
      if (std::from_chars(power.data(), power.data() + power.size(), exponent).ec != std::errc{}) {
        return !power.starts_with('-');
      }
    }
    const std::size_t point = std::min(digits.find('.'), digits.size());
    const std::size_t first = digits.find_first_of("123456789");
    if (first == std::string_view::npos) {
      return false;
    }
    return exponent + static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first) > 0;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  std::size_t max_depth_;
  std::optional<Error> error_;
  std::string text_;
  Scratch& scratch_ = []() -> Scratch& {
    thread_local Scratch kept;
    return kept;
  }();
  std::vector<Value>& items_ = scratch_.items;
  std::vector<MapEntry>& entries_ = scratch_.entries;
};

} // namespace

Result<Value> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return Error{Code::json_limit, "JSON of " + std::to_string(text.size()) +
                                       " bytes is larger than the limit of " +
                                       std::to_string(limits.max_bytes)};
  }
  return Parser(text, std::min(limits.max_depth, kDeepest)).run();
}

} // namespace skein
