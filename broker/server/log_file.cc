#include "broker/server/log_file.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace skein::broker {
namespace {

constexpr std::size_t kLast = 1024;

} // namespace

LogFile::LogFile(std::filesystem::path path, std::uint64_t most)
    : path_(std::move(path)), most_(most) {
  open();
}

void LogFile::open() {
  std::error_code ignored;
  size_ = std::filesystem::exists(path_, ignored) ? std::filesystem::file_size(path_, ignored) : 0;
  file_.open(path_, std::ios::app | std::ios::binary);
}

void LogFile::write(std::string_view text) {
  if (size_ > 0 && size_ + text.size() > most_) {
    file_.close();
    std::error_code ignored;
    std::filesystem::rename(path_, path_.string() + ".1", ignored);
    open();
  }
  file_ << text << std::flush;
  size_ += text.size();
  last_ += text;
  if (last_.size() > kLast) {
    last_.erase(0, last_.size() - kLast);
  }
}

std::string LogFile::last() const {
  std::string text = last_;
  while (text.ends_with('\n')) {
    text.pop_back();
  }
  const auto line = text.rfind('\n');
  const auto before = line == std::string::npos || line == 0 ? line : text.rfind('\n', line - 1);
  if (before != std::string::npos) {
    text.erase(0, before + 1);
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

} // namespace skein::broker
