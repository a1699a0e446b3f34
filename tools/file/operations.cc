#include "tools/file/operations.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "core/base/hash.h"
#include "core/value/text.h"
#include "core/value/utf8.h"
#include "tools/arguments.h"
#include "tools/file/beneath.h"

namespace skein::tools {
namespace {

constexpr mode_t kFileMode = 0666; // the umask takes away what it takes away

Result<RootedPath> path_of(const ToolCall& call, const ToolSettings& settings) {
  return find_root(settings, text_at(call.input, "path").value_or(""));
}

bool is_base64(const ToolCall& call) { return text_at(call.input, "encoding") == "base64"; }

/// The bytes to write: text as it is, base64 decoded, other values as JSON.
Result<std::string> content_of(const ToolCall& call, const ToolSettings& settings) {
  const Value& content = *call.input.find("content");
  std::string bytes =
      content.is(Kind::bytes) ? std::string(content.as_string()) : plain_text(content);
  if (is_base64(call) && content.is(Kind::string)) {
    auto decoded = decode_base64(bytes);
    if (!decoded) {
      return Error{Code::tool_input_invalid, "at /content: is not base64"};
    }
    bytes = std::move(*decoded);
  }
  if (bytes.size() > settings.file.max_size) {
    return Error{Code::tool_output_limit, "the content has " + std::to_string(bytes.size()) +
                                              " bytes, more than the limit of " +
                                              std::to_string(settings.file.max_size)};
  }
  return bytes;
}

bool is_missing(const Error& error) { return error.code == Code::file_missing; }

std::string_view kind_of(mode_t mode) {
  return S_ISREG(mode) ? "file" : S_ISDIR(mode) ? "directory" : S_ISLNK(mode) ? "link" : "other";
}

Error not_a_file(const RootedPath& path, mode_t mode) {
  return {Code::tool_failed, path.shown() + " is no file but " +
                                 (S_ISDIR(mode) ? "a directory" : "a device, pipe or socket")};
}

/// Opens without waiting for the other end of a pipe, and only what is a file.
Result<UniqueFd> open_file(const RootedPath& path, int flags, mode_t mode, struct stat* status) {
  auto file = open_beneath(path, flags | O_NONBLOCK | O_NOCTTY, mode);
  if (!file) {
    return file;
  }
  if (::fstat(file->get(), status) != 0) {
    return error_of(errno, path);
  }
  if (!S_ISREG(status->st_mode)) {
    return not_a_file(path, status->st_mode);
  }
  return file;
}

Result<std::string> read_all(int fd, const RootedPath& path, std::size_t limit) {
  std::string out;
  std::array<char, 64u << 10> buffer;
  while (true) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno != EINTR) {
      return error_of(errno, path);
    }
    if (n == 0) {
      return out;
    }
    out.append(buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    if (out.size() > limit) {
      return Error{
          Code::tool_output_limit,
          path.shown() + " is larger than the limit of " + std::to_string(limit) + " bytes",
          "raise max_output, or read a part of it with a command"};
    }
  }
}

Result<void> write_all(int fd, const RootedPath& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR) {
      return error_of(errno, path);
    }
    bytes.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
  }
  if (::fsync(fd) != 0) {
    return error_of(errno, path);
  }
  return {};
}

Value written(const RootedPath& path, std::string_view bytes) {
  return object({{"path", path.shown()},
                 {"size", static_cast<std::int64_t>(bytes.size())},
                 {"hash", to_string(content_hash(bytes))}});
}

std::string modified_at(const struct stat& status) {
  return to_string(Instant{status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1'000'000});
}

