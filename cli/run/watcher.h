#pragma once

#include <cstdio>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "cli/context.h"
#include "cli/run/scene.h"
#include "cli/run/story.h"

namespace skein::cli {

/// How a command that stays with a run shows it meanwhile.
enum class Show {
  nothing,
  progress, ///< one line, once a second has passed, gone at the end
  tree,     ///< the whole run, redrawn in place
  lines     ///< one line per entry
};

/// The best of what was asked for that this stream can show: a tree becomes lines in a pipe,
/// progress becomes nothing.
Show fitting(Show wanted, std::FILE* to);

/// Shows a run while it goes on.
/// Thread-safety: tick and finish on the thread that made it; entries come from the node's.
class Watcher {
 public:
  /// Ownership: the node and the stream outlive it.
  Watcher(const Context& context, node::Node& node, RunId run, Show show, std::FILE* to);

  /// To be called about ten times a second.
  void tick();
  /// The last picture, or none where it was only progress.
  void finish();

 private:
  void begin();
  void read_rest();
  void take_new();
  void tell(const Entry& entry, const Told& told);
  void redraw(std::vector<std::string> lines);
  Style style() const;

  const Context& context_;
  node::Node& node_;
  RunId run_;
  Show show_;
  std::FILE* to_;
  Instant started_;
  Story story_;
  std::mutex mutex_;
  std::deque<Entry> arrived_; ///< under the mutex
  std::shared_ptr<void> watch_;
  std::size_t drawn_ = 0; ///< lines on the terminal
  unsigned frame_ = 0;
  bool unicode_;
};

} // namespace skein::cli
