#include <spdlog/spdlog.h>

#include <utility>

#include "broker/link/link.h"

namespace skein::broker {
namespace {

/// Far more than a consumer with flow control may send ahead of what was read.
constexpr int kUnboundedBytes = 512 << 20;

} // namespace

/// One subscription of the library; kept until the library says that it makes no call any more,
/// because destroying one in use is not safe.
struct Listener::Attached {
  std::shared_ptr<Listener> listener;
  natsSubscription* subscription = nullptr;
  std::uint64_t dropped = 0; ///< of what was counted already
};

Listener::Listener(Link& link, std::string filter, std::string queue, Link::OnRaw on_message,
                   bool unbounded)
    : link_(link),
      filter_(std::move(filter)),
      queue_(std::move(queue)),
      on_message_(std::move(on_message)),
      unbounded_(unbounded) {}

natsStatus Listener::attach(natsConnection* connection) {
  auto* const made = new Attached{shared_from_this()}; // freed by on_complete
  natsStatus status = queue_.empty() ? natsConnection_Subscribe(&made->subscription, connection,
                                                                filter_.c_str(), on_message, made)
                                     : natsConnection_QueueSubscribe(
                                           &made->subscription, connection, filter_.c_str(),
                                           queue_.c_str(), on_message, made);
  if (status != NATS_OK) {
    delete made;
    return status;
  }
  if (unbounded_) {
    natsSubscription_SetPendingLimits(made->subscription, -1, kUnboundedBytes);
  }
  status = natsSubscription_SetOnCompleteCB(made->subscription, on_complete, made);
  if (status != NATS_OK) { // the connection is gone already; who still uses it is not told
    return status;
  }
  ++link_.attached_;
  const std::lock_guard lock(mutex_);
  attached_ = made;
  return NATS_OK;
}

void Listener::on_message(natsConnection* /*connection*/, natsSubscription* /*subscription*/,
                          natsMsg* message, void* closure) {
  static_cast<Attached*>(closure)->listener->call(message);
  natsMsg_Destroy(message);
}

void Listener::call(natsMsg* message) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) {
      return;
    }
    called_ = true;
  }
  on_message_(message);
  const std::lock_guard lock(mutex_);
  called_ = false;
  if (ended_) {
    left_.notify_all();
  }
}

void Listener::on_complete(void* closure) {
  auto* const done = static_cast<Attached*>(closure);
  Listener& listener = *done->listener;
  {
    const std::lock_guard lock(listener.mutex_);
    if (listener.attached_ == done) {
      listener.attached_ = nullptr;
    }
  }
  listener.link_.keeper_.post([done, &link = listener.link_] {
    natsSubscription_Destroy(done->subscription);
    delete done;
    link.detached();
  });
}

void Listener::end() {
  {
    const std::lock_guard lock(link_.mutex_);
    link_.listeners_.erase(this);
  }
  std::unique_lock lock(mutex_);
  ended_ = true;
  left_.wait(lock, [this] { return !called_; });
  if (attached_ != nullptr) { // until on_complete takes the lock the subscription is there
    natsSubscription_Unsubscribe(attached_->subscription);
    attached_ = nullptr;
  }
}

std::uint64_t Listener::newly_dropped() {
  const std::lock_guard lock(mutex_);
  std::int64_t dropped = 0;
  if (attached_ == nullptr ||
      natsSubscription_GetDropped(attached_->subscription, &dropped) != NATS_OK) {
    return 0;
  }
  const auto all = static_cast<std::uint64_t>(dropped);
  return all - std::exchange(attached_->dropped, all);
}

} // namespace skein::broker
