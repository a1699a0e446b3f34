#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "core/base/result.h"

namespace skein::storage {

/// Of the file system that holds a directory, in bytes; all zero where nobody knows.
struct DiskSpace {
  std::uint64_t size = 0;
  std::uint64_t free = 0; ///< for this process: without what is reserved for root
};

DiskSpace space_of(const std::filesystem::path& directory);

/// The same, at most a tenth of a second old: to ask before every write would cost a twentieth of
/// it. Thread-safety: any thread.
std::function<DiskSpace()> recent_space_of(std::filesystem::path directory);

/// What a disk this full is still asked to hold. Nothing new is begun in the last 15 % or 2 GiB,
/// whichever is less, so that what is begun can end; nothing is written in the last 5 % or 512 MiB,
/// which RocksDB needs for its compactions and to close.
enum class Room : std::uint8_t { all, begun_only, none };
Room room_in(const DiskSpace& space);

/// Errors: storage_full where the room is less than `needed`; names the directory and what is free.
Result<void> check_room(const std::filesystem::path& directory, const DiskSpace& space,
                        Room needed);

} // namespace skein::storage