/// Writes beside the target under a name that every attempt of the call shares, so that what a
/// crash left is used up by the next attempt, and moves it over the target.
Result<void> replace(const Parent& parent, const RootedPath& path, const std::string& key,
                     std::string_view bytes) {
  struct stat old = {};
  const bool replaces =
      ::fstatat(parent.directory.get(), parent.name.c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0;
  if (replaces && !S_ISREG(old.st_mode)) {
    return S_ISLNK(old.st_mode) ? error_of(ELOOP, path) : not_a_file(path, old.st_mode);
  }
  const std::string temporary = ".skein-" + to_string(digest(key + '\0' + parent.name)) + ".part";
  ::unlinkat(parent.directory.get(), temporary.c_str(), 0);
  const UniqueFd file(::openat(parent.directory.get(), temporary.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
  if (!file) {
    return error_of(errno, path);
  }
  if (replaces) {
    ::fchmod(file.get(), old.st_mode & 07777);
  }
  auto done = write_all(file.get(), path, bytes);
  if (done && ::renameat(parent.directory.get(), temporary.c_str(), parent.directory.get(),
                         parent.name.c_str()) != 0) {
    done = error_of(errno, path);
  }
  if (!done) {
    ::unlinkat(parent.directory.get(), temporary.c_str(), 0);
    return done;
  }
  if (::fsync(parent.directory.get()) != 0) {
    return error_of(errno, path);
  }
  return {};
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

Value entry_of(int directory, const std::string& name) {
  struct stat status = {};
  if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return object({{"name", repaired_utf8(name)}, {"kind", "other"}, {"size", 0}});
  }
  return object({{"name", repaired_utf8(name)},
                 {"kind", kind_of(status.st_mode)},
                 {"size", std::int64_t{status.st_size}}});
}

} // namespace

ToolResult read_file(const ToolCall& call, const ToolSettings& settings) {
  const auto path = path_of(call, settings);
  const auto limit = size_at(call.input, "max_output", settings.file.max_size);
  if (!path || !limit) {
    return path ? limit.error() : path.error();
  }
  struct stat status = {};
  const auto file = open_file(*path, O_RDONLY, 0, &status);
  const auto bytes =
      file ? read_all(file->get(), *path, *limit) : Result<std::string>(file.error());
  if (!bytes) {
    return bytes.error();
  }
  std::string content = *bytes;
  if (is_base64(call)) {
    content.clear();
    append_base64(content, *bytes);
  } else if (!valid_utf8(content)) {
    return Error{Code::tool_failed, path->shown() + " is not text in UTF-8",
                 "read it with `encoding: base64`"};
  }
  return object({{"content", content},
                 {"size", static_cast<std::int64_t>(bytes->size())},
                 {"hash", to_string(content_hash(*bytes))}});
}

ToolResult write_file(const ToolCall& call, const ToolSettings& settings) {
  const auto path = path_of(call, settings);
  const auto content = path ? content_of(call, settings) : Result<std::string>(path.error());
  const auto parent = content ? open_parent(*path, true) : Result<Parent>(content.error());
  if (!parent) {
    return parent.error();
  }
  if (const auto done = replace(*parent, *path, call.key, *content); !done) {
    return done.error();
  }
  return written(*path, *content);
}

ToolResult append_file(const ToolCall& call, const ToolSettings& settings) {
  const auto path = path_of(call, settings);
  const auto content = path ? content_of(call, settings) : Result<std::string>(path.error());
  const auto parent = content ? open_parent(*path, true) : Result<Parent>(content.error());
  if (!parent) {
    return parent.error();
  }
  struct stat status = {};
  const auto file = open_file(*path, O_WRONLY | O_APPEND | O_CREAT, kFileMode, &status);
  if (!file) {
    return file.error();
  }
  if (status.st_nlink > 1) { // a second name may be anywhere
    return Error{Code::tool_denied, path->shown() + " has a second name (a hard link)"};
  }
  const auto done = write_all(file->get(), *path, *content);
  if (!done || ::fsync(parent->directory.get()) != 0) {
    return done ? error_of(errno, *path) : done.error();
  }
  return object({{"path", path->shown()},
                 {"size", static_cast<std::int64_t>(status.st_size) +
                              static_cast<std::int64_t>(content->size())}});
}

ToolResult list_directory(const ToolCall& call, const ToolSettings& settings) {
  const auto path = path_of(call, settings);
  auto opened = path ? open_beneath(*path, O_RDONLY | O_DIRECTORY) : Result<UniqueFd>(path.error());
  if (!opened) {
    return opened.error();
  }
  const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(::dup(opened->get())));
  if (!directory) {
    return error_of(errno, *path);
  }
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") {
      names.push_back(name);
    }
    if (names.size() > settings.file.max_entries) {
      return Error{Code::tool_output_limit, path->shown() + " has more than " +
                                                std::to_string(settings.file.max_entries) +
                                                " entries"};
    }
  }
  std::sort(names.begin(), names.end());
  std::vector<Value> entries;
  for (const std::string& name : names) {
    entries.push_back(entry_of(opened->get(), name));
  }
  return object({{"entries", Value::of_list(std::move(entries))}});
}

ToolResult stat_file(const ToolCall& call, const ToolSettings& settings) {
  const auto path = path_of(call, settings);
  const auto opened =
      path ? open_beneath(*path, O_PATH | O_NOFOLLOW) : Result<UniqueFd>(path.error());
  struct stat status = {};
  if (!opened) {
    return is_missing(opened.error()) ? ToolResult(object({{"exists", false}}))
                                      : ToolResult(opened.error());
  }
  if (::fstat(opened->get(), &status) != 0) {
    return error_of(errno, *path);
  }
  return object({{"exists", true},
                 {"kind", kind_of(status.st_mode)},
                 {"size", std::int64_t{status.st_size}},
                 {"modified_at", modified_at(status)}});
}

ToolResult delete_file(const ToolCall& call, const ToolSettings& settings) {
  const auto path = path_of(call, settings);
  const auto parent = path ? open_parent(*path, false) : Result<Parent>(path.error());
  if (!parent) {
    return is_missing(parent.error()) ? ToolResult(object({{"deleted", false}}))
                                      : ToolResult(parent.error());
  }
  const int fd = parent->directory.get();
  if (::unlinkat(fd, parent->name.c_str(), 0) == 0 ||
      (errno == EISDIR && ::unlinkat(fd, parent->name.c_str(), AT_REMOVEDIR) == 0)) {
    return ::fsync(fd) == 0 ? ToolResult(object({{"deleted", true}}))
                            : ToolResult(error_of(errno, *path));
  }
  return errno == ENOENT ? ToolResult(object({{"deleted", false}}))
                         : ToolResult(error_of(errno, *path));
}

Result<std::optional<Value>> find_written(const ToolCall& call, const ToolSettings& settings) {
  const auto path = path_of(call, settings);
  const auto content = path ? content_of(call, settings) : Result<std::string>(path.error());
  if (!content) {
    return content.error();
  }
  struct stat status = {};
  const auto file = open_file(*path, O_RDONLY, 0, &status);
  if (!file || static_cast<std::size_t>(status.st_size) != content->size()) {
    return std::optional<Value>();
  }
  const auto there = read_all(file->get(), *path, settings.file.max_size);
  return there && *there == *content ? std::optional(written(*path, *content)) : std::nullopt;
}

} // namespace skein::tools
