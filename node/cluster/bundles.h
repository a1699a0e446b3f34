#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "schemas/node_codec.h"

namespace skein::node {

/// Batches of several partitions sent as one message, because each message costs the broker and
/// every reader as much as many entries do. Partitions are in one of two lanes; a lane has one
/// message under way. What comes meanwhile waits, and goes together, as in the group commit of a
/// disk; a lone one goes at once. What was written together is a wave: the lane waits until all of
/// it has handed in what follows, so that partitions in step share messages instead of splitting
/// them. While one lane waits for the broker and the disk, the other one's runs decide.
/// Source: group commit (DeWitt et al., 1984).
/// Thread-safety: any thread. Calls `send`, and what is told, without its lock.
class Bundles {
 public:
  /// Whether the broker has it.
  using Told = std::function<void(bool stored)>;
  /// Sends them as one message, and tells once.
  using Send = std::function<void(std::vector<schemas::LogPart>, Told)>;
  /// Ends with its last copy.
  using Wave = std::shared_ptr<void>;

  /// `most`: bytes of the batches of one message.
  Bundles(std::size_t most, Send send);
  /// Sends nothing more, whoever still has a wave.
  ~Bundles();
  Bundles(const Bundles&) = delete;
  Bundles& operator=(const Bundles&) = delete;

  /// The partition's lane waits until it ends, or for the second `tick`.
  Wave wave(PartitionId partition);
  /// `told` is called once; with false also where it was dropped before it was sent.
  void add(schemas::LogPart part, Told told);
  /// What waits is never sent.
  void drop();
  /// To be called a few times a second: what has waited since the last one waits for no wave, as
  /// one may hang on an actor that is busy.
  void tick();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

} // namespace skein::node
