#include "node/events/events.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <future>

#include "core/event/lifecycle.h"
#include "core/event/message.h"
#include "core/value/json.h"
#include "node/events/consumer.h"
#include "node/events/keeper.h"
#include "storage/random_word.h"

namespace skein::node {
namespace {

class NodeEvents : public Events {
 public:
  NodeEvents(Node& node, Broker& broker, const Clock& clock, EventSettings settings)
      : broker_(broker),
        clock_(clock),
        settings_(std::move(settings)),
        channels_(settings_.tenant, settings_.incarnation),
        starter_(node),
        letters_(broker, channels_),
        consumer_(broker, channels_, table_, starter_, letters_, counts_,
                  [this] { keeper_.catch_up(); }),
        keeper_(node, broker, clock, settings_, channels_, {table_, starter_, letters_, counts_}),
        store_(node.store()) {}

  ~NodeEvents() override {
    consumer_.close();
    keeper_.close();
    letters_.close();
  }

  Result<void> open() {
    StreamSpec spec;
    spec.name = channels_.events;
    spec.subjects = {channels_.all_events, channels_.tick};
    spec.replicas = settings_.replicas;
    spec.max_age = settings_.keep;
    if (auto made = broker_.make_stream(spec); !made) {
      return made.error();
    }
    if (auto opened = letters_.open(settings_.replicas, settings_.keep); !opened) {
      return opened;
    }
    if (auto opened = keeper_.open(); !opened) { // first: the triggers must be known
      return opened;
    }
    return consumer_.open(settings_.workers, settings_.credit);
  }

  void publish(const event::CloudEvent& event,
               std::function<void(Result<Appended>)> answer) override {
    if (auto good = event::check(event); !good) {
      answer(good.error());
      return;
    }
    ++counts_.published;
    broker_.append(message_of(channels_, event), dedupe_key(event.source, event.id),
                   std::move(answer));
  }

  Result<void> publish_all(const std::vector<event::CloudEvent>& events) override {
    std::vector<std::future<Result<Appended>>> answers;
    for (const event::CloudEvent& event : events) {
      auto promise = std::make_shared<std::promise<Result<Appended>>>();
      answers.push_back(promise->get_future());
      publish(event, [promise](Result<Appended> stored) { promise->set_value(std::move(stored)); });
    }
    Result<void> first;
    for (auto& answer : answers) {
      const auto stored = answer.get();
      if (!stored && first) {
        first = stored.error();
      }
    }
    return first;
  }

  std::string new_id() override {
    return event::uuid7(clock_.now(), storage::random_word(), storage::random_word());
  }

  void deliver(const OutboxItem& item, std::function<void(Result<void>)> answer) override {
    const OutboxRow& row = item.row;
    auto event = event::from_value(row.message);
    if (!event) { // it never will be one
      Letter letter;
      letter.at = clock_.now();
      letter.reason = event.error();
      letter.original = {channels_.event("skein.outbox"), "", {}, to_json(row.message)};
      ++counts_.dead;
      letters_.add(letter, std::move(answer));
      return;
    }
    const RunId run(row.id.substr(0, row.id.find('/')));
    if (const std::int64_t hops = hops_of(store_, run); hops > 0) {
      event->extensions.insert_or_assign(std::string(event::kHops), Value(hops));
    }
    ++counts_.published;
    broker_.append(message_of(channels_, *event), row.id,
                   [answer = std::move(answer)](const Result<Appended>& stored) {
                     answer(stored ? Result<void>() : Result<void>(stored.error()));
                   });
  }

