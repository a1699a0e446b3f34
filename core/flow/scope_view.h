#pragma once

#include <forward_list>
#include <optional>

#include "core/base/ids.h"
#include "core/flow/definition.h"
#include "core/flow/state.h"

namespace skein::flow {

Value to_value(const Failure& failure);
std::optional<Failure> failure_from(const Value& value);

/// The names that an expression at one place sees, read from the state as it is.
/// REQUIRES: the state does not change while this lives.
class ScopeView : public expression::Activation {
 public:
  ScopeView(const Definition& definition, const State& state, const RunId& run, const Place& place,
            const Failure* failure = nullptr)
      : definition_(definition), state_(state), run_(run), place_(place), failure_(failure) {}

  const Value* find(expression::Slot slot) const override;

 private:
  const Value* step(const SlotMeaning& meaning) const;
  const Value* item(const SlotMeaning& meaning) const;
  const Value* keep(Value value) const;
  Value run_value() const;
  Value steps_value() const;

  const Definition& definition_;
  const State& state_;
  const RunId& run_;
  const Place& place_;
  const Failure* failure_;
  mutable std::forward_list<Value> made_; ///< values put together for this evaluation
};

} // namespace skein::flow
