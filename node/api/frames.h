#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/ports/store.h"

/// What travels whole between a node and its clients: the bytes that storage keeps, one part after
/// the other, each a letter, four bytes of length (little-endian) and the part itself. A large
/// payload goes once, before the first part that refers to it, under its content hash.
namespace skein::node {

inline constexpr std::string_view kFrames = "application/vnd.skein.frames";

/// Thread-safety: none.
class FrameWriter {
 public:
  void add(const RunRecord& record);
  void add(const Entry& entry);
  void add(const Checkpoint& checkpoint);
  void add(const ResourceRow& row);
  void add(Seq number);

  std::size_t size() const { return out_.size(); }
  std::string take() { return std::move(out_); }

 private:
  void part(char letter, std::string_view bytes);
  void blob(const ContentHash& hash, std::string_view bytes);

  std::string out_;
  std::map<ContentHash, bool> sent_;
};

using Framed = std::variant<RunRecord, Entry, Checkpoint, ResourceRow, Seq>;

/// Each part in order until `visit` answers false.
/// Errors: wire_invalid, wire_limit, wire_version, blob_missing, hash_mismatch.
Result<void> read_frames(std::string_view bytes, const std::function<bool(Framed&&)>& visit);

/// All parts of one kind; any other is wire_invalid.
template <class T>
Result<std::vector<T>> all_of(std::string_view bytes) {
  std::vector<T> all;
  bool strange = false;
  auto read = read_frames(bytes, [&](Framed&& part) {
    T* wanted = std::get_if<T>(&part);
    strange = wanted == nullptr;
    if (!strange) {
      all.push_back(std::move(*wanted));
    }
    return !strange;
  });
  if (!read || strange) {
    return read ? Error{Code::wire_invalid, "the node sent another kind of part"} : read.error();
  }
  return all;
}

} // namespace skein::node
