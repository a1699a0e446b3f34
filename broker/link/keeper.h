#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

namespace skein::broker {

/// One thread that runs what it is given, in order, at once or later: deadlines, watchdogs, and
/// everything that must not happen inside a callback of the library.
/// Thread-safety: any thread. What it runs must not block.
class Keeper {
 public:
  using Task = std::function<void()>;

  Keeper();
  ~Keeper(); ///< as stop

  void post(Task task) { after(std::chrono::milliseconds(0), std::move(task)); }
  void after(std::chrono::milliseconds delay, Task task);
  /// Ends the thread; what waits is dropped, what is under way ends first.
  void stop();

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Due {
    Time at;
    std::uint64_t order; ///< of being given: what is due at the same time stays in order
    Task task;
    bool operator<(const Due& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::priority_queue<Due, std::vector<Due>> waiting_;
  std::uint64_t given_ = 0;
  bool stopped_ = false;
  std::thread thread_;
};

} // namespace skein::broker
