#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "tools/process/child.h"

namespace skein::tools {
namespace {

constexpr int kFirstFile = 3;

/// Everything the child needs between vfork and exec, made before: there it may only make system
/// calls, for it runs in the parent's memory.
struct Launch {
  char* const* argv;
  char* const* environment;
  const char* directory; // or null
  std::array<int, 3> standard;
  const int* files;
  std::size_t file_count;
  const ResourceLimit* limits;
  std::size_t limit_count;
  int report; // where the child tells why it could not start
  pid_t parent;
};

[[noreturn]] void give_up(const Launch& launch) {
  const int reason = errno;
  (void)!::write(launch.report, &reason, sizeof reason);
  ::_exit(127);
}

/// Moves every descriptor out of the way of the numbers that the child must find.
void place_descriptors(const Launch& launch, int* scratch) {
  const int above = kFirstFile + static_cast<int>(launch.file_count);
  for (std::size_t i = 0; i < launch.standard.size() + launch.file_count; ++i) {
    const int from =
        i < launch.standard.size() ? launch.standard[i] : launch.files[i - launch.standard.size()];
    scratch[i] = ::fcntl(from, F_DUPFD_CLOEXEC, above);
    if (scratch[i] < 0) {
      give_up(launch);
    }
  }
  for (std::size_t i = 0; i < launch.standard.size() + launch.file_count; ++i) {
    if (::dup2(scratch[i], static_cast<int>(i)) < 0) {
      give_up(launch);
    }
  }
}

void default_signals() {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) {
    ::sigaction(signal, &action, nullptr); // KILL, STOP and libc's own refuse, as they should
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void run_child(const Launch& outside, int* scratch) {
  Launch launch = outside;
  const int above = kFirstFile + static_cast<int>(launch.file_count);
  launch.report = ::fcntl(outside.report, F_DUPFD_CLOEXEC, above);
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != launch.parent) {
    ::_exit(127); // the parent died before the line above
  }
  default_signals();
  place_descriptors(launch, scratch);
  // Also what other code opened without O_CLOEXEC.
  ::syscall(SYS_close_range, above, ~0U, CLOSE_RANGE_CLOEXEC);
  for (std::size_t i = 0; i < launch.limit_count; ++i) {
    const struct rlimit limit = {launch.limits[i].value, launch.limits[i].value};
    if (::setrlimit(static_cast<__rlimit_resource>(launch.limits[i].resource), &limit) != 0) {
      give_up(launch);
    }
  }
  if (launch.directory != nullptr && ::chdir(launch.directory) != 0) {
    give_up(launch);
  }
  ::execve(launch.argv[0], launch.argv, launch.environment);
  give_up(launch);
}

/// vfork, so that starting a command costs the same however much memory this process has. No signal
/// handler may run in the child while it borrows that memory.
pid_t vfork_and_run(const Launch& launch, int* scratch) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::vfork();
  if (pid == 0) {
    run_child(launch, scratch);
  }
  const int reason = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = reason;
  return pid;
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) {
    out.push_back(const_cast<char*>(text.c_str())); // execve promises not to write
  }
  out.push_back(nullptr);
  return out;
}

Error cannot(const std::string& what, int reason) {
  return Error{Code::tool_unavailable, what + ": " + std::generic_category().message(reason)};
}

Result<UniqueFd> in_memory(const std::string& content) {
  UniqueFd file(::memfd_create("skein-input", MFD_CLOEXEC));
  if (!file) {
    return cannot("no input for a command", errno);
  }
  for (std::size_t done = 0; done < content.size();) {
    const ssize_t n = ::write(file.get(), content.data() + done, content.size() - done);
    if (n < 0 && errno != EINTR) {
      return cannot("no input for a command", errno);
    }
    done += n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) {
    return cannot("no pipe for a command", errno);
  }
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

/// Waits for exec: the pipe closes itself then. Otherwise the child says why.
int reason_of_failure(int report) {
  int reason = 0;
  ssize_t n = 0;
  do {
    n = ::read(report, &reason, sizeof reason);
  } while (n < 0 && errno == EINTR);
  return n == static_cast<ssize_t>(sizeof reason) ? reason : 0;
}

struct Inputs {
  UniqueFd standard;
  std::vector<UniqueFd> owned;
  std::vector<int> files;
};

Result<Inputs> make_inputs(const ChildSpec& spec) {
  Inputs inputs;
  if (spec.input.empty()) {
    inputs.standard = UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  } else if (auto file = in_memory(spec.input)) {
    inputs.standard = std::move(*file);
  } else {
    return file.error();
  }
  for (const std::string& content : spec.files) {
    auto file = in_memory(content);
    if (!file) {
      return file.error();
    }
    inputs.files.push_back(file->get());
    inputs.owned.push_back(std::move(*file));
  }
  return inputs;
}

} // namespace

Result<Spawned> spawn(const ChildSpec& spec) {
  auto inputs = make_inputs(spec);
  auto out = make_pipe();
  auto err = make_pipe();
  auto report = make_pipe();
  auto status = spec.sandboxed ? make_pipe() : Result<Pipe>(Pipe{});
  for (const auto* pipe : {&out, &err, &report, &status}) {
    if (!inputs || !*pipe) {
      return !inputs ? inputs.error() : pipe->error();
    }
  }
  if (spec.sandboxed) {
    inputs->files.push_back(status->write.get());
  }
  const std::vector<char*> argv = pointers_to(spec.argv);
  const std::vector<char*> environment = pointers_to(spec.environment);
  std::vector<int> scratch(kFirstFile + inputs->files.size());
  const Launch launch{argv.data(),
                      environment.data(),
                      spec.directory.empty() ? nullptr : spec.directory.c_str(),
                      {inputs->standard.get(), out->write.get(), err->write.get()},
                      inputs->files.data(),
                      inputs->files.size(),
                      spec.limits.data(),
                      spec.limits.size(),
                      report->write.get(),
                      ::getpid()};
  const pid_t pid = vfork_and_run(launch, scratch.data());
  if (pid < 0) {
    return cannot("cannot start " + spec.argv[0], errno);
  }
  report->write.reset();
  Spawned child{pid, UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))),
                std::move(out->read), std::move(err->read), std::move(status->read)};
  if (const int reason = reason_of_failure(report->read.get()); reason != 0 || !child.pidfd) {
    const int why = reason != 0 ? reason : errno;
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return cannot("cannot start " + spec.argv[0], why);
  }
  ::fcntl(child.out.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(child.err.get(), F_SETFL, O_NONBLOCK);
  if (child.status) {
    ::fcntl(child.status.get(), F_SETFL, O_NONBLOCK);
  }
  return child;
}

} // namespace skein::tools
