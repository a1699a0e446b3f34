#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "schemas/codec.h"

/// Things to encode: one of everything, and random values.
namespace skein::schemas::sample {

/// The same kind and the same contents, bit for bit; CEL's equality is wider.
bool identical(const Value& a, const Value& b);
bool identical(const flow::Event& a, const flow::Event& b);
bool identical(const Entry& a, const Entry& b);

/// A value of any kind, at most `depth` deep.
Value random_value(std::mt19937_64& random, int depth);
/// The same of the kinds that JSON tells apart.
Value random_json(std::mt19937_64& random, int depth);

/// An entry for each event, every field set.
std::vector<Entry> every_entry();
/// A usual entry: a step has succeeded with 20 bytes of output.
Entry usual_entry();
RunRecord record();
Checkpoint checkpoint();
/// Three entries of two runs, hashed.
BatchHeader batch();
OutboxRow outbox();
ResourceRow resource();

/// Blobs in memory.
class Blobs {
 public:
  BlobSink sink();
  BlobSource source() const;
  std::map<ContentHash, std::string>& kept() { return kept_; }

 private:
  std::map<ContentHash, std::string> kept_;
};

} // namespace skein::schemas::sample
