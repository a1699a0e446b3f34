#include "core/flow/place.h"

#include <algorithm>
#include <cassert>

namespace skein::flow {

Place inside(const Place& place, std::uint32_t item) {
  assert(place.depth < kMaxNesting);
  Place inner = place;
  inner.items[inner.depth++] = item;
  return inner;
}

Place around(const Place& place, StepIndex step, std::uint8_t depth) {
  assert(depth <= place.depth);
  Place outer{step, depth, {}};
  std::copy_n(place.items.begin(), depth, outer.items.begin());
  return outer;
}

std::string path_text(const Place& place) {
  std::string text;
  for (const std::uint32_t item : place.path()) {
    text += "[" + std::to_string(item) + "]";
  }
  return text;
}

std::string iteration_text(const Place& place) {
  if (place.depth == 0) {
    return "0";
  }
  std::string text;
  for (const std::uint32_t item : place.path()) {
    text += (text.empty() ? "" : ".") + std::to_string(item);
  }
  return text;
}

} // namespace skein::flow
