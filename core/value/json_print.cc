#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <memory_resource>

#include "core/value/json.h"
#include "core/value/plain_text.h"
#include "core/value/text.h"
#include "core/value/utf8.h"

namespace skein {
namespace {

/// Writes at the end of a string, whose size grows ahead of what is written: a byte then costs a
/// store, not a call. It grows by what it wrote itself, however long the string was before.
class Sink {
 public:
  Sink(std::string& out, std::size_t expected) : out_(out), start_(out.size()) {
    grow(out.size(), expected);
  }
  ~Sink() { out_.resize(used()); }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  void put(char c) {
    need(1);
    *at_++ = c;
  }
  void put(std::string_view text) {
    need(text.size());
    append(text);
  }
  void put_quoted(std::string_view text) {
    need(text.size() + 2);
    *at_++ = '"';
    for (;;) {
      const std::size_t plain = plain_prefix(text, false);
      append(text.substr(0, plain));
      if (plain == text.size()) {
        break;
      }
      put_escape(text[plain]);
      text.remove_prefix(plain + 1);
      need(text.size() + 2);
    }
    *at_++ = '"';
  }
  void put_scalar(const Value& value) {
    if (value.is(Kind::integer) || value.is(Kind::uinteger)) {
      put_whole(value);
      return;
    }
    scalar_.clear();
    append_text(scalar_, value);
    put(scalar_);
  }

 private:
  std::size_t used() const { return static_cast<std::size_t>(at_ - out_.data()); }
  void need(std::size_t more) {
    if (static_cast<std::size_t>(end_ - at_) < more) {
      grow(used(), std::max(more, used() - start_));
    }
  }
  void grow(std::size_t used, std::size_t more) {
    out_.resize(used + more);
    at_ = out_.data() + used;
    end_ = out_.data() + out_.size();
  }
  void append(std::string_view text) { // REQUIRES: need(text.size())
    at_ += text.copy(at_, text.size());
  }

  void put_whole(const Value& value) {
    constexpr std::size_t kLongest = 20;
    need(kLongest);
    at_ = value.is(Kind::integer) ? std::to_chars(at_, end_, value.as_int()).ptr
                                  : std::to_chars(at_, end_, value.as_uint()).ptr;
  }

  void put_escape(char c) {
    constexpr std::string_view kMeant = "\"\\\b\f\n\r\t";
    constexpr std::string_view kLetters = "\"\\bfnrt";
    constexpr std::string_view kHex = "0123456789abcdef";
    put('\\');
    if (const std::size_t at = kMeant.find(c); at != std::string_view::npos) {
      put(kLetters[at]);
      return;
    }
    put("u00");
    put(kHex[static_cast<unsigned char>(c) >> 4]);
    put(kHex[c & 15]);
  }

  std::string& out_;
  const std::size_t start_;
  std::string scalar_;
  char* at_ = nullptr;
  char* end_ = nullptr;
};

bool before_in_utf16(std::string_view a, std::string_view b) {
  const auto [x, y] = std::ranges::mismatch(a, b);
  if (x == a.end() || y == b.end()) {
    return x == a.end() && y != b.end();
  }
  const auto left = static_cast<unsigned char>(*x);
  const auto right = static_cast<unsigned char>(*y);
  // Leads from 0xF0 are pairs of surrogates, which sort before U+E000 (lead 0xEE).
  if (left >= 0xEE && right >= 0xEE && (left < 0xF0) != (right < 0xF0)) {
    return left >= 0xF0;
  }
  return left < right;
}

std::string key_text(const Value& key) {
  std::string text;
  append_text(text, key);
  return text;
}

// The same entries with keys that are strings, in JSON's order, none twice.
std::vector<MapEntry> entries_in_json_order(const Value& map) {
  std::vector<MapEntry> entries;
  for (const auto& [key, value] : map.as_map()) {
    entries.emplace_back(key.is(Kind::string) ? key : Value(key_text(key)), value);
  }
  const auto before = [](const MapEntry& a, const MapEntry& b) {
    return before_in_utf16(a.first.as_string(), b.first.as_string());
  };
  // Strings come last among the keys, so of two equal texts the last is the string.
  std::ranges::reverse(entries);
  std::ranges::stable_sort(entries, before);
  const auto twice = std::ranges::unique(entries, [](const MapEntry& a, const MapEntry& b) {
    return a.first.as_string() == b.first.as_string();
  });
  entries.erase(twice.begin(), twice.end());
  return entries;
}

class Printer {
 public:
  Printer(std::string& out, bool pretty, std::size_t expected)
      : out_(out, expected), pretty_(pretty) {
    frames_.reserve(kReserved);
  }

  void run(const Value& value) {
    open(value);
    while (!frames_.empty()) {
      Frame& frame = frames_.back();
      if (frame.next == frame.size) {
        close();
      } else {
        advance(frame);
      }
    }
  }

 private:
  struct Frame {
    bool map = false;
    const Value* items = nullptr;
    const MapEntry* entries = nullptr;
    std::size_t size = 0;
    std::size_t next = 0;
    std::vector<MapEntry> reordered = {}; ///< where entries points into it
  };

