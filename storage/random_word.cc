#include "storage/random_word.h"

#include <mutex>
#include <random>

namespace skein::storage {

std::uint64_t random_word() {
  static std::mutex mutex;
  static std::random_device device;
  const std::lock_guard lock(mutex);
  return std::uint64_t{device()} << 32 | device();
}

} // namespace skein::storage
