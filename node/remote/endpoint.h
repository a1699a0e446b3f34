#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/base/instant.h"
#include "core/base/result.h"

namespace skein::node {

/// Where a node is and how to be let in.
struct Endpoint {
  std::string url; ///< "http://127.0.0.1:7711"
  std::string token;
  std::string id;             ///< of the node; "" where any will do
  std::filesystem::path data; ///< that it was found through; empty where it was named by its URL
  std::int64_t pid = 0;
};

/// What a node leaves in its data directory while it runs.
struct EndpointFile {
  std::string url;
  std::string id;
  std::string name;
  std::string version;
  std::int64_t pid = 0;
  Instant started_at;
};

/// Writes node.json and skein.pid, each whole or not at all. Errors: storage_io.
Result<void> write_endpoint(const std::filesystem::path& data, const EndpointFile& file);
/// Removes both, where they are still of this process.
void remove_endpoint(const std::filesystem::path& data);

/// The token of a data directory: made when there is none, readable by its owner alone.
/// Errors: storage_io.
Result<std::string> token_of(const std::filesystem::path& data);

/// The node that has this data directory open, as far as its files and the process table tell.
std::optional<Endpoint> find_endpoint(const std::filesystem::path& data);

} // namespace skein::node
