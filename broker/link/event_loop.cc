#include "broker/link/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cstdint>

namespace skein::broker {
namespace {

constexpr std::chrono::microseconds kAtOnce{50}; ///< what comes sooner is of the same row
constexpr unsigned kRow = 16;
constexpr unsigned kLongRow = 128;
constexpr std::chrono::microseconds kRest{60};
constexpr std::chrono::microseconds kLongRest{250};
constexpr unsigned long kTimerSlackNs = 1'000; ///< instead of 50 µs, which are no little rest

} // namespace

void Pace::before() {
  row_ = std::chrono::steady_clock::now() - last_ < kAtOnce ? row_ + 1 : 0;
  if (row_ >= kRow) {
    std::this_thread::sleep_for(row_ < kLongRow ? kRest : kLongRest);
  }
}

EventLoop::EventLoop()
    : poll_(::epoll_create1(EPOLL_CLOEXEC)), stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = stop_;
  ::epoll_ctl(poll_, EPOLL_CTL_ADD, stop_, &event);
  thread_ = std::thread([this] { run(); });
}

EventLoop::~EventLoop() {
  const std::uint64_t one = 1;
  (void)!::write(stop_, &one, sizeof one);
  thread_.join();
  ::close(stop_);
  ::close(poll_);
}

natsStatus EventLoop::serve(natsOptions* options) {
  return natsOptions_SetEventLoop(options, this, on_attach, on_read, on_write, on_detach);
}

natsStatus EventLoop::on_attach(void** user, void* loop, natsConnection* connection,
                                natsSock socket) {
  auto* const self = static_cast<EventLoop*>(loop);
  *user = self;
  {
    const std::lock_guard lock(self->mutex_);
    self->connection_ = connection;
    self->socket_ = socket;
    self->wanted_ = 0;
  }
  return self->want(EPOLLIN, true);
}

natsStatus EventLoop::on_read(void* user, bool add) {
  return static_cast<EventLoop*>(user)->want(EPOLLIN, add);
}

natsStatus EventLoop::on_write(void* user, bool add) {
  return static_cast<EventLoop*>(user)->want(EPOLLOUT, add);
}

natsStatus EventLoop::on_detach(void* user) {
  auto* const self = static_cast<EventLoop*>(user);
  self->want(EPOLLIN | EPOLLOUT, false);
  const std::lock_guard lock(self->mutex_);
  self->connection_ = nullptr;
  self->socket_ = -1;
  return NATS_OK;
}

natsStatus EventLoop::want(unsigned events, bool on) {
  const std::lock_guard lock(mutex_);
  const unsigned before = wanted_;
  wanted_ = on ? wanted_ | events : wanted_ & ~events;
  if (wanted_ == before || socket_ < 0) {
    return NATS_OK;
  }
  epoll_event event{};
  event.events = wanted_;
  event.data.fd = socket_;
  const int how = wanted_ == 0 ? EPOLL_CTL_DEL : before == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  const bool good = ::epoll_ctl(poll_, how, socket_, &event) == 0;
  return good || how == EPOLL_CTL_DEL ? NATS_OK : NATS_SYS_ERROR; // a closed one is out by itself
}

void EventLoop::settle() {
  std::unique_lock lock(mutex_);
  left_.wait(lock, [this] { return !entered_; });
}

natsConnection* EventLoop::enter() {
  const std::lock_guard lock(mutex_);
  entered_ = connection_ != nullptr;
  return connection_;
}

void EventLoop::leave() {
  const std::lock_guard lock(mutex_);
  entered_ = false;
  left_.notify_all();
}

void EventLoop::run() {
  ::prctl(PR_SET_TIMERSLACK, kTimerSlackNs);
  std::array<epoll_event, 4> events{};
  for (;;) {
    const int count = ::epoll_wait(poll_, events.data(), events.size(), -1);
    for (int i = 0; i < count; ++i) {
      if (events[static_cast<std::size_t>(i)].data.fd == stop_) {
        return;
      }
      handle(events[static_cast<std::size_t>(i)].events);
    }
  }
}

void EventLoop::handle(unsigned events) {
  natsConnection* const served = enter();
  if (served != nullptr && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) {
    reads_.before();
    natsConnection_ProcessReadEvent(served);
    reads_.after();
  }
  if (served != nullptr && (events & EPOLLOUT) != 0) {
    writes_.before();
    natsConnection_ProcessWriteEvent(served);
    writes_.after();
  }
  leave();
}

} // namespace skein::broker
