#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/instant.h"
#include "core/event/cloud_event.h"
#include "core/event/message.h"
#include "core/ports/broker.h"

namespace skein::node {

/// Where the events of one tenant travel, and where what belongs to them is kept.
///
///   skein.TENANT.event.TYPE     events, by whoever publishes them    stream SKEIN_EVT_…
///   skein.TENANT.tick           time, for rules that wait            the same stream
///   skein.TENANT.dead.…         what no trigger could use            stream SKEIN_DLQ_…
///   skein.TENANT.rules.TRIGGER  how far the rules of a trigger are   stream SKEIN_TRG_…
struct Channels {
  Channels(std::string_view tenant, std::string_view incarnation);

  std::string events; ///< names of the streams
  std::string dead;
  std::string rules;
  std::string all_events; ///< filters
  std::string all_dead;
  std::string all_rules;
  std::string tick; ///< subjects
  std::string letter;
  std::string settled;

  std::string event(std::string_view type) const;
  std::string rules_of(std::string_view trigger) const;

  /// The dotted rest of the subject of an event: its type, where that could be written so.
  std::string type_of(std::string_view subject) const;

 private:
  std::string tenant_;
};

/// The event of a message of the stream. One that brought no id is named by its content and the
/// instant at which the broker took it. Errors: event_invalid, event_limit.
Result<event::CloudEvent> read_event(const Channels& channels, const Stored& stored);

/// The message that an event is kept as, and the key by which the broker knows a repeat.
Message message_of(const Channels& channels, const event::CloudEvent& event);
std::string dedupe_key(std::string_view source, std::string_view id);

} // namespace skein::node
