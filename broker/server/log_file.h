#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace skein::broker {

/// The log of another process: one file up to a size, and the one before it. Thread-safety: one
/// thread.
class LogFile {
 public:
  LogFile(std::filesystem::path path, std::uint64_t most);

  void write(std::string_view text);
  /// The last two lines that were written, as one: for a message.
  std::string last() const;

 private:
  void open();

  const std::filesystem::path path_;
  const std::uint64_t most_;
  std::uint64_t size_ = 0;
  std::ofstream file_;
  std::string last_;
};

} // namespace skein::broker
