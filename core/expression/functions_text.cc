#include <re2/re2.h>

#include <algorithm>

#include "core/expression/function.h"
#include "core/value/utf8.h"

namespace skein::expression {
namespace {

using Text = std::string_view;

Text text_of(Call& call, std::size_t i) { return call[i].as_string(); }

bool charge_text(Call& call) { return call.charge_bytes(text_of(call, 0).size()); }

bool outside(Call& call, std::int64_t index) {
  return call.fail("index out of range: " + std::to_string(index));
}

// The byte where a code point starts; the end where index is the length; none beyond.
std::optional<std::size_t> byte_of(Text text, std::int64_t index) {
  if (index < 0) {
    return std::nullopt;
  }
  std::size_t at = 0;
  for (; index > 0 && at < text.size(); --index) {
    at += decode_utf8(text.substr(at, 4)).size;
  }
  return index == 0 ? std::optional(at) : std::nullopt;
}

Value points(Text text) { return Value(static_cast<std::int64_t>(count_code_points(text))); }

bool size_of_text(Call& call) { return charge_text(call) && call.done(points(text_of(call, 0))); }

bool size_of_bytes(Call& call) {
  return call.done(Value(static_cast<std::int64_t>(text_of(call, 0).size())));
}

bool size_of_list(Call& call) {
  return call.done(Value(static_cast<std::int64_t>(call[0].as_list().size())));
}

bool size_of_map(Call& call) {
  return call.done(Value(static_cast<std::int64_t>(call[0].as_map().size())));
}

bool contains(Call& call) {
  return charge_text(call) &&
         call.done(Value(text_of(call, 0).find(text_of(call, 1)) != Text::npos));
}

bool starts_with(Call& call) {
  return call.done(Value(text_of(call, 0).starts_with(text_of(call, 1))));
}

bool ends_with(Call& call) {
  return call.done(Value(text_of(call, 0).ends_with(text_of(call, 1))));
}

bool matches(Call& call) {
  const Text text = text_of(call, 0);
  const Text pattern = text_of(call, 1);
  constexpr std::size_t kCompiling = 16; // what compiling costs for each byte of the pattern
  if (!call.charge_bytes(text.size() + kCompiling * pattern.size())) {
    return false;
  }
  const RE2 compiled(re2::StringPiece(pattern.data(), pattern.size()), RE2::Quiet);
  return compiled.ok() ? call.done(Value(RE2::PartialMatch({text.data(), text.size()}, compiled)))
                       : call.fail("invalid regular expression: " + compiled.error());
}

bool char_at(Call& call) {
  const Text text = text_of(call, 0);
  const auto at = byte_of(text, call[1].as_int());
  if (!charge_text(call)) {
    return false;
  }
  return at ? call.done(Value(text.substr(*at, decode_utf8(text.substr(*at)).size)))
            : outside(call, call[1].as_int());
}

bool index_from(Call& call, std::int64_t offset) {
  const Text text = text_of(call, 0);
  const auto from = byte_of(text, offset);
  if (!charge_text(call)) {
    return false;
  }
  if (!from) {
    return outside(call, offset);
  }
  const std::size_t found = text.find(text_of(call, 1), *from);
  return call.done(found == Text::npos ? Value(-1) : points(text.substr(0, found)));
}

bool index_of(Call& call) { return index_from(call, 0); }
bool index_of_from(Call& call) { return index_from(call, call[2].as_int()); }

bool last_index_before(Call& call, std::size_t from) {
  const Text text = text_of(call, 0);
  const std::size_t found = text.rfind(text_of(call, 1), from);
  return charge_text(call) &&
         call.done(found == Text::npos ? Value(-1) : points(text.substr(0, found)));
}

bool last_index_of(Call& call) { return last_index_before(call, Text::npos); }

bool last_index_of_from(Call& call) {
  const auto from = byte_of(text_of(call, 0), call[2].as_int());
  return from ? last_index_before(call, *from) : outside(call, call[2].as_int());
}

template <char First, char Last>
bool cased(Call& call) {
  std::string text(text_of(call, 0));
  for (char& c : text) {
    c = c >= First && c <= Last ? static_cast<char>(c ^ 0x20) : c;
  }
  return charge_text(call) && call.done(Value(text));
}

bool join_with(Call& call, Text separator) {
  std::string out;
  for (const Value& item : call[0].as_list()) {
    if (!item.is(Kind::string)) {
      return call.fail("no such overload: join takes a list of strings, not of " +
                       std::string(name_of(item.kind())));
    }
    out += &item == call[0].as_list().data() ? Text{} : separator;
    if (!call.charge_bytes(16 + separator.size() + item.as_string().size())) {
      return false;
    }
    out += item.as_string();
  }
  return call.done(Value(out));
}

bool join(Call& call) { return join_with(call, {}); }
bool join_by(Call& call) { return join_with(call, text_of(call, 1)); }

// The empty pattern matches before each code point and at the end.
bool replace_some(Call& call, std::int64_t limit) {
  const Text text = text_of(call, 0);
  const Text from = text_of(call, 1);
  const Text to = text_of(call, 2);
  std::string out;
  std::size_t at = 0;
  while (limit != 0 && at <= text.size()) {
    const std::size_t found = text.find(from, at);
    if (found == Text::npos) {
      break;
    }
    if (!call.charge_bytes(16 + (found - at) + to.size())) {
      return false;
    }
    out += text.substr(at, found - at);
    out += to;
    at = found + from.size();
    --limit;
    if (from.empty()) {
      const std::size_t size = at < text.size() ? decode_utf8(text.substr(at, 4)).size : 0;
      out += text.substr(at, size);
      at += std::max<std::size_t>(size, 1);
    }
  }
  out += text.substr(std::min(at, text.size()));
  return charge_text(call) && call.done(Value(out));
}

bool replace(Call& call) { return replace_some(call, -1); }
bool replace_times(Call& call) { return replace_some(call, call[3].as_int()); }

bool split_some(Call& call, std::int64_t limit) {
  const Text by = text_of(call, 1);
  Text rest = text_of(call, 0);
  std::vector<Value> parts;
  if (limit == 0) {
    return call.done(Value::of_list({}));
  }
  while (limit < 0 || static_cast<std::int64_t>(parts.size()) + 1 < limit) {
    const std::size_t found = by.empty() ? decode_utf8(rest.substr(0, 4)).size : rest.find(by);
    if (found == Text::npos || (by.empty() && found >= rest.size())) {
      break;
    }
    if (!call.charge_bytes(16 + found)) {
      return false;
    }
    parts.emplace_back(rest.substr(0, found));
    rest.remove_prefix(found + by.size());
  }
  if (!by.empty() || !rest.empty()) {
    parts.emplace_back(rest);
  }
  return charge_text(call) && call.done(Value::take_list(parts));
}

bool split(Call& call) { return split_some(call, -1); }
bool split_times(Call& call) { return split_some(call, call[2].as_int()); }

bool substring_between(Call& call, std::int64_t first, std::optional<std::int64_t> last) {
  const Text text = text_of(call, 0);
  const auto from = byte_of(text, first);
  const auto to = last ? byte_of(text, *last) : std::optional(text.size());
  if (!charge_text(call)) {
    return false;
  }
  if (!from || !to) {
    return outside(call, !from ? first : *last);
  }
  return *from <= *to ? call.done(Value(text.substr(*from, *to - *from)))
                      : call.fail("invalid substring range. start: " + std::to_string(first) +
                                  ", end: " + std::to_string(*last));
}

bool substring(Call& call) { return substring_between(call, call[1].as_int(), std::nullopt); }
bool substring_to(Call& call) {
  return substring_between(call, call[1].as_int(), call[2].as_int());
}

bool is_space(char32_t c) {
  constexpr std::u32string_view kSpaces = U"\u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000";
  return (c >= 9 && c <= 13) || c == ' ' || (c >= 0x2000 && c <= 0x200a) ||
         kSpaces.find(c) != std::u32string_view::npos;
}

bool trim(Call& call) {
  const Text text = text_of(call, 0);
  std::size_t first = text.size();
  std::size_t last = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode_utf8(text.substr(at, 4));
    const std::size_t end = at + point.size;
    if (!is_space(point.value)) {
      first = std::min(first, at);
      last = end;
    }
    at = end;
  }
  return charge_text(call) && call.done(Value(text.substr(first, last < first ? 0 : last - first)));
}

bool reverse(Call& call) {
  const Text text = text_of(call, 0);
  std::string out(text.size(), '\0');
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = decode_utf8(text.substr(at, 4)).size;
    text.copy(out.data() + (text.size() - at - size), size, at);
    at += size;
  }
  return charge_text(call) && call.done(Value(out));
}

