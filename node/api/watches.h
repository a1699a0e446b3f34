#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "gateway/event_stream.h"
#include "node/node.h"

namespace skein::node {

/// Clients that follow runs over event streams.
///
///   entry is durable ─┐
///   queue has emptied ┴─► noted ──► one thread reads the journal from where the client is, and
///                                   sends what there is room for
///
/// So a slow client costs a bounded queue and misses nothing, and no thread that commits waits.
/// Thread-safety: any thread.
class Watches {
 public:
  /// Ownership: the node outlives it.
  explicit Watches(Node& node);
  /// Closes every stream.
  ~Watches();
  Watches(const Watches&) = delete;
  Watches& operator=(const Watches&) = delete;

  using Stream = std::shared_ptr<gateway::EventStream>;

  /// Entries from `from` on, each with its number as id: as to_value() says, or only that it is
  /// there where `bare`.
  void entries(const RunRecord& record, Seq from, bool bare, Stream stream);
  /// Lines that tools log from now on, of one run or of all; those that find no room are lost.
  void logs(std::optional<RunId> run, Stream stream);
  /// One event, "settled", once Node::wait() would have come back; or "failed" with the error.
  void end(const RunId& run, bool stop_when_waiting, Stream stream);

 private:
  struct Watch;
  using WatchPtr = std::shared_ptr<Watch>;

  void add(const WatchPtr& watch);
  void note(const WatchPtr& watch);
  void run();
  bool serve(Watch& watch);
  bool send_entries(Watch& watch);
  bool send_end(Watch& watch);

  Node& node_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<WatchPtr> noted_;
  std::vector<WatchPtr> all_;
  bool ending_ = false;
  std::thread thread_;
};

} // namespace skein::node
