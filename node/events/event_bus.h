#pragma once

#include <array>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "core/ports/outlet.h"
#include "node/events/events.h"
#include "node/system_clock.h"

namespace skein::node {

/// The events of a node that is served, while it is.
///
///   made ──begin──► running ──end──► made
///
/// A broker that has lost its disk gets its streams again, empty, and what reads them begins anew.
/// Thread-safety: any thread, `begin` and `end` one at a time.
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
  Result<void> open();
  void close();
  void look_after(const std::stop_token& stop);
  Result<std::array<std::string, 3>> created();
  Result<bool> are_others();

  SystemClock clock_;
  std::shared_ptr<Broker> broker_;
  Node* node_ = nullptr;
  EventSettings settings_;
  mutable std::mutex mutex_;
  std::shared_ptr<Events> events_;
  std::condition_variable_any changed_;
  std::array<std::string, 3> created_; ///< the streams that are read
  bool look_ = false;                  ///< at the streams: the connection is a new one
  Subscription connection_;
  std::jthread looking_;
};

} // namespace skein::node
