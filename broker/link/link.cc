#include "broker/link/link.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "broker/link/library.h"
#include "broker/rules.h"

namespace skein::broker {
namespace {

constexpr std::chrono::milliseconds kFirstWait{100};
constexpr std::chrono::milliseconds kLongestWait{2'000};
constexpr std::size_t kLargePayload = 16u << 10;
constexpr std::uint32_t kAskEvery = 16; ///< messages, how much the socket has not taken
constexpr std::size_t kKindsOfComplaint = 64;
constexpr std::int64_t kFlushMs = 2'000;
constexpr std::chrono::seconds kLongestGoodbye{10};
constexpr unsigned kRefusals = 3; ///< one of 256 logins with an nkey is refused for nothing

/// The part of the server's words in double quotes: the subject.
std::string in_quotes(const std::string& text) {
  const auto from = text.find('"');
  const auto to = from == std::string::npos ? from : text.find('"', from + 1);
  return to == std::string::npos ? "" : text.substr(from + 1, to - from - 1);
}

std::chrono::milliseconds with_jitter(std::chrono::milliseconds wait) {
  thread_local std::minstd_rand random{std::random_device()()};
  return wait + wait * static_cast<int>(random() % 150) / 100;
}

} // namespace

Link::Link(const NatsOptions& options, NatsCounts& counts, Keeper& keeper, OnChange on_change,
           OnRefused on_refused)
    : options_(options),
      counts_(counts),
      keeper_(keeper),
      on_change_(std::move(on_change)),
      on_refused_(std::move(on_refused)) {}

Link::~Link() { stop(); }

void Link::start() {
  dialler_ = std::thread([this] { run(); });
}

void Link::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  if (!dialler_.joinable()) {
    return;
  }
  dialler_.join();
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kLongestGoodbye, [this] { return attached_ == 0; })) {
    spdlog::error("broker: {} subscriptions did not end", attached_);
  }
}

Result<void> Link::wait_first(Millis limit) {
  std::unique_lock lock(mutex_);
  const bool decided = changed_.wait_for(lock, std::chrono::milliseconds(limit.count),
                                         [this] { return up_.load() || refusals_ >= kRefusals; });
  if (up_.load() || (limit.count == 0 && !decided)) {
    return {};
  }
  return Error{last_code_, last_error_.empty() ? "no nats-server answered yet" : last_error_,
               last_code_ == Code::broker_refused
                   ? "check the user, token or credentials that were given"
                   : "start one there, or correct the address"};
}

Greeting Link::greeting() const {
  const std::lock_guard lock(mutex_);
  return greeting_;
}

void Link::run() {
  auto wait = kFirstWait;
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    lock.unlock();
    auto dialled = dial();
    lock.lock();
    if (dialled) {
      wait = kFirstWait;
      last_error_.clear();
      last_code_ = Code::broker_unreachable;
      changed_.notify_all();
      lock.unlock();
      on_change_(true);
      lock.lock();
      changed_.wait(lock, [this] { return closed_ || stopped_; });
      const bool lost = !stopped_;
      lock.unlock();
      put_away();
      if (lost) {
        on_change_(false);
      }
      lock.lock();
    } else {
      if (last_error_ != dialled.error().detail) {
        spdlog::warn("broker: {}; trying again", dialled.error().detail);
      }
      last_error_ = dialled.error().detail;
      last_code_ = dialled.error().code;
      refusals_ += last_code_ == Code::broker_refused ? 1 : 0;
      changed_.notify_all();
      wait = std::min(wait * 2, kLongestWait);
    }
    changed_.wait_for(lock, with_jitter(wait), [this] { return stopped_; });
  }
}

Result<void> Link::dial() {
  Result<void> last = Error{Code::broker_unreachable, "no address of a nats-server was given"};
  for (std::size_t i = 0; i < options_.urls.size(); ++i) {
    const std::string& url = options_.urls[next_url_++ % options_.urls.size()];
    auto address = parse_address(url);
    if (!address) {
      last = address.error();
      continue;
    }
    auto greeting = greet(*address, Millis{2'000});
    if (!greeting) {
      last = greeting.error();
      continue;
    }
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) {
        return Error{Code::broker_unreachable, "stopped"};
      }
      greeting_ = *greeting;
    }
    address->tls = address->tls || greeting->wants_tls;
    last = open(url, *address);
    if (last) {
      return last;
    }
  }
  return last;
}

