#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace skein::tools {

/// A server of plain sockets on a free port of 127.0.0.1; answers what a function makes of each
/// request, one connection at a time, and closes.
class HttpServer {
 public:
  using Answer = std::function<std::string(const std::string& request)>;

  explicit HttpServer(Answer answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 128), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }

  ~HttpServer() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
  }

  std::string place() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url(const std::string& path) const { return "http://" + place() + path; }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void run() {
    while (!stopping_) {
      pollfd ready{listener_, POLLIN, 0};
      if (::poll(&ready, 1, 20) == 1) {
        const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        serve(peer);
        ::close(peer);
      }
    }
  }

  bool wait_for_input(int peer) {
    pollfd ready{peer, POLLIN, 0};
    while (!stopping_) {
      if (::poll(&ready, 1, 20) == 1) {
        return true;
      }
    }
    return false;
  }

  void serve(int peer) {
    std::string request;
    char buffer[4096];
    while (!complete(request)) {
      if (!wait_for_input(peer)) {
        return;
      }
      const ssize_t n = ::recv(peer, buffer, sizeof buffer, 0);
      if (n <= 0) {
        return;
      }
      request.append(buffer, static_cast<std::size_t>(n));
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const std::string answer = answer_(request);
    if (answer.empty()) {
      wait_for_input(peer); // says nothing, until the client goes away
      return;
    }
    for (std::size_t sent = 0; sent < answer.size();) {
      const ssize_t n = ::send(peer, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) {
        return;
      }
      sent += static_cast<std::size_t>(n);
    }
    ::shutdown(peer, SHUT_WR);
  }

  static bool complete(const std::string& request) {
    const std::size_t end = request.find("\r\n\r\n");
    if (end == std::string::npos) {
      return false;
    }
    const std::size_t length = request.find("Content-Length: ");
    const std::size_t body =
        length == std::string::npos
            ? 0
            : static_cast<std::size_t>(std::stoul(request.substr(length + 16)));
    return request.size() >= end + 4 + body;
  }

  Answer answer_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

/// A whole answer with its length.
inline std::string answer(int status, const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n" +
         headers + "\r\n" + body;
}

} // namespace skein::tools
