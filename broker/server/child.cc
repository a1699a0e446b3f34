#include "broker/server/child.h"

#include <fcntl.h>
#include <poll.h>
extern "C" { // Debian 12's header does not say so itself
#include <sys/pidfd.h>
}
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace skein::broker {
namespace {

constexpr int kPatienceMs = 5'000;

Error failed(const std::string& what) {
  return {Code::nats_server_failed, what + ": " + std::strerror(errno)};
}

/// Between fork and exec: only calls that are safe there.
[[noreturn]] void become(const char* program, char* const* arguments, int output, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) {
    ::_exit(127); // the parent ended before it could be asked for
  }
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) {
    ::sigaction(signal, &usual, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::close_range(3, ~0U, 0);
  ::execv(program, arguments);
  ::_exit(127);
}

bool wait_for(int fd, int ms) {
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, ms) == 1;
}

} // namespace

Fd::~Fd() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

Result<Child> spawn(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<char*> words{const_cast<char*>(program.c_str())}; // NOLINT: exec takes no const
  for (const std::string& argument : arguments) {
    words.push_back(const_cast<char*>(argument.c_str())); // NOLINT
  }
  words.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return failed("no pipe");
  }
  Child child;
  child.output = Fd(ends[0]);
  const Fd write_end(ends[1]);
  ::fcntl(child.output.get(), F_SETFL, O_NONBLOCK);
  const pid_t parent = ::getpid();
  child.pid = ::fork();
  if (child.pid < 0) {
    return failed("no process for " + program);
  }
  if (child.pid == 0) {
    become(program.c_str(), words.data(), write_end.get(), parent);
  }
  child.ended = Fd(::pidfd_open(child.pid, 0));
  if (child.ended.get() < 0) {
    const Error error = failed("pidfd");
    ::kill(child.pid, SIGKILL);
    ::waitpid(child.pid, nullptr, 0);
    return error;
  }
  return child;
}

std::string reap(const Child& child) {
  int status = 0;
  if (::waitpid(child.pid, &status, 0) != child.pid) {
    return "is gone";
  }
  return WIFSIGNALED(status) ? "was killed by signal " + std::to_string(WTERMSIG(status))
                             : "ended with " + std::to_string(WEXITSTATUS(status));
}

void end(Child& child, int patience_ms) {
  ::kill(child.pid, SIGTERM); // not reaped yet, so the number is still its own
  if (!wait_for(child.ended.get(), patience_ms)) {
    ::kill(child.pid, SIGKILL);
  }
  reap(child);
}

bool end_stranger(pid_t pid, const std::string& argument) {
  const Fd process(::pidfd_open(pid, 0));
  if (process.get() < 0) {
    return false;
  }
  std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
  const std::string line{std::istreambuf_iterator<char>(file), {}};
  if (line.find('\0' + argument + '\0') == std::string::npos) {
    return false; // another process got its number
  }
  ::pidfd_send_signal(process.get(), SIGTERM, nullptr, 0);
  if (!wait_for(process.get(), kPatienceMs)) {
    ::pidfd_send_signal(process.get(), SIGKILL, nullptr, 0);
    wait_for(process.get(), kPatienceMs);
  }
  return true;
}

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    return ::access(name.c_str(), X_OK) == 0 ? name : "";
  }
  const char* const path = std::getenv("PATH");
  std::string folders = path != nullptr ? path : "";
  folders += ":/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin";
  for (std::size_t at = 0; at < folders.size();) {
    const std::size_t end = std::min(folders.find(':', at), folders.size());
    const std::string full = folders.substr(at, end - at) + "/" + name;
    if (full.front() == '/' && ::access(full.c_str(), X_OK) == 0) {
      return full;
    }
    at = end + 1;
  }
  return "";
}

} // namespace skein::broker
