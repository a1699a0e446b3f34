#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace skein::gateway {

/// Threads that do what is handed to them, over a bounded queue. Thread-safety: any thread.
class Workers {
 public:
  Workers(std::size_t threads, std::size_t waiting);
  ~Workers() { end(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Whether there was room for it.
  bool post(std::function<void()> work);
  /// Takes no more, does what is in the queue, and comes back when it is done.
  /// Thread-safety: one thread.
  void end();

 private:
  void run();

  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

} // namespace skein::gateway
