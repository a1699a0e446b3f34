#include "node/events/notes.h"

#include <utility>

#include "core/value/json.h"

namespace skein::node {
namespace {

constexpr std::uint64_t kKeptOfEach = 8; // should the newest be lost with its machine

Value value_of(const Stored& stored) {
  auto value = parse_json(stored.message.payload);
  return value ? std::move(*value) : Value();
}

} // namespace

Result<std::vector<Value>> Notes::open(std::uint32_t replicas) {
  StreamSpec spec;
  spec.name = channels_.rules;
  spec.subjects = {channels_.all_rules};
  spec.replicas = replicas;
  spec.max_per_subject = kKeptOfEach;
  const auto made = broker_.make_stream(spec);
  const auto all = made ? read_all(broker_, spec.name, 1, made->last) : made.error();
  if (!all) {
    return all.error();
  }
  auto tail = broker_.tail({channels_.rules, "", made->last + 1}, [this](Stored&& stored) {
    Value value = value_of(stored);
    const std::lock_guard lock(mutex_);
    came_.push_back(std::move(value));
  });
  if (!tail) {
    return tail.error();
  }
  subscription_ = std::move(*tail);
  std::vector<Value> values;
  for (const Stored& stored : *all) {
    values.push_back(value_of(stored));
  }
  return values;
}

std::vector<Value> Notes::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(came_, {});
}

} // namespace skein::node
