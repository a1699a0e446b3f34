#include "storage/disk_space.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>

namespace skein::storage {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;

constexpr std::chrono::milliseconds kRecent{100};

/// What the machine said last.
struct Answer {
  std::mutex mutex;
  std::chrono::steady_clock::time_point old_at; ///< since when it is not recent any more
  DiskSpace space;
};

std::string mebibytes(std::uint64_t bytes) { return std::to_string(bytes / kMiB) + " MiB"; }

} // namespace

DiskSpace space_of(const std::filesystem::path& directory) {
  std::error_code failure;
  const auto space = std::filesystem::space(directory, failure);
  return failure ? DiskSpace{} : DiskSpace{space.capacity, space.available};
}

std::function<DiskSpace()> recent_space_of(std::filesystem::path directory) {
  return [directory = std::move(directory), last = std::make_shared<Answer>()] {
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock(last->mutex);
    if (now >= last->old_at) {
      last->space = space_of(directory);
      last->old_at = now + kRecent;
    }
    return last->space;
  };
}

Room room_in(const DiskSpace& space) {
  if (space.size == 0) {
    return Room::all;
  }
  if (space.free < std::min(space.size / 20, 512 * kMiB)) {
    return Room::none;
  }
  return space.free < std::min(space.size / 20 * 3, 2048 * kMiB) ? Room::begun_only : Room::all;
}

Result<void> check_room(const std::filesystem::path& directory, const DiskSpace& space,
                        Room needed) {
  const Room room = room_in(space);
  if (room <= needed) {
    return {};
  }
  return Error{Code::storage_full,
               "the disk of " + directory.string() + " has " + mebibytes(space.free) + " of " +
                   mebibytes(space.size) + " left" +
                   (room == Room::none ? ": nothing is written" : ": no new runs are begun"),
               "free some space; nothing was lost"};
}

} // namespace skein::storage
