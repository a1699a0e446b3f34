#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "node/serve.h"

namespace skein::node {

void tell_supervisor(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un to{};
  if (path == nullptr || (*path != '/' && *path != '@') ||
      std::strlen(path) >= sizeof to.sun_path) {
    return;
  }
  const std::size_t size = std::strlen(path);
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, path, size);
  if (*path == '@') {
    to.sun_path[0] = '\0'; // an abstract name
  }
  const int out = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (out >= 0) {
    const auto* address = reinterpret_cast<const sockaddr*>(&to); // NOLINT: the socket interface
    ::sendto(out, state.data(), state.size(), MSG_NOSIGNAL, address,
             static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size));
    ::close(out);
  }
}

std::optional<Millis> watchdog_interval() {
  const char* pid = std::getenv("WATCHDOG_PID");
  const char* period = std::getenv("WATCHDOG_USEC");
  if (period == nullptr ||
      (pid != nullptr && std::strtol(pid, nullptr, 10) != static_cast<long>(::getpid()))) {
    return std::nullopt;
  }
  const long long micros = std::strtoll(period, nullptr, 10);
  return micros > 0 ? std::optional(Millis{micros / 2'000}) : std::nullopt;
}

} // namespace skein::node
