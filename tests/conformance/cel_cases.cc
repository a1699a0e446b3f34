// Runs cases of the expression language that are kept as data; see cel/README.md for the format.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "core/expression/program.h"
#include "core/value/json.h"
#include "core/value/text.h"

namespace skein::expression {
namespace {

std::string text_at(const Value& value, std::string_view key) {
  const Value* found = value.find(key);
  return found == nullptr ? std::string() : std::string(found->as_string());
}

double special_double(std::string_view name) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return name == "inf" ? kInfinity : name == "-inf" ? -kInfinity : std::nan("");
}

double as_double(const Value& value) {
  switch (value.kind()) {
    case Kind::string:
      return special_double(value.as_string());
    case Kind::real:
      return value.as_double();
    case Kind::uinteger:
      return static_cast<double>(value.as_uint());
    default:
      return static_cast<double>(value.as_int());
  }
}

// {"int": 1}, {"list": [V, …]}, {"map": [[V, V], …]} and so on.
Value decoded(const Value& typed) {
  const auto& [name, content] = typed.as_map().front();
  const std::string_view kind = name.as_string();
  if (kind == "uint") {
    return Value::of_uint(content.as_uint());
  }
  if (kind == "double") {
    return Value(as_double(content));
  }
  if (kind == "bytes") {
    return Value::of_bytes(decode_base64(content.as_string()).value_or("?"));
  }
  if (kind == "type") {
    return Value::of_type(content.as_string());
  }
  if (kind == "list") {
    std::vector<Value> items;
    std::ranges::transform(content.as_list(), std::back_inserter(items), decoded);
    return Value::of_list(std::move(items));
  }
  if (kind == "map") {
    std::vector<MapEntry> entries;
    for (const Value& pair : content.as_list()) {
      entries.emplace_back(decoded(pair.as_list()[0]), decoded(pair.as_list()[1]));
    }
    return Value::of_map(std::move(entries));
  }
  return content;
}

// Equal and of the same kind all the way down; NaN is the same as NaN, 0.0 not as -0.0.
bool same(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) {
    return false;
  }
  if (a.is(Kind::real)) {
    return (std::isnan(a.as_double()) && std::isnan(b.as_double())) ||
           (a == b && std::signbit(a.as_double()) == std::signbit(b.as_double()));
  }
  if (a.is(Kind::list)) {
    return std::ranges::equal(a.as_list(), b.as_list(), same);
  }
  if (a.is(Kind::map)) {
    return std::ranges::equal(a.as_map(), b.as_map(), [](const MapEntry& x, const MapEntry& y) {
      return same(x.first, y.first) && same(x.second, y.second);
    });
  }
  return a == b;
}

class Bindings : public Activation {
 public:
  explicit Bindings(const Value* bindings) {
    if (bindings == nullptr) {
      return;
    }
    for (const auto& [name, typed] : bindings->as_map()) {
      declarations_.add(std::string(name.as_string()), static_cast<Slot>(values_.size()));
      values_.push_back(decoded(typed));
    }
  }
  const Value* find(Slot slot) const override { return &values_[slot]; }
  const Declarations& declarations() const { return declarations_; }

 private:
  Declarations declarations_;
  std::vector<Value> values_;
};

Result<Value> outcome(const Value& test) {
  const Bindings bindings(test.find("bindings"));
  Options options;
  options.container = text_at(test, "container");
  options.check = test.find("disable_check") == nullptr || !test.find("disable_check")->as_bool();
  const auto program = Program::compile(text_at(test, "expr"), bindings.declarations(), options);
  return program ? program->evaluate(bindings) : Result<Value>(program.error());
}

std::string shown(const Result<Value>& result) {
  return result ? std::string(name_of(result->kind())) + " " + to_json(*result)
                : "error " + result.error().detail;
}

bool passes(const std::string& file, const Value& test) {
  const Result<Value> got = outcome(test);
  const Value& expect = *test.find("expect");
  const Value* value = expect.find("value");
  const bool right = value == nullptr ? !got.ok() : got.ok() && same(*got, decoded(*value));
  if (!right) {
    const std::string want =
        value == nullptr ? "error " + text_at(expect, "error") : shown(decoded(*value));
    std::printf("%s/%s/%s: %s → %s, want %s\n", file.c_str(), text_at(test, "section").c_str(),
                text_at(test, "name").c_str(), text_at(test, "expr").c_str(), shown(got).c_str(),
                want.c_str());
  }
  return right;
}

int run(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  std::size_t passed = 0;
  std::size_t failed = 0;
  for (const auto& path : files) {
    std::ifstream in(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto file = parse_json(text);
    if (!file) {
      std::printf("%s: %s\n", path.c_str(), file.error().detail.c_str());
      ++failed;
      continue;
    }
    for (const Value& test : file->find("cases")->as_list()) {
      ++(passes(path.stem().string(), test) ? passed : failed);
    }
  }
  std::printf("%zu passed, %zu failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

} // namespace
} // namespace skein::expression

int main(int count, char** arguments) {
  if (count != 2 || !std::filesystem::is_directory(arguments[1])) {
    std::fprintf(stderr, "usage: cel_cases DIR\n");
    return 2;
  }
  return skein::expression::run(arguments[1]);
}
