#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "core/ports/outlet.h"
#include "node/events/events.h"
#include "node/system_clock.h"

namespace skein::node {

/// The events of a node that is served, while it is.
///
///   made ──begin──► running ──end──► made
///
/// Thread-safety: any thread.
class EventBus : public Outlet {
 public:
  EventBus() = default;
  ~EventBus() override;
  EventBus(const EventBus&) = delete;
  EventBus& operator=(const EventBus&) = delete;

  /// `broker`: null for one in memory, whose events do not survive the process. Ownership: the node
  /// outlives the time until `end`. Errors: as of Events::open.
  Result<void> begin(Node& node, std::shared_ptr<Broker> broker, EventSettings settings = {});
  void end();
  std::shared_ptr<Events> events() const; ///< null while it is not running

  // What the node's runs tell the world; while it is not running, it comes again.
  void deliver(const OutboxItem& item, std::function<void(Result<void>)> answer) override;

 private:
  SystemClock clock_;
  std::shared_ptr<Broker> broker_;
  mutable std::mutex mutex_;
  std::shared_ptr<Events> events_;
};

} // namespace skein::node
