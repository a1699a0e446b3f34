#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/ports/store.h"

/// Small batches of real entries for tests of stores.
namespace skein::test {

inline Instant at(std::int64_t ms) { return Instant{1'800'000'000'000 + ms}; }

inline RunRecord record_of(const std::string& run, RunState state, std::int64_t created = 0,
                           std::string definition = "triage", Value labels = {}) {
  RunRecord record;
  record.id = RunId(run);
  record.definition = std::move(definition);
  record.state = state;
  record.labels = std::move(labels);
  record.created_at = at(created);
  record.updated_at = at(created);
  return record;
}

/// Entry `seq` of a run: its creation, then signals with `payload`.
inline Append entry_of(const std::string& run, std::uint64_t seq, Value payload = "x") {
  Append append;
  append.entry.run = RunId(run);
  append.entry.seq = Seq(seq);
  append.entry.effects = digest(run);
  append.entry.state = Digest{seq, 7};
  if (seq == 1) {
    flow::Created created;
    created.at = at(0);
    created.definition = "triage";
    created.input = std::move(payload);
    append.entry.event = created;
  } else {
    append.entry.event = flow::Signalled{at(static_cast<std::int64_t>(seq)),
                                         "s" + std::to_string(seq), "go", std::move(payload)};
  }
  return append;
}

inline Append with_record(Append append, RunRecord record) {
  append.record = std::move(record);
  return append;
}

/// A batch of one run's partition.
inline Batch batch_of(std::vector<Append> appends, std::uint64_t epoch = 1) {
  Batch batch;
  batch.partition = partition_of(appends.front().entry.run);
  batch.epoch = Epoch(epoch);
  batch.at = at(0);
  batch.appends = std::move(appends);
  return batch;
}

inline Result<void> commit(Store& store, std::vector<Append> appends) {
  const Batch batch = batch_of(std::move(appends));
  return store.commit({&batch, 1});
}

inline Result<void> commit(Store& store, Append append) {
  return commit(store, std::vector<Append>{std::move(append)});
}

} // namespace skein::test
