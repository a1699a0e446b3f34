// stream_dump: what messages of a cluster's log stream say, for programs that check it.
//
// Reads lines "SEQUENCE HEX" and prints for each one JSON object a line:
//
//   {"seq", "kind": "announced", "partition", "epoch", "node", "last", "from"}
//   {"seq", "kind": "batch", "partition", "epoch", "node", "first", "count", "hash", "previous"}
//   {"seq", "kind": "part", "partition", "batch", "part", "parts"}, before the batch that it ends
//   {"seq", "kind": "other"} and {"seq", "kind": "unreadable", "why"}
#include <cstdio>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "core/value/json.h"
#include "schemas/log_codec.h"
#include "schemas/node_codec.h"

namespace skein::test {
namespace {

std::int64_t number(std::uint64_t n) { return static_cast<std::int64_t>(n); }

std::string name_of(NodeId node) { return std::to_string(node.get()); }

std::string of_hex(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

void line(const Value& value) { std::puts(to_json(value).c_str()); }

class Dump {
 public:
  void print(std::uint64_t sequence, const std::string& bytes) {
    const auto received = schemas::decode_message(bytes);
    if (!received) {
      unreadable(sequence, received.error());
    } else if (const auto* part = std::get_if<schemas::LogPart>(&received->message)) {
      print(sequence, *part);
    } else if (const auto* bundle = std::get_if<schemas::LogBundle>(&received->message)) {
      for (const schemas::LogPart& one : bundle->parts) {
        print(sequence, one);
      }
    } else if (const auto* said = std::get_if<schemas::LeaderAnnounced>(&received->message)) {
      line(object({{"seq", number(sequence)},
                   {"kind", "announced"},
                   {"partition", number(said->partition.get())},
                   {"epoch", number(said->epoch.get())},
                   {"node", name_of(said->leader)},
                   {"last", number(said->last.get())},
                   {"from", name_of(received->from)}}));
    } else {
      line(object({{"seq", number(sequence)}, {"kind", "other"}}));
    }
  }

 private:
  static void unreadable(std::uint64_t sequence, const Error& error) {
    line(object({{"seq", number(sequence)}, {"kind", "unreadable"}, {"why", to_string(error)}}));
  }

  void print(std::uint64_t sequence, const schemas::LogPart& part) {
    std::string bytes = part.bytes;
    if (part.parts > 1) {
      line(object({{"seq", number(sequence)},
                   {"kind", "part"},
                   {"partition", number(part.partition.get())},
                   {"batch", to_string(part.batch)},
                   {"part", number(part.part)},
                   {"parts", number(part.parts)}}));
      auto& pieces = pieces_[to_string(part.batch)];
      pieces[part.part] = part.bytes;
      if (pieces.size() < part.parts) {
        return;
      }
      bytes.clear();
      for (const auto& [place, piece] : pieces) {
        bytes += piece;
      }
      pieces_.erase(to_string(part.batch));
    }
    const auto claimed = schemas::claimed_by(bytes);
    if (!claimed) {
      unreadable(sequence, claimed.error());
      return;
    }
    line(object({{"seq", number(sequence)},
                 {"kind", "batch"},
                 {"partition", number(claimed->partition.get())},
                 {"epoch", number(claimed->epoch.get())},
                 {"node", name_of(claimed->seal.node)},
                 {"first", number(claimed->seal.first.get())},
                 {"count", number(claimed->count)},
                 {"hash", to_string(claimed->seal.hash)},
                 {"previous", to_string(claimed->seal.previous)}}));
  }

  std::map<std::string, std::map<std::uint32_t, std::string>> pieces_;
};

} // namespace
} // namespace skein::test

int main() {
  skein::test::Dump dump;
  std::uint64_t sequence = 0;
  std::string hex;
  for (std::string text; std::getline(std::cin, text);) {
    std::istringstream words(text);
    if (words >> sequence >> hex) {
      dump.print(sequence, skein::test::of_hex(hex));
    }
  }
  return 0;
}
