#include <pthread.h>
#include <spdlog/spdlog.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_set>
#include <vector>

#include "core/value/utf8.h"
#include "gateway/admission.h"
#include "gateway/event_queue.h"
#include "gateway/server.h"
#include "gateway/workers.h"

namespace skein::gateway {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using net::ip::tcp;
using Fault = boost::system::error_code;

constexpr std::size_t kReadAtOnce = 4u << 10;
constexpr std::size_t kReadBuffer = 64u << 10;
constexpr std::chrono::milliseconds kLinger{2'000};
constexpr std::chrono::milliseconds kLastLinger{100}; ///< while the server stops
constexpr std::chrono::milliseconds kBeforeAcceptingAgain{100};

class Connection;

/// What all connections share; theirs on the I/O thread alone, but where it says more.
struct Shared {
  explicit Shared(Options given, Routes table)
      : options(std::move(given)), routes(std::move(table)), admission(options, routes) {}

  Options options;
  Routes routes;
  Admission admission;
  Counters counters; ///< any thread
  std::unordered_set<Connection*> connections;
  std::mutex mutex;
  std::condition_variable gone; ///< with `mutex`: a connection has ended
  bool stopping = false;
  net::io_context io{1};
  /// After `io`: they end before it does.
  Workers workers{options.limits.handlers, options.limits.waiting};

  /// Any thread.
  void refused(Refusal why, const std::string& what) {
    const std::uint64_t count = ++counters.refused[static_cast<std::size_t>(why)];
    if ((count & (count - 1)) == 0) {
      spdlog::info("refused for {}, {} so far: {}", name_of(why), count, clipped(what, 200));
    }
  }
};

/// One client: reads a request at a time, has it handled, writes what came of it.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Shared& shared, tcp::socket socket)
      : shared_(shared), stream_(std::move(socket)), beat_(shared.io) {
    Fault gone;
    const auto whom = stream_.socket().remote_endpoint(gone);
    from_ = gone ? "nobody" : whom.address().to_string();
    shared_.connections.insert(this);
    ++shared_.counters.open;
  }

  ~Connection() {
    if (queue_) {
      queue_->detach();
    }
    shared_.connections.erase(this);
    {
      const std::lock_guard lock(shared_.mutex);
      --shared_.counters.open;
    }
    shared_.gone.notify_all();
  }

  void begin() { read_next(); }

  void stop() {
    if (idle_) {
      drop();
    } else if (queue_) {
      queue_->close();
    }
  }

  void flush();

 private:
  auto with(void (Connection::*then)(Fault, std::size_t)) {
    return [self = shared_from_this(), then](Fault fault, std::size_t bytes) {
      (*self.*then)(fault, bytes);
    };
  }
  const Limits& limits() const { return shared_.options.limits; }

  void read_next();
  void on_first(Fault fault, std::size_t bytes);
  void read_head();
  void on_head(Fault fault, std::size_t bytes);
  void read_body();
  void on_continue(Fault fault, std::size_t bytes);
  void on_body(Fault fault, std::size_t bytes);
  void dispatch();
  void respond(Response response);
  void write_head(const Response& response, const std::string& length);
  void refuse(Refusal why, const Error& error, unsigned status);
  void on_written(Fault fault, std::size_t bytes);
  void begin_stream(const Response& response, std::shared_ptr<EventQueue> queue);
  void on_head_of_stream(Fault fault, std::size_t bytes);
  void on_flushed(Fault fault, std::size_t bytes);
  void beat();
  void listen_for_end();
  void on_heard(Fault fault, std::size_t bytes);
  void linger();
  void on_lingered(Fault fault, std::size_t bytes);
  void drop() {
    beat_.cancel();
    stream_.close();
  }
  std::string whence() const {
    return (parser_ ? std::string(parser_->get().method_string()) + " " +
                          std::string(parser_->get().target()) + " "
                    : std::string()) +
           "from " + from_;
  }

  Shared& shared_;
  beast::tcp_stream stream_;
  std::string from_;
  beast::flat_buffer buffer_{kReadBuffer};
  std::optional<http::request_parser<http::string_body>> parser_;
  std::shared_ptr<Request> request_;
  const Route* route_ = nullptr;
  std::string head_; ///< being written
  std::string body_; ///< being written
  std::shared_ptr<EventQueue> queue_;
  net::steady_timer beat_;
  std::array<char, 512> unwanted_{};
  bool idle_ = false;
  bool keep_ = false;
};

void Connection::read_next() {
  if (shared_.stopping) {
    return;
  }
  parser_.reset();
  if (buffer_.size() > 0) {
    read_head();
    return;
  }
  idle_ = true;
  stream_.expires_after(limits().idle_time);
  stream_.async_read_some(buffer_.prepare(kReadAtOnce), with(&Connection::on_first));
}

void Connection::on_first(Fault fault, std::size_t bytes) {
  idle_ = false;
  if (!fault) {
    buffer_.commit(bytes);
    read_head();
  }
}

void Connection::read_head() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(limits().header_bytes));
  parser_->body_limit(limits().body_bytes);
  stream_.expires_after(limits().header_time);
  http::async_read_header(stream_, buffer_, *parser_, with(&Connection::on_head));
}

