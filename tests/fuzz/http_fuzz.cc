// What a client or a node sends: targets of requests, event streams, frames.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/value/utf8.h"
#include "gateway/target.h"
#include "node/api/frames.h"
#include "node/remote/event_reader.h"

using namespace skein;

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// What was read is plain, and written anew it reads the same.
void check_target(std::string_view bytes) {
  const auto target = gateway::parse_target(bytes);
  if (!target) {
    return;
  }
  std::string again;
  for (const std::string& segment : target->segments) {
    require(!segment.empty() && segment != "." && segment != ".." && valid_utf8(segment) &&
            segment.find_first_of(std::string_view("/\\\0\r\n", 5)) == std::string::npos);
    again += "/" + gateway::percent_encoded(segment);
  }
  for (const auto& [name, value] : target->query) {
    again += (again.find('?') == std::string::npos ? (again.empty() ? "/?" : "?") : "&") +
             gateway::percent_encoded(name) + "=" + gateway::percent_encoded(value);
  }
  const auto twice = gateway::parse_target(again.empty() ? "/" : again);
  // Longer than may be once it is encoded: only then is it refused.
  require(twice ? twice->segments == target->segments && twice->query == target->query
                : again.size() > (8u << 10));
}

std::string heard(std::string_view bytes, std::size_t cut) {
  std::string all;
  node::EventReader reader([&](const gateway::ServerEvent& event) {
    all += event.id + "|" + event.name + "|" + event.text + "\n";
  });
  for (std::size_t at = 0; at < bytes.size(); at += cut) {
    reader.take(bytes.substr(at, cut));
  }
  return all;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  check_target(text);
  require(heard(text, 1) == heard(text, size + 1));
  (void)node::read_frames(text, [](node::Framed&&) { return true; });
  return 0;
}
