#include "tools/file/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "tools/hidden.h"

namespace skein::tools {
namespace {

constexpr mode_t kDirectoryMode = 0777; // the umask takes away what it takes away

Error denied(const RootedPath& path) {
  return {
      Code::tool_denied, path.shown() + " is in the data directory of the node",
      "name a place outside of it; `skein run status` and `skein run export` show what is stored"};
}

/// The path, as far as it is a directory: nothing of it is a link, so that what is opened by the
/// kernel is where it leads to.
Result<void> check_not_hidden(int directory, const RootedPath& path) {
  const auto hidden = is_hidden(directory, path.hidden);
  return !hidden ? hidden.error() : *hidden ? denied(path) : Result<void>();
}

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
    return error_of(errno, RootedPath{path.root, ".", {}});
  }
  return root;
}

std::string without_trailing_slashes(std::string_view text) {
  while (text.size() > 1 && text.ends_with('/')) {
    text.remove_suffix(1);
  }
  return std::string(text);
}

/// The directory that a path lies in, and its last name.
std::pair<std::string, std::string> split(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::pair(std::string("."), path)
                                    : std::pair(path.substr(0, slash), path.substr(slash + 1));
}

/// A directory that may be looked at and worked in.
Result<UniqueFd> open_directory(int root, const RootedPath& path, const std::string& rest,
                                int flags) {
  auto opened = openat2_in(root, path, rest, flags | O_DIRECTORY, 0);
  if (!opened) {
    return opened;
  }
  const auto visible = check_not_hidden(opened->get(), path);
  return visible ? std::move(opened) : Result<UniqueFd>(visible.error());
}

/// What a visible directory holds may be the hidden one itself.
Result<void> check_name(int directory, const RootedPath& path, const std::string& name) {
  const auto found = openat2_in(directory, path, name, O_PATH | O_DIRECTORY, 0);
  return found ? check_not_hidden(found->get(), path) : Result<void>();
}

/// Makes each missing directory on the way to `rest`.
Result<void> make_directories(int root, const RootedPath& path, const std::string& rest) {
  for (std::size_t end = rest.find('/');; end = rest.find('/', end + 1)) {
    const std::string part = rest.substr(0, end);
    const auto known = openat2_in(root, path, part, O_PATH | O_DIRECTORY, 0);
    if (!known) {
      const auto [above, name] = split(part);
      const auto parent = open_directory(root, path, above, O_PATH);
      if (!parent) {
        return parent.error();
      }
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

Result<RootedPath> find_root(const ToolSettings& settings, std::string_view path) {
  const std::vector<std::string>& roots = settings.roots;
  if (roots.empty()) {
    return Error{Code::tool_denied, "this node declares no directory that files may be in"};
  }
  if (path.find('\0') != std::string_view::npos) {
    return Error{Code::tool_denied, "a path must not have a NUL in it"};
  }
  if (!path.starts_with('/')) {
    return RootedPath{roots[0], path.empty() ? "." : without_trailing_slashes(path),
                      settings.hidden};
  }
  const std::string whole = without_trailing_slashes(path);
  const std::string* longest = nullptr;
  for (const std::string& root : roots) {
    if (is_at_or_below(whole, root) && (longest == nullptr || root.size() > longest->size())) {
      longest = &root;
    }
  }
  if (longest == nullptr) {
    return Error{Code::tool_denied, whole + " is in no declared root",
                 "use a path below " + roots[0]};
  }
  const std::size_t skip = *longest == "/" ? 1 : longest->size() + 1;
  return RootedPath{*longest, whole.size() <= skip ? "." : whole.substr(skip), settings.hidden};
}

Result<UniqueFd> open_beneath(const RootedPath& path, int flags, mode_t mode) {
  const auto root = open_root(path);
  if (!root) {
    return root.error();
  }
  const auto [above, name] = split(path.rest);
  if (name == "." || name == ".." || name.empty()) {
    return open_directory(root->get(), path, path.rest, flags);
  }
  const auto parent = open_directory(root->get(), path, above, O_PATH);
  if (!parent) {
    return parent.error();
  }
  if (const auto visible = check_name(parent->get(), path, name); !visible) {
    return visible.error();
  }
  return openat2_in(parent->get(), path, name, flags, mode);
}

Result<Parent> open_parent(const RootedPath& path, bool make_missing) {
  const auto [above, name] = split(path.rest);
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
  auto directory = open_directory(root->get(), path, above, O_RDONLY);
  if (!directory) {
    return directory.error();
  }
  if (const auto visible = check_name(directory->get(), path, name); !visible) {
    return visible.error();
  }
  return Parent{std::move(*directory), name};
}

} // namespace skein::tools