bool is_syntax(Fault fault) {
  return fault.category() == http::make_error_code(http::error::bad_method).category() &&
         fault != http::error::end_of_stream && fault != http::error::partial_message;
}

void Connection::on_head(Fault fault, std::size_t) {
  if (fault == beast::error::timeout) {
    shared_.refused(Refusal::header_time, whence());
  } else if (fault == http::error::header_limit || fault == http::error::buffer_overflow) {
    refuse(Refusal::header_limit, too_large("head", limits().header_bytes), 431);
  } else if (fault == http::error::body_limit) {
    refuse(Refusal::body_limit, too_large("body", limits().body_bytes), 413);
  } else if (is_syntax(fault)) {
    refuse(Refusal::syntax, malformed(fault.message()), 400);
  } else if (!fault) {
    const auto& head = parser_->get();
    Head read{std::string(head.method_string()), std::string(head.target()), head.version(), {}};
    for (const auto& field : head) {
      read.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    }
    auto admitted = shared_.admission.admit(std::move(read));
    if (const auto* turned_away = std::get_if<TurnedAway>(&admitted)) {
      refuse(turned_away->why, turned_away->error, turned_away->status);
      return;
    }
    auto& may = std::get<Admitted>(admitted);
    route_ = may.route;
    request_ = std::make_shared<Request>(std::move(may.request));
    read_body();
  }
}

// Who asks whether to send a large body hears yes: what would refuse it has been looked at.
void Connection::read_body() {
  stream_.expires_after(limits().body_time);
  if (request_->header("expect") == "100-continue" && !parser_->is_done()) {
    head_ = "HTTP/1.1 100 Continue\r\n\r\n";
    net::async_write(stream_, net::buffer(head_), with(&Connection::on_continue));
    return;
  }
  on_continue({}, 0);
}

void Connection::on_continue(Fault fault, std::size_t) {
  if (!fault) {
    http::async_read(stream_, buffer_, *parser_, with(&Connection::on_body));
  }
}

void Connection::on_body(Fault fault, std::size_t) {
  if (fault == beast::error::timeout) {
    shared_.refused(Refusal::body_time, whence());
  } else if (fault == http::error::body_limit) {
    refuse(Refusal::body_limit, too_large("body", limits().body_bytes), 413);
  } else if (is_syntax(fault)) {
    refuse(Refusal::syntax, malformed(fault.message()), 400);
  } else if (!fault) {
    request_->body = std::move(parser_->get().body());
    dispatch();
  }
}

void Connection::dispatch() {
  ++shared_.counters.requests;
  stream_.expires_never();
  const bool taken = shared_.workers.post([self = shared_from_this()] {
    auto response = std::make_shared<Response>(self->route_->handle(*self->request_));
    net::io_context& io = self->shared_.io;
    if (!response->events) {
      net::post(io, [self, response] { self->respond(std::move(*response)); });
      return;
    }
    auto queue = std::make_shared<EventQueue>(self->limits().stream_bytes,
                                              [&io, connection = self->weak_from_this()] {
                                                net::post(io, [connection] {
                                                  if (const auto there = connection.lock()) {
                                                    there->flush();
                                                  }
                                                });
                                              });
    net::post(io, [self, response, queue] { self->begin_stream(*response, queue); });
    response->events(queue);
  });
  if (!taken) {
    refuse(Refusal::busy,
           Error{Code::node_busy, "as many requests wait as may", "ask again after a moment"}, 503);
  }
}