bool quote(Call& call) {
  constexpr Text kMeant = "\a\b\f\n\r\t\v\\\"";
  constexpr Text kLetters = "abfnrtv\\\"";
  std::string out = "\"";
  for (const char c : text_of(call, 0)) {
    const std::size_t at = kMeant.find(c);
    if (at == Text::npos) {
      out += c;
    } else {
      out += '\\';
      out += kLetters[at];
    }
  }
  return charge_text(call) && call.done(Value(out + "\""));
}

constexpr Overload kOverloads[]{
    {"size", "s", 'i', size_of_text},
    {"size", "y", 'i', size_of_bytes},
    {"size", "l", 'i', size_of_list},
    {"size", "m", 'i', size_of_map},
    {".size", "s", 'i', size_of_text},
    {".size", "y", 'i', size_of_bytes},
    {".size", "l", 'i', size_of_list},
    {".size", "m", 'i', size_of_map},
    {".contains", "ss", 'b', contains},
    {".startsWith", "ss", 'b', starts_with},
    {".endsWith", "ss", 'b', ends_with},
    {"matches", "ss", 'b', matches},
    {".matches", "ss", 'b', matches},
    {".charAt", "si", 's', char_at},
    {".indexOf", "ss", 'i', index_of},
    {".indexOf", "ssi", 'i', index_of_from},
    {".lastIndexOf", "ss", 'i', last_index_of},
    {".lastIndexOf", "ssi", 'i', last_index_of_from},
    {".lowerAscii", "s", 's', cased<'A', 'Z'>},
    {".upperAscii", "s", 's', cased<'a', 'z'>},
    {".join", "l", 's', join},
    {".join", "ls", 's', join_by},
    {".replace", "sss", 's', replace},
    {".replace", "sssi", 's', replace_times},
    {".split", "ss", 'l', split},
    {".split", "ssi", 'l', split_times},
    {".substring", "si", 's', substring},
    {".substring", "sii", 's', substring_to},
    {".trim", "s", 's', trim},
    {".reverse", "s", 's', reverse},
    {"strings.quote", "s", 's', quote},
};

} // namespace

std::span<const Overload> text_functions() { return kOverloads; }

} // namespace skein::expression
