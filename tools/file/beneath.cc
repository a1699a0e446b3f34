#include "tools/file/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace skein::tools {
namespace {

constexpr mode_t kDirectoryMode = 0777; // the umask takes away what it takes away

Result<UniqueFd> openat2_in(int root, const RootedPath& path, const std::string& rest, int flags,
                            mode_t mode) {
  struct open_how how = {};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  long fd = -1;
  do {
    fd = ::syscall(SYS_openat2, root, rest.c_str(), &how, sizeof how);
  } while (fd < 0 && (errno == EAGAIN || errno == EINTR)); // somebody renamed on the way: again
  if (fd < 0) {
    return error_of(errno, path);
  }
  return UniqueFd(static_cast<int>(fd));
}

Result<UniqueFd> open_root(const RootedPath& path) {
  UniqueFd root(::open(path.root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) {
    return error_of(errno, RootedPath{path.root, "."});
  }
  return root;
}

std::string without_trailing_slashes(std::string_view text) {
  while (text.size() > 1 && text.ends_with('/')) {
    text.remove_suffix(1);
  }
  return std::string(text);
}

/// Makes each missing directory on the way to `rest`.
Result<void> make_directories(int root, const RootedPath& path, const std::string& rest) {
  for (std::size_t end = rest.find('/');; end = rest.find('/', end + 1)) {
    const std::string part = rest.substr(0, end);
    const auto known = openat2_in(root, path, part, O_PATH | O_DIRECTORY, 0);
    if (!known) {
      const std::size_t slash = part.rfind('/');
      const std::string above = slash == std::string::npos ? "." : part.substr(0, slash);
      const auto parent = openat2_in(root, path, above, O_PATH | O_DIRECTORY, 0);
      if (!parent) {
        return parent.error();
      }
      const std::string name = slash == std::string::npos ? part : part.substr(slash + 1);
      if (::mkdirat(parent->get(), name.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
        return error_of(errno, path);
      }
    }
    if (end == std::string::npos) {
      return {};
    }
  }
}

} // namespace

Error error_of(int reason, const RootedPath& path) {
  const std::string why = path.shown() + ": " + std::generic_category().message(reason);
  switch (reason) {
    case ENOENT:
      return {Code::file_missing, path.shown() + " does not exist"};
    case EXDEV:
      return {Code::tool_denied, path.shown() + " leads out of " + path.root};
    case ELOOP:
      return {Code::tool_denied, path.shown() + " goes through a symbolic link",
              "name the place that the link leads to"};
    case ENOSYS:
      return {Code::tool_unavailable, "this kernel has no openat2", "run Linux 5.6 or later"};
    default:
      return {Code::tool_failed, why};
  }
}

Result<RootedPath> find_root(const std::vector<std::string>& roots, std::string_view path) {
  if (roots.empty()) {
    return Error{Code::tool_denied, "this node declares no directory that files may be in"};
  }
  if (path.find('\0') != std::string_view::npos) {
    return Error{Code::tool_denied, "a path must not have a NUL in it"};
  }
  if (!path.starts_with('/')) {
    return RootedPath{roots[0], path.empty() ? "." : without_trailing_slashes(path)};
  }
  const std::string whole = without_trailing_slashes(path);
  const std::string* longest = nullptr;
  for (const std::string& root : roots) {
    const bool inside = whole == root || whole.starts_with(root == "/" ? root : root + "/");
    if (inside && (longest == nullptr || root.size() > longest->size())) {
      longest = &root;
    }
  }
  if (longest == nullptr) {
    return Error{Code::tool_denied, whole + " is in no declared root",
                 "use a path below " + roots[0]};
  }
  const std::size_t skip = *longest == "/" ? 1 : longest->size() + 1;
  return RootedPath{*longest, whole.size() <= skip ? "." : whole.substr(skip)};
}

Result<UniqueFd> open_beneath(const RootedPath& path, int flags, mode_t mode) {
  const auto root = open_root(path);
  return root ? openat2_in(root->get(), path, path.rest, flags, mode)
              : Result<UniqueFd>(root.error());
}

Result<Parent> open_parent(const RootedPath& path, bool make_missing) {
  const std::size_t slash = path.rest.rfind('/');
  const std::string above = slash == std::string::npos ? "." : path.rest.substr(0, slash);
  const std::string name = slash == std::string::npos ? path.rest : path.rest.substr(slash + 1);
  if (name == "." || name == ".." || name.empty()) {
    return Error{Code::tool_denied, path.shown() + " is no name of a file"};
  }
  const auto root = open_root(path);
  if (!root) {
    return root.error();
  }
  if (make_missing && above != ".") {
    if (const auto made = make_directories(root->get(), path, above); !made) {
      return made.error();
    }
  }
  auto directory = openat2_in(root->get(), path, above, O_RDONLY | O_DIRECTORY, 0);
  if (!directory) {
    return directory.error();
  }
  return Parent{std::move(*directory), name};
}

} // namespace skein::tools
