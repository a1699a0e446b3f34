#pragma once

#include <caf/all.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "actors/shared.h"
#include "actors/ticket.h"
#include "core/run/run.h"

/// What actors of one process say to each other: counted references, never encoded.
namespace skein::actors {

/// An event for a run. Whoever sent it hears `interrupted` where nobody answered.
struct Inbound {
  RunId run;
  flow::Event event;
  Reply reply; ///< may be empty
};
using InboundPtr = std::shared_ptr<Inbound>;

/// A whole run that no actor has decided anything of.
struct Written {
  std::vector<Append> appends;
  Reply reply;
};
using WrittenPtr = std::shared_ptr<Written>;

/// From a partition to a flow actor: entries up to here are durable.
struct Durable {
  std::uint64_t seq = 0;
  std::shared_ptr<void> turn; ///< held until what follows is proposed
};

/// A commit was refused: the flow actor's memory is ahead of the truth.
struct Refused {
  Error error;
};
using RefusedPtr = std::shared_ptr<const Refused>;

/// From the committer to a partition.
struct Committed {
  Result<void> result;
  Batch batch;
};
using CommittedPtr = std::shared_ptr<Committed>;

/// To a partition: its runs are this host's from now on.
struct Lead {
  Epoch epoch;
};
/// They are another's.
struct Follow {};

/// A flow actor has nothing under way; it has handled so many messages of its partition.
struct AtRest {
  RunId run;
  std::uint64_t handled = 0;
};

struct Wake {
  RunId run;
  std::optional<LoadedRun> loaded; ///< read while Shared::resuming
  Reply reply;
};
using WakePtr = std::shared_ptr<Wake>;

struct Recover {
  std::optional<LoadedRun> loaded; ///< what the journal says; empty: ask it
  Reply reply;
};
using RecoverPtr = std::shared_ptr<Recover>;

/// To the supervisor: the actor of a run ended though the run had not.
struct Fell {
  RunId run;
  std::string why;
  bool disk_full = false;
};
using FellPtr = std::shared_ptr<const Fell>;

/// The supervisor to itself: the delay is over.
struct Rise {
  RunId run;
  bool disk_full = false;
};
using RisePtr = std::shared_ptr<const Rise>;

/// The attempt of a step has a result.
struct AttemptEnded {
  flow::Place place;
  std::uint32_t attempt = 1;
  ToolResult result;
  TicketPtr ticket; ///< kept until this is handled
};
using AttemptEndedPtr = std::shared_ptr<AttemptEnded>;

/// A slot is free for this attempt.
struct SlotGranted {
  flow::Place place;
  std::uint32_t attempt = 1;
  TicketPtr ticket;
};

/// To the timer actor: a timer was armed for then.
struct Armed {
  Instant due;
};

struct Tick {
  std::uint64_t generation = 0;
};

/// To the outbox actor: there is something to send.
struct Kick {};

/// To the outbox actor: what became of a message.
struct Sent {
  OutboxItem item;
  Result<void> result;
};
using SentPtr = std::shared_ptr<const Sent>;

struct Stop {};
struct Cancel {};

} // namespace skein::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::InboundPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::Durable)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::RefusedPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::CommittedPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::AtRest)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::WrittenPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::Lead)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::Follow)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::WakePtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::RecoverPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::AttemptEndedPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::SlotGranted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::Armed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::Tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::FellPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::RisePtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::Kick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::SentPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::Stop)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skein::actors::Cancel)
