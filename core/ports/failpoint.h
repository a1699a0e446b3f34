#pragma once

#include <array>
#include <atomic>
#include <string_view>

namespace skein {

/// Called at each named failpoint where one is installed; null in every shipped binary.
using FailpointHook = void (*)(const char* name);
inline std::atomic<FailpointHook> failpoint_hook{nullptr};

/// A place where a test may end the process. Costs one relaxed load.
/// REQUIRES: the name is one of kFailpoints (a lint compares them).
inline void failpoint(const char* name) {
  if (const FailpointHook hook = failpoint_hook.load(std::memory_order_relaxed)) {
    hook(name);
  }
}

/// Every failpoint, named by place: what a crash test tries one after the other.
inline constexpr std::array<std::string_view, 19> kFailpoints{
    "checkpoint.before_write", // encoded, not yet in the write of its entry
    "commit.after_write",      // synced; nobody knows it yet
    "commit.before_write",     // a group is encoded, nothing of it is on the disk
    "effect.after_intent",     // the intent is durable, the effect has not started
    "effect.after_tool",       // the tool has answered, nobody has heard it
    "effect.before_tool",      // an attempt has its worker
    "outbox.after_send",       // sent, not yet marked as delivered
    "outbox.before_send",      // durable, not yet sent
    "recover.before_dispatch", // a run is rebuilt, its effects are not started again
    "retention.after_sweep",   // blobs that nothing refers to are gone
    "retention.after_write",   // some old runs are gone, their blobs are not
    "retention.before_sweep",  // before blobs that nothing refers to are removed
    "retention.before_write",  // before some old runs are removed
    "run.after_commit",        // a run has heard that its entries are durable
    "run.after_sync",          // a group is durable, no run has heard of it
    "run.before_propose",      // decided, not handed to the committer
    "timer.before_fire",       // due, not yet proposed
    "tool.after_done",         // a tool's effect has happened
    "tool.before_start",       // a tool's effect has not started
};

} // namespace skein