void Connection::write_head(const Response& response, const std::string& length) {
  head_ = "HTTP/1.1 " + std::to_string(response.status) + " " +
          std::string(http::obsolete_reason(http::int_to_status(response.status))) +
          "\r\nContent-Type: " + response.type + "\r\n" + length +
          "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
  for (const auto& [name, value] : response.headers) {
    head_ += name + ": " + value + "\r\n";
  }
  head_ += keep_ ? "\r\n" : "Connection: close\r\n\r\n";
}

void Connection::refuse(Refusal why, const Error& error, unsigned status) {
  shared_.refused(why, whence());
  Response response = gateway::refuse(error, status);
  keep_ = false;
  route_ = nullptr;
  respond(std::move(response));
}

void Connection::respond(Response response) {
  if (route_ != nullptr) {
    keep_ = parser_->keep_alive() && !shared_.stopping;
    if (response.status >= 400) {
      shared_.refused(Refusal::handler, std::to_string(response.status) + " " + whence());
    }
  }
  const bool bare = parser_ && parser_->get().method() == http::verb::head;
  write_head(response, "Content-Length: " + std::to_string(response.body.size()) + "\r\n");
  body_ = bare ? "" : std::move(response.body);
  request_.reset();
  stream_.expires_after(limits().write_time);
  net::async_write(stream_, std::array{net::buffer(head_), net::buffer(body_)},
                   with(&Connection::on_written));
}

void Connection::on_written(Fault fault, std::size_t) {
  if (fault) {
    return;
  }
  if (keep_) {
    read_next();
  } else {
    linger();
  }
}

void Connection::begin_stream(const Response& response, std::shared_ptr<EventQueue> queue) {
  ++shared_.counters.streams;
  queue_ = std::move(queue);
  keep_ = false;
  write_head(response, "");
  request_.reset();
  stream_.expires_after(limits().write_time);
  net::async_write(stream_, net::buffer(head_), with(&Connection::on_head_of_stream));
}

void Connection::on_head_of_stream(Fault fault, std::size_t) {
  if (fault) {
    drop();
    queue_->detach();
    return;
  }
  if (shared_.stopping) {
    queue_->close();
  }
  stream_.expires_never();
  listen_for_end();
  flush();
  beat();
}

void Connection::flush() {
  if (queue_->closed()) {
    return; // dropped meanwhile
  }
  if (queue_->overflowed()) {
    shared_.refused(Refusal::slow_reader, whence());
    drop();
    queue_->detach();
    return;
  }
  body_ = queue_->take(); // first: who ends the queue after it wakes this again
  if (!body_.empty()) {
    stream_.expires_after(limits().write_time);
    net::async_write(stream_, net::buffer(body_), with(&Connection::on_flushed));
  } else if (queue_->ends()) {
    queue_->detach();
    linger();
  }
}

void Connection::on_flushed(Fault fault, std::size_t) {
  if (queue_->closed()) {
    return; // dropped meanwhile
  }
  if (fault) {
    if (fault == beast::error::timeout) {
      shared_.refused(Refusal::slow_reader, whence());
    }
    drop();
    queue_->detach();
    return;
  }
  queue_->emptied();
  flush();
}

// A comment now and then tells both sides that the other is there.
void Connection::beat() {
  beat_.expires_after(limits().beat_time);
  beat_.async_wait([self = shared_from_this()](Fault fault) {
    if (!fault && !self->queue_->closed()) {
      self->queue_->add(":\n\n");
      self->beat();
    }
  });
}

void Connection::listen_for_end() {
  stream_.async_read_some(net::buffer(unwanted_), with(&Connection::on_heard));
}

void Connection::on_heard(Fault fault, std::size_t) {
  if (!fault) {
    listen_for_end();
  } else {
    drop();
    queue_->detach();
  }
}

// Closing while something is unread would take the answer back from the client.
void Connection::linger() {
  const auto time = shared_.stopping ? kLastLinger : kLinger;
  Fault ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  if (!queue_) {
    stream_.expires_after(time);
    on_lingered({}, 0);
    return;
  }
  beat_.expires_after(time); // a stream is read already
  beat_.async_wait([self = shared_from_this()](Fault cancelled) {
    if (!cancelled) {
      self->drop();
    }
  });
}

