#pragma once

#include "core/trigger/definition.h"
#include "core/value/value.h"
#include "node/events/events.h"

/// What programs are shown of events. Fields may be added, none is removed.
namespace skein::node {

/// {"sequence", "at", "event"}, or {"sequence", "at", "error"} where it cannot be read.
Value to_value(const StoredEvent& stored);
/// {"number", "at", "code", "reason", "hint", "trigger", "run", "waits_for", "subject", "headers",
/// "body"}; what is not known is null.
Value to_value(const Letter& letter);
Value to_value(const EventStatus& status);
/// {"name", "flow", "kind", "paused", "next"}; `next` of a schedule after `now`.
Value to_value(const trigger::Definition& trigger, Instant now);

} // namespace skein::node
