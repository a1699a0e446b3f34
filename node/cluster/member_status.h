#pragma once

#include <string>

#include "core/ports/store.h"

namespace skein::node {

/// A node as the others know it.
struct MemberStatus {
  NodeId node;
  std::string name;
  std::string url;
  bool alive = false;
  bool ready = false;
  bool draining = false;
  Millis silent; ///< since it was heard of
  std::uint32_t load = 0;
  PartitionSet leads; ///< as the log says
  Value labels;       ///< a map of texts, or null
};

} // namespace skein::node