void Connection::on_lingered(Fault fault, std::size_t) {
  if (!fault) {
    stream_.async_read_some(net::buffer(unwanted_), with(&Connection::on_lingered));
  }
}

class BeastServer : public Server {
 public:
  BeastServer(Options options, Routes routes)
      : shared_(std::move(options), std::move(routes)), acceptor_(shared_.io), pause_(shared_.io) {}

  ~BeastServer() override { stop(Millis{0}); }

  Result<void> open() {
    Fault fault;
    const auto address = net::ip::make_address(shared_.options.address, fault);
    const tcp::endpoint wanted(address, shared_.options.port);
    if (!fault) {
      acceptor_.open(wanted.protocol(), fault);
    }
    if (!fault) {
      acceptor_.set_option(net::socket_base::reuse_address(true), fault);
      acceptor_.bind(wanted, fault);
    }
    if (!fault) {
      acceptor_.listen(net::socket_base::max_listen_connections, fault);
    }
    if (fault) {
      return Error{Code::usage_invalid,
                   "cannot listen on " + shared_.options.address + ":" +
                       std::to_string(shared_.options.port) + ": " + fault.message(),
                   "name another address or port, or 0 for a free port"};
    }
    port_ = acceptor_.local_endpoint(fault).port();
    accept();
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "gateway");
      shared_.io.run();
    });
    return {};
  }

  std::uint16_t port() const override { return port_; }
  const Counters& counters() const override { return shared_.counters; }

  void stop(Millis limit) override {
    std::call_once(stopped_, [&] {
      if (!thread_.joinable()) {
        return;
      }
      net::post(shared_.io, [this] { stop_all(); });
      std::unique_lock lock(shared_.mutex);
      shared_.gone.wait_for(lock, std::chrono::milliseconds(limit.count),
                            [&] { return ended_ && shared_.counters.open == 0; });
      lock.unlock();
      shared_.io.stop();
      thread_.join();
      shared_.workers.end(); // what handlers use may go once this returns
    });
  }

 private:
  void stop_all() {
    Fault ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    shared_.stopping = true;
    const std::vector<Connection*> all(shared_.connections.begin(), shared_.connections.end());
    for (Connection* connection : all) {
      connection->stop();
    }
    {
      const std::lock_guard lock(shared_.mutex);
      ended_ = true;
    }
    shared_.gone.notify_all();
  }

  void accept() {
    acceptor_.async_accept([this](Fault fault, tcp::socket socket) {
      if (shared_.stopping) {
        return;
      }
      if (fault) { // as a rule no file descriptor is left
        shared_.refused(Refusal::connections, fault.message());
        pause_.expires_after(kBeforeAcceptingAgain);
        pause_.async_wait([this](Fault cancelled) {
          if (!cancelled) {
            accept();
          }
        });
        return;
      }
      take(std::move(socket));
      accept();
    });
  }

  void take(tcp::socket socket) {
    ++shared_.counters.connections;
    if (shared_.connections.size() >= shared_.options.limits.connections) {
      shared_.refused(Refusal::connections,
                      std::to_string(shared_.connections.size()) + " connections are open");
      static constexpr std::string_view kFull =
          "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n"
          "Connection: close\r\n\r\n";
      Fault ignored;
      socket.non_blocking(true, ignored);
      socket.write_some(net::buffer(kFull), ignored);
      return;
    }
    Fault ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    std::make_shared<Connection>(shared_, std::move(socket))->begin();
  }

  Shared shared_;
  tcp::acceptor acceptor_;
  net::steady_timer pause_;
  std::uint16_t port_ = 0;
  std::thread thread_;
  bool ended_ = false;
  std::once_flag stopped_;
};

} // namespace

Result<std::unique_ptr<Server>> Server::listen(Options options, Routes routes) {
  auto server = std::make_unique<BeastServer>(std::move(options), std::move(routes));
  auto opened = server->open();
  return opened ? Result<std::unique_ptr<Server>>(std::move(server)) : opened.error();
}

} // namespace skein::gateway