  void open(const Value& value) {
    switch (value.kind()) {
      case Kind::null:
        out_.put("null");
        break;
      case Kind::boolean:
        out_.put(value.as_bool() ? "true" : "false");
        break;
      case Kind::string:
      case Kind::type:
        out_.put_quoted(value.as_string());
        break;
      case Kind::bytes:
        put_bytes(value.as_string());
        break;
      case Kind::timestamp:
      case Kind::duration:
        out_.put('"');
        out_.put_scalar(value);
        out_.put('"');
        break;
      case Kind::list:
        out_.put('[');
        frames_.push_back({.items = value.as_list().data(), .size = value.as_list().size()});
        break;
      case Kind::map:
        open_map(value);
        break;
      case Kind::optional:
        open_optional(value);
        break;
      default:
        put_number(value);
    }
  }

  void put_bytes(std::string_view bytes) {
    std::string text;
    append_base64(text, bytes);
    out_.put_quoted(text);
  }

  void put_number(const Value& value) {
    if (value.is(Kind::real) && !std::isfinite(value.as_double())) {
      out_.put("null");
    } else {
      out_.put_scalar(value);
    }
  }

  void open_optional(const Value& value) {
    const Value* inner = &value;
    while (inner != nullptr && inner->is(Kind::optional)) {
      inner = inner->optional_value();
    }
    inner == nullptr ? out_.put("null") : open(*inner);
  }

  void open_map(const Value& map) {
    out_.put('{');
    if (map.keys_in_json_order()) {
      frames_.push_back({.map = true, .entries = map.as_map().data(), .size = map.as_map().size()});
      return;
    }
    Frame frame{.map = true, .reordered = entries_in_json_order(map)};
    frame.entries = frame.reordered.data();
    frame.size = frame.reordered.size();
    frames_.push_back(std::move(frame));
  }

  void advance(Frame& frame) {
    const std::size_t index = frame.next++;
    if (index > 0) {
      out_.put(',');
    }
    break_line(frames_.size());
    if (!frame.map) {
      open(frame.items[index]);
      return;
    }
    const auto& [key, value] = frame.entries[index];
    out_.put_quoted(key.as_string());
    out_.put(pretty_ ? std::string_view(": ") : std::string_view(":"));
    open(value);
  }

  void close() {
    const bool filled = frames_.back().size > 0;
    const bool map = frames_.back().map;
    frames_.pop_back();
    if (filled) {
      break_line(frames_.size());
    }
    out_.put(map ? '}' : ']');
  }

  void break_line(std::size_t depth) {
    if (pretty_) {
      out_.put('\n');
      for (std::size_t i = 0; i < depth; ++i) {
        out_.put("  ");
      }
    }
  }

  static constexpr std::size_t kReserved = 16;
  Sink out_;
  bool pretty_;
  alignas(Frame) std::array<std::byte, kReserved * sizeof(Frame)> memory_;
  std::pmr::monotonic_buffer_resource pool_{memory_.data(), memory_.size()};
  std::pmr::vector<Frame> frames_{&pool_};
};

Value map_as_json(const Value& map) {
  std::vector<MapEntry> entries =
      map.keys_in_json_order() ? std::vector<MapEntry>(map.as_map().begin(), map.as_map().end())
                               : entries_in_json_order(map);
  for (MapEntry& entry : entries) {
    entry.second = as_json(entry.second);
  }
  return Value::of_map(std::move(entries));
}

Value real_as_json(double number) {
  std::string text;
  if (!std::isfinite(number)) {
    return {};
  }
  append_double(text, number);
  auto parsed = parse_json(text);
  return parsed.ok() ? std::move(*parsed) : Value(number);
}

// Room for a value's text, near enough that it seldom has to grow.
std::size_t expected_size(const Value& value) {
  constexpr std::size_t kEach = 12;
  constexpr std::size_t kMost = 1 << 20;
  return std::min<std::size_t>(kEach * value.weight(), kMost);
}

} // namespace

void append_json(std::string& out, const Value& value) {
  Printer(out, false, expected_size(value)).run(value);
}

std::string to_json(const Value& value) {
  std::string out;
  append_json(out, value);
  return out;
}

std::string to_pretty_json(const Value& value) {
  std::string out;
  Printer(out, true, 2 * expected_size(value)).run(value);
  return out;
}

Value as_json(const Value& value) {
  switch (value.kind()) {
    case Kind::real:
      return real_as_json(value.as_double());
    case Kind::uinteger:
      return value.as_int() >= 0 ? Value(value.as_int()) : value;
    case Kind::list: {
      std::vector<Value> items(value.as_list().begin(), value.as_list().end());
      std::ranges::transform(items, items.begin(), [](const Value& item) { return as_json(item); });
      return Value::of_list(std::move(items));
    }
    case Kind::map:
      return map_as_json(value);
    case Kind::optional:
      return value.optional_value() == nullptr ? Value() : as_json(*value.optional_value());
    case Kind::bytes: {
      std::string text;
      append_base64(text, value.as_string());
      return Value(text);
    }
    case Kind::timestamp:
    case Kind::duration:
    case Kind::type:
      return Value(key_text(value));
    default:
      return value;
  }
}

} // namespace skein
