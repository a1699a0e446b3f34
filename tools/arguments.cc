#include "tools/arguments.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/value/json.h"
#include "core/value/utf8.h"

namespace skein::tools {

std::optional<std::string_view> text_at(const Value& input, std::string_view key) {
  const Value* found = input.find(key);
  return found != nullptr && found->is(Kind::string) ? std::optional(found->as_string())
                                                     : std::nullopt;
}

bool flag_at(const Value& input, std::string_view key, bool otherwise) {
  const Value* found = input.find(key);
  return found != nullptr && found->is(Kind::boolean) ? found->as_bool() : otherwise;
}

std::string plain_text(const Value& value) {
  return value.is(Kind::string) ? std::string(value.as_string()) : to_json(value);
}

Result<std::size_t> size_at(const Value& input, std::string_view key, std::size_t otherwise) {
  const Value* found = input.find(key);
  if (found == nullptr) {
    return otherwise;
  }
  static constexpr std::array<std::pair<std::string_view, int>, 5> kUnits{
      {{"", 0}, {"B", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}}};
  const std::string text = plain_text(*found);
  std::uint64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const auto* unit = std::find_if(kUnits.begin(), kUnits.end(),
                                  [&](const auto& row) { return row.first == suffix; });
  constexpr std::uint64_t kMost = std::uint64_t{1} << 30;
  if (problem != std::errc() || unit == kUnits.end() || number > (kMost >> unit->second)) {
    return Error{Code::tool_input_invalid, "at /" + std::string(key) +
                                               ": must be a size up to 1GiB, such as 64KiB, is " +
                                               to_json(*found)};
  }
  return static_cast<std::size_t>(number << unit->second);
}

Result<Millis> time_for(const ToolCall& call, Millis otherwise) {
  Millis span = otherwise;
  if (const auto text = text_at(call.input, "timeout")) {
    const auto parsed = parse_millis(*text);
    if (!parsed) {
      return Error{Code::tool_input_invalid, "at /timeout: " + parsed.error().detail,
                   parsed.error().hint};
    }
    span = *parsed;
  }
  if (call.deadline) {
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    span = std::min(span, *call.deadline - Instant{now.count()});
  }
  if (span.count <= 0) {
    return Error{Code::tool_timeout, "the deadline had passed before " + call.tool + " started"};
  }
  return span;
}

std::string repaired_utf8(std::string_view text) {
  if (valid_utf8(text)) {
    return std::string(text);
  }
  std::string out;
  while (!text.empty()) {
    const CodePoint next = decode_utf8(text);
    if (next.size == 0) {
      append_utf8(out, 0xFFFD);
      text.remove_prefix(1);
    } else {
      out.append(text.substr(0, next.size));
      text.remove_prefix(next.size);
    }
  }
  return out;
}

} // namespace skein::tools
