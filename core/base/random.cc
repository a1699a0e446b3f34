#include "core/base/random.h"

#include "core/base/hash.h"

namespace skein {
namespace {

std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

} // namespace

std::uint64_t random_at(std::uint64_t seed, std::string_view place, std::uint64_t n) {
  constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15ULL;
  return mix(mix(seed + kStep * (n + 1)) ^ digest(place).low);
}

std::uint64_t below(std::uint64_t random, std::uint64_t bound) { return random % bound; }

} // namespace skein
