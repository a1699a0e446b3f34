#include "storage/layout/run_traces.h"

namespace skein::storage {
namespace {

constexpr std::size_t kLoaded = 131'072;

} // namespace

RunTrace* RunTraces::find(const RunId& run) {
  if (const auto it = young_.find(run); it != young_.end()) {
    return &it->second;
  }
  auto node = old_.extract(run);
  return node.empty() ? from_loaded(run) : &young_.insert(std::move(node)).position->second;
}

void RunTraces::loaded(const RunId& run, RunTrace trace) {
  const std::lock_guard lock(mutex_);
  if (loaded_.size() >= kLoaded) {
    loaded_.clear();
  }
  loaded_.insert_or_assign(run, std::move(trace));
}

RunTrace* RunTraces::from_loaded(const RunId& run) {
  const std::lock_guard lock(mutex_);
  auto node = loaded_.extract(run);
  return node.empty() ? nullptr : &young_.insert(std::move(node)).position->second;
}

RunTrace& RunTraces::insert(const RunId& run, RunTrace trace) {
  return young_.insert_or_assign(run, trace).first->second;
}

void RunTraces::forget(const RunId& run) {
  young_.erase(run);
  old_.erase(run);
  const std::lock_guard lock(mutex_);
  loaded_.erase(run);
}

void RunTraces::forget_all() {
  young_.clear();
  old_.clear();
  const std::lock_guard lock(mutex_);
  loaded_.clear();
}

void RunTraces::age() {
  if (young_.size() > kGeneration) {
    const std::lock_guard lock(mutex_);
    for (const auto& [run, trace] : old_) {
      loaded_.erase(run);
    }
    old_ = std::move(young_);
    young_ = {};
  }
}

} // namespace skein::storage
