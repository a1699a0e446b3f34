#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/instant.h"
#include "core/flow/loader.h"
#include "core/resources/document.h"

namespace skein::flow::loading {

/// A node with the way to it, "spec.steps[2].with", which messages name.
struct At {
  const Node* node = nullptr;
  std::string path; ///< empty at the root of the document

  explicit operator bool() const { return node != nullptr; }
};

/// Reads nodes as what they should be and notes a finding where they are not.
class Reader {
 public:
  Reader(std::string file, bool lenient) : file_(std::move(file)), lenient_(lenient) {}

  void complain(const At& at, Code code, std::string why, std::string hint = {});
  /// Takes over an error of another part, at this place.
  void complain(const At& at, const Error& error);

  /// A finding that refuses nothing.
  void warn(const At& at, Code code, std::string why, std::string hint = {});

  /// A member of a map; empty where it is not there.
  static At member(const At& map, std::string_view key);
  static At item(const At& list, std::size_t index);

  /// Whether it is a map; its keys that are not among `known` are findings. Those among `silent`
  /// are somebody else's to judge: never a finding, and never offered.
  bool map_of(const At& at, std::span<const std::string_view> known,
              std::span<const std::string_view> silent = {});
  bool is_map(const At& at);
  bool is_list(const At& at);
  std::optional<std::string> text(const At& at);
  std::optional<bool> boolean(const At& at);
  std::optional<std::int64_t> integer(const At& at, std::int64_t least, std::int64_t most);
  std::optional<Millis> duration(const At& at);
  /// The position of the text among the choices.
  std::optional<std::size_t> choice(const At& at, std::span<const std::string_view> choices);
  std::vector<std::string> texts(const At& at);
  /// From 0 to 1.
  std::optional<double> share(const At& at);

  bool failed() const { return failed_; }
  /// In the file's order.
  std::vector<Finding> take();

 private:
  void add(const At& at, Error error, bool warning);

  std::string file_;
  bool lenient_;
  bool failed_ = false;
  std::vector<Finding> findings_;
};

} // namespace skein::flow::loading