  Result<std::vector<StoredEvent>> list(std::uint64_t from, std::size_t limit) override {
    const auto state = broker_.stream(channels_.events);
    if (!state) {
      return state.error();
    }
    // Ticks are left out, so more is read than was asked for where there are some.
    const std::uint64_t most = limit * 2;
    const std::uint64_t first =
        std::max({from, state->first, state->last >= most ? state->last - most + 1 : 1});
    auto all = read_all(broker_, channels_.events, first, state->last);
    if (!all) {
      return all.error();
    }
    std::erase_if(*all, [&](const Stored& s) { return s.message.subject == channels_.tick; });
    if (all->size() > limit) {
      all->erase(all->begin(), all->end() - static_cast<std::ptrdiff_t>(limit));
    }
    std::vector<StoredEvent> events;
    for (const Stored& stored : *all) {
      events.push_back({stored.sequence, stored.at, read_event(channels_, stored)});
    }
    return events;
  }

  Result<Subscription> tail(std::function<void(StoredEvent&&)> on_event) override {
    const auto state = broker_.stream(channels_.events);
    if (!state) {
      return state.error();
    }
    return broker_.tail({channels_.events, channels_.all_events, state->last + 1},
                        [channels = channels_, on_event = std::move(on_event)](Stored&& stored) {
                          on_event({stored.sequence, stored.at, read_event(channels, stored)});
                        });
  }

  std::vector<Letter> dead() override { return letters_.list(); }
  Result<void> retry(std::uint64_t letter) override { return keeper_.retry(letter); }
  Result<void> drop(std::uint64_t letter) override { return letters_.settle(letter); }

  Result<std::uint64_t> replay(const std::string& name, std::uint64_t from,
                               std::uint64_t to) override {
    const trigger::DefinitionPtr trigger = table_.now()->find(name);
    if (!trigger || !trigger->event) {
      return Error{Code::resource_unknown, "there is no trigger \"" + name + "\" that takes events",
                   "see `skein trigger list`"};
    }
    const auto all = read_all(broker_, channels_.events, from, to);
    if (!all) {
      return all.error();
    }
    std::uint64_t took = 0;
    for (const Stored& stored : *all) {
      const auto event = stored.message.subject == channels_.tick ? Error{Code::event_invalid, ""}
                                                                  : read_event(channels_, stored);
      const Value value = event ? event::to_value(*event) : Value();
      if (!event || !trigger::takes(*trigger, *event, value)) {
        continue;
      }
      const auto outcome =
          starter_.start(*trigger, std::span(&value, 1),
                         trigger::run_of(*trigger, event->source, event->id), true);
      if (outcome.came != Starter::Came::begun) {
        return Error{outcome.reason.code,
                     "event " + event->id + " of " + event->source + ": " + outcome.reason.detail,
                     "go on from " + std::to_string(stored.sequence)};
      }
      ++took;
    }
    return took;
  }

  std::vector<trigger::DefinitionPtr> triggers() override {
    const auto now = table_.now();
    return {now->all().begin(), now->all().end()};
  }

  void refresh() override { keeper_.refresh(); }

  EventStatus status() override {
    const auto state = broker_.stream(channels_.events);
    return {counts_.published,
            counts_.taken,
            counts_.started,
            counts_.dropped,
            counts_.dead,
            counts_.put_back,
            state ? *state : StreamState{}};
  }

 private:
  Broker& broker_;
  const Clock& clock_;
  const EventSettings settings_;
  const Channels channels_;
  EventCounts counts_;
  TriggerTable table_;
  Starter starter_;
  Letters letters_;
  Consumer consumer_;
  Keeper keeper_;
  const Store& store_;
};

} // namespace

Result<std::unique_ptr<Events>> Events::open(Node& node, Broker& broker, const Clock& clock,
                                             EventSettings settings) {
  if (!settings.owns) {
    settings.owns = [&node](const std::string& trigger) {
      return node.leads(partition_of(RunId(trigger)));
    };
  }
  auto events = std::make_unique<NodeEvents>(node, broker, clock, std::move(settings));
  auto opened = events->open();
  return opened ? Result<std::unique_ptr<Events>>(std::move(events)) : opened.error();
}

} // namespace skein::node
