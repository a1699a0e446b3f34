#include "core/schedule/field.h"

#include <algorithm>

namespace skein::schedule {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return out;
}

bool is_star(const Field& field, std::string_view text) {
  return text == "*" || (text == "?" && field.name.starts_with("day"));
}

Result<Span> parse_range(const Field& field, std::string_view text, bool stepped) {
  if (is_star(field, text)) {
    return Span{field.least, field.most};
  }
  const auto dash = text.find('-');
  const auto from = parse_number(field, text.substr(0, dash));
  if (!from) {
    return from.error();
  }
  if (dash == std::string_view::npos) {
    return Span{*from, stepped ? field.most : *from};
  }
  auto to = parse_number(field, text.substr(dash + 1));
  if (!to) {
    return to.error();
  }
  const bool sunday = field.most == 7 && *to == 0 && *from != 0;
  if (sunday) {
    return Span{*from, 7};
  }
  if (*from > *to) {
    return wrong_field(field, text, "is a range that ends before it begins");
  }
  return Span{*from, *to};
}

} // namespace

Error wrong_field(const Field& field, std::string_view text, const std::string& why) {
  return {Code::schedule_invalid,
          std::string(field.name) + ": \"" + std::string(text) + "\" " + why};
}

Result<int> parse_number(const Field& field, std::string_view text) {
  const auto named = std::ranges::find(field.names, upper(text));
  if (named != field.names.end()) {
    return field.least + static_cast<int>(named - field.names.begin());
  }
  int number = 0;
  const bool digits = !text.empty() && text.size() <= 4 &&
                      std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  for (std::size_t i = 0; digits && i < text.size(); ++i) {
    number = number * 10 + (text[i] - '0');
  }
  if (!digits || number < field.least || number > field.most) {
    return wrong_field(field, text,
                       "is not " + std::string(field.names.empty() ? "" : "a name or ") +
                           "a number from " + std::to_string(field.least) + " to " +
                           std::to_string(field.most));
  }
  return number;
}

Result<Span> parse_span(const Field& field, std::string_view text) {
  const auto slash = text.find('/');
  auto span = parse_range(field, text.substr(0, slash), slash != std::string_view::npos);
  if (!span || slash == std::string_view::npos) {
    return span;
  }
  const std::string_view text_of_step = text.substr(slash + 1);
  const Field steps{field.name, 1, field.most - field.least + 1, {}};
  const auto step = parse_number(steps, text_of_step);
  if (!step) {
    return wrong_field(field, text,
                       "has a step that is not a number from 1 to " + std::to_string(steps.most));
  }
  span->step = *step;
  return span;
}

std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t comma = text.find(','); comma != std::string_view::npos;
       comma = text.find(',')) {
    parts.push_back(text.substr(0, comma));
    text.remove_prefix(comma + 1);
  }
  parts.push_back(text);
  return parts;
}

} // namespace skein::schedule
