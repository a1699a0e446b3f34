#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "tools/process/child.h"

namespace skein::tools {

/// Runs children: one thread for all of them, made with the first.
///
///   start ──► running ──exit──► draining ──pipes closed, nobody left──► done
///               │ timeout, cancel, flood
///               ▼
///             SIGTERM to all of it ──1 s──► SIGKILL to all of it
///
/// When a child ends, whatever it left behind is killed: its process group, and by ChildSpec::mark
/// also daemons that left the group. For that this process adopts orphans (PR_SET_CHILD_SUBREAPER).
/// Thread-safety: any thread. `done` is called once for each start, on the loop's thread.
class ProcessLoop {
 public:
  using Id = std::uint64_t;

  ProcessLoop();
  ~ProcessLoop(); ///< as close()
  ProcessLoop(const ProcessLoop&) = delete;
  ProcessLoop& operator=(const ProcessLoop&) = delete;

  /// Errors (in done): tool_unavailable where it cannot start, step_cancelled after the end began.
  Id start(ChildSpec spec, ChildDone done);
  /// Nothing where the child has ended already.
  void cancel(Id id);
  /// Kills what runs, reports it as cancelled, and joins. REQUIRES: not from `done`.
  void close();

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class Phase : std::uint8_t { running, terminating, killed, draining };

  struct Child;
  struct Request {
    Id id;
    ChildSpec spec;
    ChildDone done; ///< null: cancel
  };

  void ensure_thread(); // REQUIRES: mutex_ held
  void wake();

  // On the loop's thread:
  void run();
  void take_requests();
  void begin(Request request);
  void watch_on(Child& child);
  bool watch(int fd, Id id, int role);
  void on_ready(std::uint64_t token);
  void on_output(Child& child, bool error);
  void on_exit(Child& child);
  void on_alarm(Child& child);
  void stop(Child& child, Stopped why);
  void drain(Child& child);
  void finish(Child& child);
  void set_alarm(Child& child, TimePoint at);
  int wait_millis() const;
  void ring_alarms();

  std::mutex mutex_;
  std::vector<Request> requests_; ///< guarded by mutex_
  Id last_id_ = 0;                ///< guarded by mutex_
  bool stopping_ = false;         ///< guarded by mutex_
  UniqueFd wakeup_;               ///< eventfd
  UniqueFd epoll_;
  std::thread thread_;
  std::map<Id, std::unique_ptr<Child>> children_;
  std::set<std::pair<TimePoint, Id>> alarms_;
  bool closing_ = false;
};

} // namespace skein::tools