Result<void> Link::open(const std::string& url, const Address& address) {
  auto options = make_options(options_, url, address);
  if (!options) {
    return options.error();
  }
  loop_.serve(options->get());
  natsOptions_SetClosedCB(options->get(), on_closed, this);
  natsOptions_SetErrorHandler(options->get(), on_error, this);
  {
    const std::lock_guard lock(mutex_);
    closed_ = false;
  }
  natsConnection* made = nullptr;
  const natsStatus status = natsConnection_Connect(&made, options->get());
  if (status != NATS_OK) {
    const bool refused = status == NATS_CONNECTION_AUTH_FAILED || status == NATS_NOT_PERMITTED;
    return Error{refused ? Code::broker_refused : Code::broker_unreachable,
                 "nats-server at " + to_string(address) + ": " + natsStatus_GetText(status)};
  }
  const std::lock_guard lock(mutex_);
  {
    const std::lock_guard alone(using_);
    connection_ = made;
  }
  if (const std::int64_t most = natsConnection_GetMaxPayload(made); most > 0) {
    max_payload_ = static_cast<std::size_t>(most);
  }
  for (Listener* const listener : listeners_) {
    listener->attach(made);
  }
  ++counts_.connections;
  full_ = false;
  up_ = true;
  return {};
}

void Link::put_away() {
  count_dropped();
  natsConnection* ended = nullptr;
  up_ = false;
  {
    const std::lock_guard lock(mutex_);
    const std::lock_guard alone(using_);
    ended = std::exchange(connection_, nullptr);
  }
  natsConnection_Close(ended);
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_; });
  }
  loop_.settle();
  natsConnection_Destroy(ended);
}

void Link::on_closed(natsConnection* /*connection*/, void* closure) {
  auto* const self = static_cast<Link*>(closure);
  self->up_ = false;
  const std::lock_guard lock(self->mutex_);
  self->closed_ = true;
  self->changed_.notify_all();
}

void Link::on_error(natsConnection* connection, natsSubscription* /*may be gone*/,
                    natsStatus status, void* closure) {
  auto* const self = static_cast<Link*>(closure);
  const char* words = nullptr;
  natsConnection_GetLastError(connection, &words);
  std::string text = words != nullptr ? words : "";
  if (status == NATS_NOT_PERMITTED) {
    ++self->counts_.refused;
    self->keeper_.post(
        [self, subject = in_quotes(text), text] { self->on_refused_(subject, text); });
  }
  self->complain(status, text);
}

void Link::complain(natsStatus status, const std::string& text) {
  const std::string kind = std::string(natsStatus_GetText(status)) + ": " + text;
  {
    const std::lock_guard lock(mutex_);
    if (complained_.size() >= kKindsOfComplaint || !complained_.insert(kind).second) {
      return;
    }
  }
  spdlog::warn("broker: {} (further ones of this kind are counted, not logged)", kind);
}

void Link::count_dropped() {
  const std::lock_guard lock(mutex_);
  for (Listener* const listener : listeners_) {
    counts_.dropped += listener->newly_dropped();
  }
}

void Link::detached() {
  const std::lock_guard lock(mutex_);
  --attached_;
  changed_.notify_all();
}

std::shared_ptr<Listener> Link::listen(const std::string& filter, const std::string& queue,
                                       OnRaw on_message, bool unbounded) {
  auto listener =
      std::make_shared<Listener>(*this, filter, queue, std::move(on_message), unbounded);
  {
    const std::lock_guard lock(mutex_);
    listeners_.insert(listener.get());
    if (connection_ != nullptr) {
      listener->attach(connection_);
    }
  }
  const std::shared_lock lock(using_);
  if (connection_ != nullptr && !unbounded) {
    natsConnection_FlushTimeout(connection_, kFlushMs);
  }
  return listener;
}

bool Link::is_full() {
  const int unsent = natsConnection_Buffered(connection_);
  full_ = unsent > 0 && static_cast<std::size_t>(unsent) > options_.max_unsent;
  return full_;
}

Result<void> Link::send(const Message& message, const std::string& reply, const std::string& id) {
  if (auto good = check_message(message, id, max_payload()); !good) {
    return good;
  }
  const std::shared_lock lock(using_);
  if (connection_ == nullptr || !up_.load()) {
    return Error{Code::broker_unreachable, "no connection to a nats-server"};
  }
  const bool ask = sent_++ % kAskEvery == 0 || message.payload.size() > kLargePayload;
  if ((ask || full_.load()) && is_full()) {
    return Error{Code::broker_full, "the connection to the nats-server does not take more now"};
  }
  const natsStatus status = publish(connection_, message, reply, id);
  if (status == NATS_OK) {
    return {};
  }
  if (status == NATS_MAX_PAYLOAD) {
    return too_large(message, max_payload());
  }
  return Error{Code::broker_unreachable, std::string("nats-server: ") + natsStatus_GetText(status)};
}

void Link::send_raw(const std::string& subject, std::string_view payload) {
  const std::shared_lock lock(using_);
  if (connection_ != nullptr && up_.load()) {
    natsConnection_Publish(connection_, subject.c_str(), payload.data(),
                           static_cast<int>(payload.size()));
  }
}

} // namespace skein::broker
