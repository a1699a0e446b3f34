#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/flow/effect.h"
#include "core/flow/event.h"
#include "core/ports/store.h"

/// What a run and the runs that its steps start say to each other. Every word is a row of the
/// outbox of whoever says it, written with the entry that caused it, and sent until it was taken:
///
///   parent: Begun ──child_start──► child: Created … Finish ──child_end──► parent: ChildEnded
///   parent: nobody waits any more ──child_cancel──► child: CancelAsked
///
/// Each may come twice: a run begins once, and an end that nobody waits for changes nothing.
namespace skein {

/// A run that is to begin for a step of another.
struct ChildStart {
  RunId child;
  RunId parent;
  std::string flow;
  ContentHash revision;
  Value input;
  Value labels; ///< of the parent
  std::uint32_t depth = 1;
};

OutboxRow to_row(const RunId& parent, const flow::StartChild& start);
OutboxRow to_row(const RunId& parent, const flow::CancelChild& cancel);
/// REQUIRES: the run has a parent.
OutboxRow to_row(const RunId& child, const flow::Finish& finish);

/// REQUIRES: what the row is. Errors: wire_invalid.
Result<ChildStart> child_start_of(const OutboxRow& row);
/// What a child_cancel or a child_end is to the run that it is for.
flow::Event event_of(const OutboxRow& row, Instant at);

/// The id of the run that an attempt starts: "pay-" and letters that come from the effect's key,
/// the same on every node; a further attempt has its number behind. Its partition is one of
/// `where`. REQUIRES: `where` is not empty.
RunId child_id(std::string_view flow, std::string_view key, std::uint32_t attempt,
               const PartitionSet& where = kEveryPartition);

} // namespace skein
