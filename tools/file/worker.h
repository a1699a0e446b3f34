#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace skein::tools {

/// One thread for work that waits for a disk, made with the first piece of it; done in order.
/// Thread-safety: any thread.
class Worker {
 public:
  /// Told whether it was cancelled before its turn came.
  using Work = std::function<void(bool cancelled)>;

  Worker() = default;
  ~Worker(); ///< as close()
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void add(Work work);
  /// Runs what waits as cancelled, and joins. REQUIRES: not from a piece of work.
  void close();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> waiting_; ///< guarded by mutex_
  bool closing_ = false;     ///< guarded by mutex_
  std::thread thread_;
};

} // namespace skein::tools
