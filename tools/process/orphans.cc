#include "tools/process/orphans.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <optional>
#include <string>

#include "tools/process/unique_fd.h"

namespace skein::tools {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> contents(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    return std::nullopt;
  }
  std::string out;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(file.get(), buffer, sizeof buffer)) > 0;) {
    out.append(buffer, static_cast<std::size_t>(n));
  }
  return out;
}

template <class T>
std::optional<T> number(std::string_view text) {
  T out{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
  return problem == std::errc() && end == text.data() + text.size() ? std::optional<T>(out)
                                                                    : std::nullopt;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
    if (end > 0) {
      out.push_back(text.substr(0, end));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

struct Standing {
  char state = '?';
  pid_t parent = -1;
  pid_t session = -1;
};

std::optional<Standing> standing_of(pid_t pid) {
  const auto text = contents("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = text ? text->rfind(')') : std::string::npos;
  if (name_end == std::string::npos) {
    return std::nullopt;
  }
  const auto fields = words(std::string_view(*text).substr(name_end + 1));
  if (fields.size() < 4) {
    return std::nullopt;
  }
  return Standing{fields[0][0], number<pid_t>(fields[1]).value_or(-1),
                  number<pid_t>(fields[3]).value_or(-1)};
}

std::vector<pid_t> children_by_scan(pid_t parent) {
  std::vector<pid_t> out;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator("/proc", problem)) {
    const auto pid = number<pid_t>(entry.path().filename().string());
    if (pid && standing_of(*pid).value_or(Standing{}).parent == parent) {
      out.push_back(*pid);
    }
  }
  return out;
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> out;
  std::error_code problem;
  const std::string tasks = "/proc/" + std::to_string(parent) + "/task";
  for (const auto& task : fs::directory_iterator(tasks, problem)) {
    const auto list = contents(task.path().string() + "/children");
    if (!list) {
      return children_by_scan(parent);
    }
    for (const std::string_view word : words(*list)) {
      out.push_back(number<pid_t>(word).value_or(-1));
    }
  }
  return out;
}

bool has_mark(pid_t pid, std::string_view mark) {
  if (mark.empty()) {
    return false;
  }
  const auto environment = contents("/proc/" + std::to_string(pid) + "/environ");
  const std::string whole = '\0' + environment.value_or("") + '\0';
  return whole.find('\0' + std::string(mark) + '\0') != std::string::npos;
}

} // namespace

std::vector<pid_t> children_of_this_process() { return children_of(::getpid()); }

std::vector<pid_t> grandchildren_of(pid_t pid) {
  std::vector<pid_t> out;
  std::vector<pid_t> level = children_of(pid);
  while (!level.empty()) {
    std::vector<pid_t> next;
    for (const pid_t parent : level) {
      for (const pid_t child : children_of(parent)) {
        next.push_back(child);
        out.push_back(child);
      }
    }
    level = std::move(next);
  }
  return out;
}

bool sweep_orphans(std::string_view mark, pid_t session, std::set<pid_t>& dying,
                   const std::function<bool(pid_t)>& known) {
  for (const pid_t pid : children_of_this_process()) {
    if (pid <= 1 || known(pid) || dying.contains(pid)) {
      continue;
    }
    const auto standing = standing_of(pid);
    if (standing && standing->state == 'Z' && standing->session != ::getsid(0)) {
      ::waitpid(pid, nullptr, WNOHANG); // a daemon that ended; nobody else will ask for it
    } else if (standing && (standing->session == session || has_mark(pid, mark))) {
      ::kill(pid, SIGKILL);
      dying.insert(pid);
    }
  }
  const bool found = !dying.empty();
  std::erase_if(dying, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
  return found;
}

} // namespace skein::tools
