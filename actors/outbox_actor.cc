#include "actors/outbox_actor.h"

#include <spdlog/spdlog.h>

#include "actors/supervisor_actor.h"
#include "core/ports/failpoint.h"

namespace skein::actors {
namespace {

constexpr std::size_t kAtOnce = 256;
constexpr std::chrono::seconds kBeforeNextTry{1};

} // namespace

void OutboxActorState::try_later() {
  waiting = true;
  self->delayed_send(self, kBeforeNextTry, Tick{});
}

void OutboxActorState::send_all() {
  auto items = shared->around.store.outbox(kAtOnce, shared->led_partitions());
  if (!items) {
    spdlog::error("outbox: {}", to_string(items.error()));
    try_later();
    return;
  }
  std::size_t sent = 0;
  for (; sent < items->size(); ++sent) {
    failpoint("outbox.before_send");
    if (const auto done = shared->around.on_message((*items)[sent].row); !done) {
      spdlog::warn("outbox: {}", to_string(done.error()));
      try_later();
      break;
    }
    failpoint("outbox.after_send");
  }
  items->resize(sent);
  if (const auto dropped = shared->around.store.outbox_delivered(*items); !dropped) {
    spdlog::error("outbox: {}", to_string(dropped.error()));
    try_later();
  } else if (sent == kAtOnce) {
    self->send(self, Kick{});
  }
}

caf::behavior outbox_actor(caf::stateful_actor<OutboxActorState>* self, SharedPtr shared) {
  self->state.self = self;
  make_exceptions_fatal(*self);
  self->state.shared = std::move(shared);
  return {
      [self](const Kick&) {
        if (!self->state.waiting) {
          self->state.send_all();
        }
      },
      [self](const Tick&) {
        self->state.waiting = false;
        self->state.send_all();
      },
      [self](const Stop&) { self->quit(); },
  };
}

} // namespace skein::actors
