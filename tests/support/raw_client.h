#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace skein::test {

/// A socket to a port of loopback that sends what it is told, byte for byte.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ =
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0; // NOLINT
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void end_sending() { ::shutdown(socket_, SHUT_WR); }

  /// What has come when `text` is in it, or when no more comes.
  std::string read_until(std::string_view text) {
    while (all_.find(text) == std::string::npos && read_some()) {
    }
    return all_;
  }
  /// Everything until the other side closes.
  std::string read_all() {
    while (read_some()) {
    }
    return std::exchange(all_, {});
  }
  /// One answer with a Content-Length, and nothing after it.
  std::string read_answer() {
    read_until("\r\n\r\n");
    const auto head = all_.find("\r\n\r\n");
    const auto length = all_.find("Content-Length: ");
    if (head == std::string::npos || length == std::string::npos) {
      return std::exchange(all_, {});
    }
    const std::size_t size = head + 4 + std::stoul(all_.substr(length + 16));
    while (all_.size() < size && read_some()) {
    }
    std::string answer = all_.substr(0, size);
    all_.erase(0, size);
    return answer;
  }

 private:
  bool read_some() {
    pollfd there{socket_, POLLIN, 0};
    char part[1 << 14];
    const auto got = ::poll(&there, 1, 20'000) > 0 ? ::recv(socket_, part, sizeof part, 0) : -1;
    all_.append(part, got > 0 ? static_cast<std::size_t>(got) : 0);
    return got > 0;
  }

  int socket_;
  bool connected_ = false;
  std::string all_;
};

} // namespace skein::test
