#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "node/events/letters.h"
#include "node/events/starter.h"

namespace skein::node {

/// What has happened since the node started. Each only grows.
struct EventCounts {
  std::atomic<std::uint64_t> published = 0;
  std::atomic<std::uint64_t> taken = 0;    ///< deliveries that were read
  std::atomic<std::uint64_t> started = 0;  ///< runs begun, repeats included
  std::atomic<std::uint64_t> dropped = 0;  ///< by a rate
  std::atomic<std::uint64_t> dead = 0;     ///< letters, those that wait for a flow included
  std::atomic<std::uint64_t> put_back = 0; ///< deliveries that come again
};

/// Triggers as they are now; changed as a whole. Thread-safety: any thread.
class TriggerTable {
 public:
  std::shared_ptr<const trigger::Triggers> now() const {
    const std::lock_guard lock(mutex_);
    return triggers_;
  }
  void change(std::vector<trigger::DefinitionPtr> all) {
    auto made = std::make_shared<const trigger::Triggers>(std::move(all));
    const std::lock_guard lock(mutex_);
    triggers_ = std::move(made);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const trigger::Triggers> triggers_ = std::make_shared<trigger::Triggers>();
};

/// Pulls the events of the stream and starts a run for each trigger without rules that takes one.
///
/// An event is answered for only once every run that it asks for is durable, or a dead letter says
/// why it is not; a crash in between brings it again, and the names of the runs make that harmless.
class Consumer {
 public:
  /// `refresh`: makes the table hold what was applied before an event is looked at.
  Consumer(Broker& broker, const Channels& channels, const TriggerTable& triggers, Starter& starter,
           Letters& letters, EventCounts& counts, std::function<void()> refresh)
      : broker_(broker),
        channels_(channels),
        triggers_(triggers),
        starter_(starter),
        letters_(letters),
        counts_(counts),
        refresh_(std::move(refresh)) {}
  ~Consumer() { close(); }

  Result<void> open(std::size_t workers, std::size_t credit);
  /// What is not answered for comes again to whoever pulls next.
  void close();

 private:
  struct Job {
    Stored stored;
    DeliveryPtr delivery;
  };
  void work();
  void process(Job& job);
  /// Whether the trigger needs the event no more.
  bool serve(const Job& job, const trigger::Definition& trigger, const event::CloudEvent& event,
             const Value& value);
  bool bury(const Job& job, const Error& reason, const std::string& trigger = {},
            const std::string& run = {}, const std::string& waits_for = {});

  Broker& broker_;
  const Channels& channels_;
  const TriggerTable& triggers_;
  Starter& starter_;
  Letters& letters_;
  EventCounts& counts_;
  const std::function<void()> refresh_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<Job> jobs_;
  bool closing_ = false;
  std::vector<std::thread> workers_;
  Subscription pull_;
};

} // namespace skein::node
