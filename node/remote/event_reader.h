#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "gateway/event_stream.h"

namespace skein::node {

/// Takes a stream of server-sent events apart, however its bytes are cut.
/// Source: HTML Living Standard, section 9.2.6.
class EventReader {
 public:
  using OnEvent = std::function<void(const gateway::ServerEvent&)>;

  explicit EventReader(OnEvent on_event) : on_event_(std::move(on_event)) {}

  /// False once a line is longer than any that is meant.
  bool take(std::string_view bytes);

 private:
  static constexpr std::size_t kLongest = 4u << 20;

  void line(std::string_view text);

  OnEvent on_event_;
  std::string rest_;
  gateway::ServerEvent event_;
  bool any_ = false; ///< there is a text
};

} // namespace skein::node
