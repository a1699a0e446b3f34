#include "measure.h"

#include <rocksdb/db.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace skein::bench {
namespace {

std::unique_ptr<rocksdb::DB> open_bare(const std::filesystem::path& directory) {
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory.parent_path());
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* database = nullptr;
  if (const auto status = rocksdb::DB::Open(options, directory.string(), &database); !status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    std::exit(1);
  }
  return std::unique_ptr<rocksdb::DB>(database);
}

void write_group(rocksdb::DB& database, std::size_t group, const std::string& value,
                 std::size_t& written) {
  rocksdb::WriteOptions synced;
  synced.sync = true;
  rocksdb::WriteBatch batch;
  for (std::size_t i = 0; i < group; ++i) {
    char key[24];
    std::snprintf(key, sizeof key, "%020zu", written++);
    batch.Put(key, value);
  }
  if (!database.Write(synced, &batch).ok()) {
    std::exit(1);
  }
}

} // namespace

double bare_entries_per_second(const std::filesystem::path& directory, std::size_t group,
                               std::size_t bytes, double seconds) {
  const auto database = open_bare(directory);
  const std::string value(bytes, 'v');
  std::size_t written = 0;
  const auto start = Ticks::now();
  while (seconds_since(start) < seconds) {
    write_group(*database, group, value, written);
  }
  return static_cast<double>(written) / seconds_since(start);
}

double bare_write_p50(const std::filesystem::path& directory, std::size_t bytes,
                      std::size_t writes) {
  const auto database = open_bare(directory);
  const std::string value(bytes, 'v');
  std::vector<double> took;
  std::size_t written = 0;
  while (took.size() < writes) {
    const auto start = Ticks::now();
    write_group(*database, 1, value, written);
    took.push_back(seconds_since(start) * 1e6);
  }
  std::nth_element(took.begin(), took.begin() + static_cast<std::ptrdiff_t>(writes / 2),
                   took.end());
  return took[writes / 2];
}

double processor_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double resident_mb() {
  std::ifstream file("/proc/self/statm");
  double all = 0;
  double resident = 0;
  file >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

void report(std::string_view name, double value, std::string_view unit, double limit,
            std::string_view limit_name) {
  std::printf(
      "{\"name\":\"%.*s\",\"value\":%.6g,\"unit\":\"%.*s\",\"limit\":%.6g,"
      "\"limit_name\":\"%.*s\",\"ratio\":%.4g}\n",
      static_cast<int>(name.size()), name.data(), value, static_cast<int>(unit.size()), unit.data(),
      limit, static_cast<int>(limit_name.size()), limit_name.data(), value / limit);
  std::fflush(stdout);
}

} // namespace skein::bench
