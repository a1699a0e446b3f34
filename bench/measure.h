#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string_view>

/// What the benchmark programs share: physical limits, measured in the same run, and one line of
/// JSON per figure for bench/run.
namespace skein::bench {

using Ticks = std::chrono::steady_clock;

inline double seconds_since(Ticks::time_point start) {
  return std::chrono::duration<double>(Ticks::now() - start).count();
}

/// Entries per second of RocksDB alone: `group` values of `bytes` in each synced write.
double bare_entries_per_second(const std::filesystem::path& directory, std::size_t group,
                               std::size_t bytes, double seconds);

/// Median microseconds of one synced write of RocksDB alone.
double bare_write_p50(const std::filesystem::path& directory, std::size_t bytes,
                      std::size_t writes);

/// Processor time of this process so far, in seconds.
double processor_seconds();

/// Resident memory of this process, in MB.
double resident_mb();

/// Prints {"name", "value", "unit", "limit", "limit_name", "ratio"}; ratio is value / limit.
void report(std::string_view name, double value, std::string_view unit, double limit,
            std::string_view limit_name);

} // namespace skein::bench
