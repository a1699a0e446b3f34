#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/base/result.h"

namespace skein::broker {

/// How a server of ours is reached, and by whom.
struct Access {
  std::uint16_t port = 0;
  std::string name; ///< of the server, in its greeting
  std::string user;
  std::string password;
};

/// What access.json of the folder says; a new name, user and password where there is none.
Access load_access(const std::filesystem::path& folder);
/// Writes access.json and server.conf, readable by their owner only.
/// `version`: of the program, "2.9.10": newer ones can sync what they store more often.
/// Errors: nats_server_failed.
Result<void> write_files(const std::filesystem::path& folder, const Access& access,
                         const std::string& version);

std::filesystem::path config_of(const std::filesystem::path& folder);
std::filesystem::path pid_file_of(const std::filesystem::path& folder);

/// A port of loopback that nobody listens on now: the one that is wanted where it is free.
std::uint16_t free_port(std::uint16_t wanted);

/// What "nats-server: v2.9.10" says, as {2, 9}; {0, 0} where it cannot be read.
std::pair<int, int> version_of(const std::string& text);

} // namespace skein::broker
