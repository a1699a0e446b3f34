#include "node/events/event_bus.h"

#include <utility>

#include "broker/local_bus.h"

namespace skein::node {

EventBus::~EventBus() { end(); }

Result<void> EventBus::begin(Node& node, std::shared_ptr<Broker> broker, EventSettings settings) {
  broker_ = broker ? std::move(broker) : std::make_shared<broker::LocalBus>(clock_);
  auto opened = Events::open(node, *broker_, clock_, std::move(settings));
  if (!opened) {
    return opened.error();
  }
  const std::lock_guard lock(mutex_);
  events_ = std::move(*opened);
  return {};
}

void EventBus::end() {
  std::shared_ptr<Events> last; // goes without the lock: what is under way may ask for it
  {
    const std::lock_guard lock(mutex_);
    last.swap(events_);
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
