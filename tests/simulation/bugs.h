#pragma once

#include <optional>
#include <string_view>

#include "support/memory_store.h"

namespace skein::simulation {

/// Faults of our own that a trial must find: a simulation that finds none of them proves nothing.
enum class Bug {
  none,
  skip_sync,            ///< says that a batch is durable before it is
  act_before_read_back, ///< says so before it was read back from the stream
  reuse_epoch,          ///< a leader is announced with the epoch that it had
  forget_dedupe,        ///< a run that comes back knows no signal that it has taken
  apply_after_fence,    ///< one node does not read that another leads
  fire_timer_again,     ///< a timer that has fired stays armed
};

inline std::optional<Bug> parse_bug(std::string_view name) {
  constexpr std::string_view kNames[] = {
      "none",          "skip_sync",         "act_before_read_back", "reuse_epoch",
      "forget_dedupe", "apply_after_fence", "fire_timer_again"};
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name) {
      return static_cast<Bug>(i);
    }
  }
  return {};
}

/// A store with one of them.
class FlawedStore : public test::MemoryStore {
 public:
  void flaw(Bug bug) { bug_ = bug; }

  Result<void> commit(std::span<const Batch> batches) override {
    if (bug_ != Bug::fire_timer_again) {
      return MemoryStore::commit(batches);
    }
    std::vector<Batch> flawed(batches.begin(), batches.end());
    for (Batch& batch : flawed) {
      for (Append& append : batch.appends) {
        append.disarm.clear();
      }
    }
    return MemoryStore::commit(flawed);
  }

  Result<LoadedRun> load_run(const RunId& run) const override {
    auto loaded = MemoryStore::load_run(run);
    if (bug_ == Bug::forget_dedupe && loaded) {
      for (Entry& entry : loaded->tail) {
        if (auto* signal = std::get_if<flow::Signalled>(&entry.event)) {
          signal->id += " forgotten";
        }
      }
    }
    return loaded;
  }

 private:
  Bug bug_ = Bug::none;
};

} // namespace skein::simulation
