#include "tools/hidden.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "tools/process/unique_fd.h"

namespace skein::tools {
namespace {

using Identity = std::pair<dev_t, ino_t>;

Error failed(const std::string& what) {
  return {Code::tool_failed, what + ": " + std::generic_category().message(errno)};
}

std::vector<Identity> identities_of(const std::vector<std::string>& directories) {
  std::vector<Identity> out;
  for (const std::string& directory : directories) {
    struct stat status = {};
    if (::stat(directory.c_str(), &status) == 0) {
      out.emplace_back(status.st_dev, status.st_ino);
    }
  }
  return out;
}

} // namespace

Result<bool> is_hidden(int directory, const std::vector<std::string>& hidden) {
  const std::vector<Identity> wanted = identities_of(hidden);
  const std::vector<Identity> top = identities_of({"/"});
  if (wanted.empty()) {
    return false;
  }
  constexpr int kOpen = O_PATH | O_DIRECTORY | O_CLOEXEC;
  Identity below{};
  for (UniqueFd at(::openat(directory, ".", kOpen)); at;
       at = UniqueFd(::openat(at.get(), "..", kOpen))) {
    struct stat status = {};
    if (::fstat(at.get(), &status) != 0) {
      break;
    }
    const Identity here{status.st_dev, status.st_ino};
    if (std::find(wanted.begin(), wanted.end(), here) != wanted.end()) {
      return true;
    }
    if (here == below && top == std::vector{here}) { // which is above itself
      return false;
    }
    below = here;
  }
  return failed("the directories above a path cannot be looked at");
}

Result<bool> is_hidden(const std::string& directory, const std::vector<std::string>& hidden) {
  if (hidden.empty()) {
    return false;
  }
  const UniqueFd opened(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  return opened ? is_hidden(opened.get(), hidden) : failed(directory);
}

bool is_at_or_below(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory == "/" ? directory : directory + "/");
}

} // namespace skein::tools
