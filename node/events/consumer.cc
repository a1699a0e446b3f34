#include "node/events/consumer.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace skein::node {
namespace {

// What fails for a reason of its own is tried so often; what finds no room, until it is kept apart
// and tried again from there.
constexpr std::uint64_t kMostFailures = 5;
constexpr std::uint64_t kMostWaits = 50;
// An event that comes this often without an answer took the process with it: it is kept apart so
// that it holds up no other.
constexpr std::uint64_t kMostDeliveries = 100;

Millis delay_of(std::uint64_t deliveries) {
  return Millis{std::int64_t{250} << std::min<std::uint64_t>(deliveries, 8)};
}

} // namespace

Result<void> Consumer::open(std::size_t workers, std::size_t credit) {
  for (std::size_t i = 0; i < workers; ++i) {
    workers_.emplace_back([this] { work(); });
  }
  PullSpec spec;
  spec.stream = channels_.events;
  spec.consumer = "triggers";
  spec.filter = channels_.all_events;
  spec.credit = credit;
  auto pull = broker_.pull(spec, [this](Stored&& stored, DeliveryPtr delivery) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({std::move(stored), std::move(delivery)});
    more_.notify_one();
  });
  if (!pull) {
    return pull.error();
  }
  pull_ = std::move(*pull);
  return {};
}

void Consumer::close() {
  pull_.reset();
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    jobs_.clear();
    more_.notify_all();
  }
  for (std::thread& worker : workers_) {
    worker.join();
  }
  workers_.clear();
}

void Consumer::work() {
  for (;;) {
    std::unique_lock lock(mutex_);
    more_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
    if (closing_) {
      return;
    }
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    process(job);
  }
}

void Consumer::process(Job& job) {
  ++counts_.taken;
  const auto event = read_event(channels_, job.stored);
  bool served = true;
  if (!event) {
    served = bury(job, event.error());
  } else if (job.stored.deliveries > kMostDeliveries) {
    served = bury(
        job, Error{Code::interrupted, "it was delivered " + std::to_string(job.stored.deliveries) +
                                          " times without an answer"});
  } else {
    const Value value = event::to_value(*event);
    refresh_();
    const auto triggers = triggers_.now();
    for (const trigger::DefinitionPtr& trigger : triggers->matching(*event, value)) {
      served = (!trigger->is_plain() || serve(job, *trigger, *event, value)) && served;
    }
  }
  if (served) {
    job.delivery->done();
  } else {
    ++counts_.put_back;
    job.delivery->again(delay_of(job.stored.deliveries));
  }
}

bool Consumer::serve(const Job& job, const trigger::Definition& trigger,
                     const event::CloudEvent& event, const Value& value) {
  const RunId run = trigger::run_of(trigger, event.source, event.id);
  const auto outcome = starter_.start(trigger, std::span(&value, 1), run);
  switch (outcome.came) {
    case Starter::Came::begun:
      ++counts_.started;
      return true;
    case Starter::Came::no_flow:
      return bury(job, outcome.reason, trigger.name, run.get(), trigger.flow);
    case Starter::Came::never:
      return bury(job, outcome.reason, trigger.name, run.get());
    case Starter::Came::later:
      break;
  }
  if (outcome.reason.code == Code::interrupted) {
    return false;
  }
  return is_retryable(outcome.reason.code)
             ? job.stored.deliveries > kMostWaits &&
                   bury(job, outcome.reason, trigger.name, run.get(), trigger.flow)
             : job.stored.deliveries > kMostFailures &&
                   bury(job, outcome.reason, trigger.name, run.get());
}

bool Consumer::bury(const Job& job, const Error& reason, const std::string& trigger,
                    const std::string& run, const std::string& waits_for) {
  Letter letter;
  letter.at = job.stored.at;
  letter.reason = reason;
  letter.trigger = trigger;
  letter.run = run;
  letter.waits_for = waits_for;
  letter.original = job.stored.message;
  const auto added = letters_.add(letter);
  if (!added) {
    spdlog::warn("a dead letter could not be stored: {}", to_string(added.error()));
    return false;
  }
  ++counts_.dead;
  return true;
}

} // namespace skein::node
