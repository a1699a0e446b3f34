#include "node/remote/event_reader.h"

#include <utility>

namespace skein::node {

bool EventReader::take(std::string_view bytes) {
  rest_ += bytes;
  std::size_t begin = 0;
  for (std::size_t end = rest_.find('\n'); end != std::string::npos;
       end = rest_.find('\n', begin)) {
    std::string_view text = std::string_view(rest_).substr(begin, end - begin);
    if (text.ends_with('\r')) {
      text.remove_suffix(1);
    }
    line(text);
    begin = end + 1;
  }
  rest_.erase(0, begin);
  return rest_.size() + event_.text.size() <= kLongest;
}

void EventReader::line(std::string_view text) {
  if (text.empty()) {
    gateway::ServerEvent event = std::exchange(event_, {});
    if (std::exchange(any_, false)) {
      on_event_(event);
    }
    return;
  }
  const auto colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  std::string_view value = colon == text.npos ? std::string_view() : text.substr(colon + 1);
  if (value.starts_with(' ')) {
    value.remove_prefix(1);
  }
  if (name == "id") {
    event_.id = value;
  } else if (name == "event") {
    event_.name = value;
  } else if (name == "data") {
    event_.text += (any_ ? "\n" : "") + std::string(value);
    any_ = true;
  }
}

} // namespace skein::node
