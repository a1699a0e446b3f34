// forge WHAT NUMBER: true messages of a cluster's log made into lies that add up, for tests of what
// a node refuses. Reads lines "SEQUENCE HEX" of the log's stream and prints one message as hex.
//
//   node N         the newest batch, sealed again as node N
//   epoch N        the newest batch in epoch N
//   chain N        the batch after the newest, chained to a hash of nothing but N
//   gap N          a batch N entries beyond the newest
//   log N          the newest batch as of a log with the incarnation N
//   announced N    the newest announcement, in epoch N
//   last N         the newest announcement in the next epoch, of somebody who has N entries
//   alive N        the heartbeat of node N, of a process that was started long ago
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "schemas/log_codec.h"
#include "schemas/node_codec.h"

namespace skein::test {
namespace {

std::string of_hex(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

void print(const std::string& bytes) {
  for (const char byte : bytes) {
    std::printf("%02x", static_cast<unsigned char>(byte));
  }
  std::puts("");
}

/// The newest batch of one part, and the newest announcement of the same partition.
struct Newest {
  std::optional<Batch> batch;
  std::optional<schemas::LeaderAnnounced> announced;

  void read(const std::string& bytes) {
    const auto received = schemas::decode_message(bytes);
    if (!received) {
      return;
    }
    if (const auto* part = std::get_if<schemas::LogPart>(&received->message)) {
      auto opened = schemas::open_batch(part->bytes);
      if (opened) {
        batch = std::move(*opened);
      }
    } else if (const auto* bundle = std::get_if<schemas::LogBundle>(&received->message)) {
      for (const schemas::LogPart& one : bundle->parts) {
        if (auto opened = schemas::open_batch(one.bytes)) {
          batch = std::move(*opened);
        }
      }
    } else if (const auto* said = std::get_if<schemas::LeaderAnnounced>(&received->message)) {
      announced = *said;
    }
  }
};

std::string sealed(const Batch& batch, const schemas::Chain& chain) {
  const auto made = schemas::seal(batch, chain);
  return schemas::encode_message(
      chain.node, schemas::LogPart{batch.partition, made.seal.hash, 0, 1, made.bytes});
}

std::string forged_batch(Batch batch, const std::string& what, std::uint64_t number) {
  const Seal& seal = *batch.seal;
  schemas::Chain before{seal.incarnation, seal.node, LogIndex(seal.first.get() - 1), seal.previous};
  const LogIndex end(seal.first.get() + batch.appends.size() - 1);
  if (what == "node") {
    before.node = NodeId(number);
    before.last = end;
    before.hash = seal.hash;
  } else if (what == "epoch") {
    batch.epoch = Epoch(number);
    before.last = end;
    before.hash = seal.hash;
  } else if (what == "chain") {
    before.last = end;
    before.hash.bytes.fill(static_cast<std::uint8_t>(number));
  } else if (what == "gap") {
    before.last = LogIndex(end.get() + number);
  } else {
    before.incarnation = number;
  }
  return sealed(batch, before);
}

std::string forged(const Newest& newest, const std::string& what, std::uint64_t number) {
  if (what == "alive") {
    schemas::Alive alive;
    alive.beat.node = NodeId(number);
    alive.beat.life = 1;
    alive.beat.said = Instant{std::int64_t{1} << 50}; // after everything: it is not on its way
    return schemas::encode_message(NodeId(number), alive);
  }
  if (what == "announced" || what == "last") {
    schemas::LeaderAnnounced said = *newest.announced;
    if (what == "announced") {
      said.epoch = Epoch(number);
    } else {
      said.epoch = Epoch(said.epoch.get() + 1);
      said.last = LogIndex(number);
    }
    return schemas::encode_message(said.leader, said);
  }
  return forged_batch(*newest.batch, what, number);
}

} // namespace
} // namespace skein::test

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: forge WHAT NUMBER < MESSAGES\n", stderr);
    return 2;
  }
  skein::test::Newest newest;
  std::string sequence;
  std::string hex;
  for (std::string text; std::getline(std::cin, text);) {
    std::istringstream words(text);
    if (words >> sequence >> hex) {
      newest.read(skein::test::of_hex(hex));
    }
  }
  if (!newest.batch || !newest.announced) {
    std::fputs("there is no batch, or no announcement\n", stderr);
    return 1;
  }
  skein::test::print(skein::test::forged(newest, argv[1], std::strtoull(argv[2], nullptr, 10)));
  return 0;
}
