#include "actors/outbox_actor.h"

#include <spdlog/spdlog.h>

#include "actors/supervisor_actor.h"
#include "core/ports/failpoint.h"

namespace skein::actors {
namespace {

constexpr std::size_t kAtOnce = 256;
constexpr std::size_t kMostRead = 8'192; ///< of what some destinations do not take
constexpr std::chrono::seconds kBeforeNextTry{1};

} // namespace

void OutboxActorState::kick() {
  if (!kicked) {
    kicked = true;
    self->send(self, Kick{});
  }
}

void OutboxActorState::try_later() {
  if (!waiting) {
    waiting = true;
    self->delayed_send(self, kBeforeNextTry, Tick{});
  }
}

void OutboxActorState::send_all() {
  kicked = false;
  if (under_way.size() > kAtOnce / 2) {
    return; // the next that is taken asks again; what is read is worth its reading
  }
  const std::size_t passed = under_way.size() + silent.size();
  const auto items =
      shared->around.store.outbox(std::min(kMostRead, passed + kAtOnce), shared->led_partitions());
  if (!items) {
    spdlog::error("outbox: {}", to_string(items.error()));
    try_later();
    return;
  }
  for (const OutboxItem& item : *items) {
    const Lane lane{item.partition, item.row.destination};
    if (under_way.size() < kAtOnce && !silent.contains(lane) && busy.insert(lane).second) {
      under_way.emplace(Where{item.partition, item.index, item.position}, lane);
      send(item);
    }
  }
}

void OutboxActorState::send(const OutboxItem& item) {
  failpoint("outbox.before_send");
  const caf::actor_addr me = self->address();
  shared->around.on_message(item, [me, item](Result<void> result) {
    failpoint("outbox.after_send");
    if (const auto alive = caf::actor_cast<caf::actor>(me)) {
      caf::anon_send(alive, std::make_shared<const Sent>(Sent{item, std::move(result)}));
    }
  });
}

void OutboxActorState::sent(const Sent& sent) {
  const auto one = under_way.find({sent.item.partition, sent.item.index, sent.item.position});
  if (one == under_way.end()) {
    return;
  }
  const Lane lane = std::move(one->second);
  under_way.erase(one);
  busy.erase(lane);
  Result<void> done = sent.result;
  if (done) {
    done = shared->around.store.outbox_delivered({&sent.item, 1});
  }
  if (!done) {
    spdlog::warn("outbox: {}", to_string(done.error()));
    silent.insert(lane);
    try_later();
  }
  kick();
}

caf::behavior outbox_actor(caf::stateful_actor<OutboxActorState>* self, SharedPtr shared) {
  self->state.self = self;
  make_exceptions_fatal(*self);
  self->state.shared = std::move(shared);
  return {
      [self](const Kick&) { self->state.send_all(); },
      [self](const SentPtr& sent) { self->state.sent(*sent); },
      [self](const Tick&) {
        self->state.waiting = false;
        self->state.silent.clear();
        self->state.send_all();
      },
      [self](const Stop&) { self->quit(); },
  };
}

} // namespace skein::actors
