#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "schemas/node_codec.h"

namespace skein::node {

/// Batches of several partitions sent as one message, because each message costs the broker and
/// every reader as much as many entries do. What comes while messages are under way waits for the
/// first of them to be answered, and goes together, as in the group commit of a disk; a lone one
/// goes at once. Source: group commit (DeWitt et al., 1984).
/// Thread-safety: any thread. Calls `send`, and what is told, without its lock.
class Bundles {
 public:
  /// Whether the broker has it.
  using Told = std::function<void(bool stored)>;
  /// Sends them as one message, and tells once.
  using Send = std::function<void(std::vector<schemas::LogPart>, Told)>;

  /// `most`: bytes of the batches of one message.
  Bundles(std::size_t most, Send send) : most_(most), send_(std::move(send)) {}

  /// `told` is called once; with false also where it was dropped before it was sent.
  void add(schemas::LogPart part, Told told);
  /// What waits is never sent.
  void drop();

 private:
  struct Waiting {
    schemas::LogPart part;
    Told told;
  };
  void send_some();

  const std::size_t most_;
  const Send send_;
  std::mutex mutex_;
  std::deque<Waiting> waiting_;
  std::size_t under_way_ = 0; ///< messages
};

} // namespace skein::node
