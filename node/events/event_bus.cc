#include "node/events/event_bus.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "broker/local_bus.h"
#include "node/events/channels.h"

namespace skein::node {
namespace {

constexpr std::chrono::seconds kTryAgain{1};

} // namespace

EventBus::~EventBus() { end(); }

Result<void> EventBus::begin(Node& node, std::shared_ptr<Broker> broker, EventSettings settings) {
  const bool may_lose = broker != nullptr;
  broker_ = may_lose ? std::move(broker) : std::make_shared<broker::LocalBus>(clock_);
  node_ = &node;
  settings_ = std::move(settings);
  if (auto opened = open(); !opened || !may_lose) {
    return opened;
  }
  connection_ = broker_->watch_connection([this](bool up) {
    const std::lock_guard lock(mutex_);
    look_ = up;
    changed_.notify_all();
  });
  looking_ = std::jthread([this](const std::stop_token& stop) { look_after(stop); });
  return {};
}

void EventBus::end() {
  if (looking_.joinable()) {
    looking_.request_stop();
    looking_.join();
  }
  connection_.reset();
  close();
}

Result<void> EventBus::open() {
  auto opened = Events::open(*node_, *broker_, clock_, settings_);
  if (!opened) {
    return opened.error();
  }
  auto made = created();
  if (!made) {
    return made.error();
  }
  created_ = std::move(*made);
  settings_.anew = false;
  const std::lock_guard lock(mutex_);
  events_ = std::move(*opened);
  return {};
}

void EventBus::close() {
  std::shared_ptr<Events> last; // goes without the lock: what is under way may ask for it
  {
    const std::lock_guard lock(mutex_);
    last.swap(events_);
  }
}

Result<std::array<std::string, 3>> EventBus::created() {
  const Channels channels(settings_.tenant, settings_.incarnation);
  const std::array names{channels.events, channels.dead, channels.rules};
  std::array<std::string, 3> created;
  for (std::size_t i = 0; i < created.size(); ++i) {
    const auto there = broker_->stream(names.at(i));
    if (!there) {
      return there.error();
    }
    created.at(i) = there->created;
  }
  return created;
}

/// Whether the streams are gone, or were made anew by another node since.
Result<bool> EventBus::are_others() {
  const auto now = created();
  if (!now && now.error().code != Code::stream_unknown) {
    return now.error();
  }
  return !now || *now != created_;
}

void EventBus::look_after(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return look_; })) {
    look_ = false;
    const bool closed = events_ == nullptr;
    lock.unlock();
    Result<void> opened;
    const Result<bool> lost = closed ? Result<bool>(true) : are_others();
    if (!lost) {
      opened = lost.error();
    } else if (*lost) {
      spdlog::error("events: the broker has lost its streams; they begin anew, empty");
      settings_.anew = !closed || settings_.anew;
      close();
      opened = open();
    }
    lock.lock();
    if (!opened) { // the broker is away again, or not ready yet
      spdlog::warn("events: {}; trying again", to_string(opened.error()));
      changed_.wait_for(lock, stop, kTryAgain, [] { return false; });
      look_ = true;
    }
  }
}

std::shared_ptr<Events> EventBus::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

void EventBus::deliver(const OutboxItem& item, std::function<void(Result<void>)> answer) {
  // With the lock, and no copy of it: the last one may not go on a thread of the node's actors.
  const std::lock_guard lock(mutex_);
  if (events_) {
    events_->deliver(item, std::move(answer));
  } else {
    answer(Error{Code::node_busy, "this node takes no events now", "it comes again"});
  }
}

} // namespace skein::node
