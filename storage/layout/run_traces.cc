#include "storage/layout/run_traces.h"

namespace skein::storage {

RunTrace* RunTraces::find(const RunId& run) {
  if (const auto it = young_.find(run); it != young_.end()) {
    return &it->second;
  }
  auto node = old_.extract(run);
  return node.empty() ? nullptr : &young_.insert(std::move(node)).position->second;
}

RunTrace& RunTraces::insert(const RunId& run, RunTrace trace) {
  return young_.insert_or_assign(run, trace).first->second;
}

void RunTraces::forget(const RunId& run) {
  young_.erase(run);
  old_.erase(run);
}

void RunTraces::forget_all() {
  young_.clear();
  old_.clear();
}

void RunTraces::age() {
  if (young_.size() > kGeneration) {
    old_ = std::move(young_);
    young_ = {};
  }
}

} // namespace skein::storage
