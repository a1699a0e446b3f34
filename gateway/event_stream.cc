#include "gateway/event_stream.h"

#include <algorithm>
#include <string_view>

namespace skein::gateway {
namespace {

// A line break would begin another field.
void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  for (const char c : value) {
    if (c != '\n' && c != '\r' && c != '\0') {
      out.push_back(c);
    }
  }
  out.push_back('\n');
}

} // namespace

std::string to_text(const ServerEvent& event) {
  std::string out;
  if (!event.id.empty()) {
    append_field(out, "id", event.id);
  }
  if (!event.name.empty()) {
    append_field(out, "event", event.name);
  }
  std::string_view rest = event.text;
  for (;;) {
    const auto end = rest.find('\n');
    append_field(out, "data", rest.substr(0, end));
    if (end == rest.npos) {
      break;
    }
    rest.remove_prefix(end + 1);
  }
  out.push_back('\n');
  return out;
}

} // namespace skein::gateway
