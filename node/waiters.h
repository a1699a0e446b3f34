#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"

namespace skein::node {

/// Those who wait for what lists show of a run to change. Thread-safety: any thread.
class Waiters {
 public:
  /// One who waits, from its making on. The first wait returns at once: what was read before it
  /// may be out of date.
  class Place {
   public:
    /// Ownership: both must outlive it.
    Place(Waiters& waiters, const RunId& run);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    /// Until the run has changed since it was asked last, at most a tenth of a second.
    /// Errors: what broke the node.
    Result<void> wait();

   private:
    friend class Waiters;

    Waiters& waiters_;
    const RunId& run_;
    bool changed_ = true;
  };

  void changed(const RunId& run);
  /// Everybody who waits hears of it, now and from now on.
  void broke(const Error& error);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Place*> places_;
  std::optional<Error> broken_;
};

} // namespace skein::node
