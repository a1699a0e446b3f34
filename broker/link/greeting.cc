#include "broker/link/greeting.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <memory>

#include "core/value/json.h"

namespace skein::broker {
namespace {

constexpr std::size_t kLongestGreeting = 32u << 10;

using Clock = std::chrono::steady_clock;

Error unreachable(const Address& address, const std::string& why) {
  return {Code::broker_unreachable, "no nats-server at " + to_string(address) + ": " + why,
          "start one there, or correct the address"};
}

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return fd_; }

  /// Whether it became ready in time.
  bool wait(short events, Clock::time_point until) const {
    pollfd one{fd_, events, 0};
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    return left > 0 && ::poll(&one, 1, static_cast<int>(left)) == 1;
  }

 private:
  int fd_;
};

/// Why it could not be connected; "" where it is.
std::string connect_to(const Socket& socket, const addrinfo& to, Clock::time_point until) {
  if (::connect(socket.get(), to.ai_addr, to.ai_addrlen) == 0) {
    return "";
  }
  if (errno != EINPROGRESS) {
    return std::strerror(errno);
  }
  if (!socket.wait(POLLOUT, until)) {
    return "no answer";
  }
  int failed = 0;
  socklen_t size = sizeof failed;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failed, &size);
  return failed == 0 ? "" : std::strerror(failed);
}

Result<std::string> read_line(const Socket& socket, const Address& address,
                              Clock::time_point until) {
  std::string line;
  std::array<char, 4096> piece{};
  while (line.find('\n') == std::string::npos) {
    if (line.size() > kLongestGreeting) {
      return unreachable(address, "its greeting is longer than 32 KiB");
    }
    if (!socket.wait(POLLIN, until)) {
      return unreachable(address, "it accepted and said nothing");
    }
    const ssize_t got = ::recv(socket.get(), piece.data(), piece.size(), 0);
    if (got <= 0) {
      return unreachable(address, "it closed the connection at once");
    }
    line.append(piece.data(), static_cast<std::size_t>(got));
  }
  return line.substr(0, line.find('\n'));
}

std::string text_of(const Value& map, std::string_view key) {
  const Value* found = map.find(key);
  return found != nullptr && found->is(Kind::string) ? std::string(found->as_string()) : "";
}

bool flag_of(const Value& map, std::string_view key) {
  const Value* found = map.find(key);
  return found != nullptr && found->is(Kind::boolean) && found->as_bool();
}

} // namespace

Result<Address> parse_address(std::string_view url) {
  Address address;
  const Error bad{
      Code::broker_unreachable,
      "'" + std::string(url.substr(url.rfind('@') + 1)) + "' is no address of a nats-server",
      "write nats://HOST:PORT or tls://HOST:PORT"};
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) {
    const std::string_view name = url.substr(0, scheme);
    if (name != "nats" && name != "tls") {
      return bad;
    }
    address.tls = name == "tls";
    url.remove_prefix(scheme + 3);
  }
  url.remove_prefix(url.rfind('@') == std::string_view::npos ? 0 : url.rfind('@') + 1);
  url = url.substr(0, url.find('/'));
  const auto colon = url.rfind(':');
  const bool has_port = colon != std::string_view::npos && url.find(']', colon) == url.npos;
  if (has_port) {
    const std::string_view port = url.substr(colon + 1);
    const auto read = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (read.ec != std::errc() || read.ptr != port.data() + port.size() || address.port == 0) {
      return bad;
    }
    url = url.substr(0, colon);
  }
  if (url.starts_with('[') && url.ends_with(']')) {
    url = url.substr(1, url.size() - 2);
  }
  if (url.empty() || url.find_first_of(" \t\r\n") != std::string_view::npos) {
    return bad;
  }
  address.host = std::string(url);
  return address;
}

std::string to_string(const Address& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

Result<Greeting> parse_greeting(std::string_view line) {
  constexpr std::string_view kWord = "INFO ";
  if (!line.starts_with(kWord)) {
    return Error{Code::broker_unreachable, "what answers is no nats-server"};
  }
  auto parsed = parse_json(line.substr(kWord.size()), {kLongestGreeting, 8});
  if (!parsed || !parsed->is(Kind::map)) {
    return Error{Code::broker_unreachable, "what answers is no nats-server"};
  }
  Greeting greeting;
  greeting.version = text_of(*parsed, "version");
  greeting.name = text_of(*parsed, "server_name");
  greeting.id = text_of(*parsed, "server_id");
  greeting.jetstream = flag_of(*parsed, "jetstream");
  greeting.wants_credentials = flag_of(*parsed, "auth_required");
  greeting.wants_tls = flag_of(*parsed, "tls_required");
  const Value* most = parsed->find("max_payload");
  if (most != nullptr && most->is(Kind::integer) && most->as_int() > 0) {
    greeting.max_payload = static_cast<std::size_t>(most->as_int());
  }
  return greeting;
}

Result<Greeting> greet(const Address& address, Millis limit) {
  const auto until = Clock::now() + std::chrono::milliseconds(limit.count);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  if (const int failed = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found)) {
    return unreachable(address, ::gai_strerror(failed));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, ::freeaddrinfo);
  std::string why = "no address";
  for (const addrinfo* to = all.get(); to != nullptr; to = to->ai_next) {
    const Socket socket(::socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    why = connect_to(socket, *to, until);
    if (why.empty()) {
      auto line = read_line(socket, address, until);
      if (!line) {
        return line.error();
      }
      auto greeting = parse_greeting(*line);
      if (!greeting) {
        return unreachable(address, "what answers is none");
      }
      return greeting;
    }
  }
  return unreachable(address, why);
}

} // namespace skein::broker
