#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace skein::broker {

/// A file descriptor that is closed once.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

/// A process that was started and is not reaped yet, what it prints, and word of its end.
struct Child {
  pid_t pid = 0;
  Fd output; ///< its standard output and error, non-blocking
  Fd ended;  ///< readable once it ended
};

/// Starts the program with a process group of its own and none of this process's files. It is sent
/// SIGTERM when the calling thread ends: REQUIRES: that one stays.
/// Errors: nats_server_failed.
Result<Child> spawn(const std::string& program, const std::vector<std::string>& arguments);

/// Asks it to end, kills it after the time, and reaps it.
void end(Child& child, int patience_ms);
/// How a child ended: "ended with 1", "was killed by signal 9". Reaps it.
std::string reap(const Child& child);

/// Ends a process that this one did not start, if it runs with that argument; kills it after 5 s.
/// Returns whether there was one.
bool end_stranger(pid_t pid, const std::string& argument);

/// The path of a program, of PATH and of the folders for servers; "" where there is none.
std::string find_program(const std::string& name);

} // namespace skein::broker
