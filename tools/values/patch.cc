#include "tools/values/patch.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

namespace skein::tools {
namespace {

std::string escaped(std::string_view token) {
  std::string out;
  for (const char c : token) {
    out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  }
  return out;
}

Result<std::string> unescaped(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '~') {
      out += token[i];
    } else if (i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1')) {
      out += token[++i] == '0' ? '~' : '/';
    } else {
      return Error{Code::tool_input_invalid, "a ~ in a JSON pointer must be followed by 0 or 1"};
    }
  }
  return out;
}

const Value* item_at(const Value& list, const std::string& token) {
  std::size_t index = 0;
  const char* const end = token.data() + token.size();
  const auto [stop, problem] = std::from_chars(token.data(), end, index);
  const bool canonical = token == "0" || !token.starts_with('0');
  return problem == std::errc() && stop == end && canonical && index < list.as_list().size()
             ? &list.as_list()[index]
             : nullptr;
}

class Differ {
 public:
  void compare(const Value& from, const Value& to, const std::string& at) {
    if (from == to) {
      return;
    }
    if (from.is(Kind::map) && to.is(Kind::map)) {
      return compare_maps(from, to, at);
    }
    if (from.is(Kind::list) && to.is(Kind::list)) {
      return compare_lists(from.as_list(), to.as_list(), at);
    }
    operations.push_back(object({{"op", "replace"}, {"path", at}, {"value", to}}));
  }

  std::vector<Value> operations;

 private:
  void compare_maps(const Value& from, const Value& to, const std::string& at) {
    for (const auto& [key, value] : from.as_map()) {
      const std::string place = at + "/" + escaped(key.as_string());
      if (const Value* other = to.find(key.as_string())) {
        compare(value, *other, place);
      } else {
        operations.push_back(object({{"op", "remove"}, {"path", place}}));
      }
    }
    for (const auto& [key, value] : to.as_map()) {
      if (from.find(key.as_string()) == nullptr) {
        add(at + "/" + escaped(key.as_string()), value);
      }
    }
  }

  void compare_lists(std::span<const Value> from, std::span<const Value> to,
                     const std::string& at) {
    std::size_t head = 0;
    while (head < from.size() && head < to.size() && from[head] == to[head]) {
      ++head;
    }
    std::size_t tail = 0;
    while (tail < from.size() - head && tail < to.size() - head &&
           from[from.size() - 1 - tail] == to[to.size() - 1 - tail]) {
      ++tail;
    }
    const std::size_t both = std::min(from.size(), to.size()) - tail;
    for (std::size_t i = head; i < both; ++i) {
      compare(from[i], to[i], at + "/" + std::to_string(i));
    }
    const std::size_t rest = std::max(both, head);
    for (std::size_t i = from.size() - tail; i > rest; --i) {
      operations.push_back(object({{"op", "remove"}, {"path", at + "/" + std::to_string(i - 1)}}));
    }
    for (std::size_t i = rest; i < to.size() - tail; ++i) {
      add(at + "/" + std::to_string(i), to[i]);
    }
  }

  void add(const std::string& place, const Value& value) {
    operations.push_back(object({{"op", "add"}, {"path", place}, {"value", value}}));
  }
};

} // namespace

Value merge_patch(const Value& target, const Value& patch) {
  if (!patch.is(Kind::map)) {
    return patch;
  }
  std::vector<MapEntry> merged;
  if (target.is(Kind::map)) {
    for (const auto& [key, value] : target.as_map()) {
      if (patch.find(key) == nullptr) {
        merged.emplace_back(key, value);
      }
    }
  }
  for (const auto& [key, value] : patch.as_map()) {
    if (value.is_null()) {
      continue;
    }
    const Value* old = target.find(key);
    merged.emplace_back(key, merge_patch(old != nullptr ? *old : Value(), value));
  }
  return Value::of_map(std::move(merged));
}

Value diff_patch(const Value& from, const Value& to) {
  Differ differ;
  differ.compare(from, to, "");
  return Value::of_list(std::move(differ.operations));
}

Result<const Value*> at_pointer(const Value& document, std::string_view pointer) {
  if (!pointer.empty() && !pointer.starts_with('/')) {
    return Error{Code::tool_input_invalid, "a JSON pointer is empty or begins with /"};
  }
  const Value* here = &document;
  while (!pointer.empty() && here != nullptr) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    const auto token = unescaped(pointer.substr(0, end));
    if (!token) {
      return token.error();
    }
    pointer.remove_prefix(end);
    here = here->is(Kind::list) ? item_at(*here, *token) : here->find(*token);
  }
  return here;
}

} // namespace skein::tools
