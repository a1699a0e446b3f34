#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/expression/program.h"

namespace skein::expression {

/// Variables by name for a test; the slots count up from 0.
class Variables : public Activation {
 public:
  void add(std::string name, Value value, StaticType type = StaticType::dynamic) {
    declarations.add(std::move(name), static_cast<Slot>(values_.size()), type);
    values_.emplace_back(std::move(value));
  }
  /// Declared, but without a value.
  void add_absent(std::string name) {
    declarations.add(std::move(name), static_cast<Slot>(values_.size()));
    values_.emplace_back();
  }
  const Value* find(Slot slot) const override { return values_[slot] ? &*values_[slot] : nullptr; }

  Declarations declarations;

 private:
  std::vector<std::optional<Value>> values_;
};

} // namespace skein::expression
