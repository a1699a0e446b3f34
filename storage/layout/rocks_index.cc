#include "storage/layout/rocks_index.h"

#include <spdlog/spdlog.h>

#include "storage/layout/rocks_merge.h"
#include "storage/layout/rocks_rows.h"

namespace skein::storage {
namespace {

enum class By : std::uint8_t { created = 'c', state = 's', definition = 'd', label = 'l' };

/// The part of an index key between the table and the time.
std::string inner(By by, std::string_view value = {}) {
  std::string bytes(1, static_cast<char>(by));
  return bytes.append(value);
}

std::string of_state(RunState state) {
  return inner(By::state, std::string(1, static_cast<char>(state)));
}

/// Text in keys ends at a NUL; a text that holds one is cut there, which only makes the index
/// coarser: every record that is found is compared with the filter again.
std::string terminated(std::string_view text) {
  return std::string(text.substr(0, text.find('\0'))) + '\0';
}

std::string of_definition(std::string_view definition) {
  return inner(By::definition, terminated(definition));
}

std::string of_label(std::string_view key, std::string_view value) {
  return inner(By::label, terminated(key) + terminated(value));
}

std::string place_of(const RunId& run, Instant created) {
  return Key().newest(created).bytes(run.get()).take();
}

std::string index_key(const RunId& run, std::string_view inner_bytes, Instant created) {
  return Key(partition_of(run), Table::index)
      .bytes(inner_bytes)
      .bytes(place_of(run, created))
      .take();
}

RunId run_of(std::string_view place) { return RunId(std::string(place.substr(8))); }

/// The index that leaves the least to look at.
std::string narrowest(const RunFilter& filter) {
  if (!filter.labels.empty()) {
    return of_label(filter.labels.front().first, filter.labels.front().second);
  }
  if (!filter.definition.empty()) {
    return of_definition(filter.definition);
  }
  return filter.state ? of_state(*filter.state) : inner(By::created);
}

} // namespace

bool matches(const RunRecord& record, const RunFilter& filter) {
  if (filter.state && record.state != *filter.state) {
    return false;
  }
  if (!filter.definition.empty() && record.definition != filter.definition) {
    return false;
  }
  for (const auto& [key, value] : filter.labels) {
    const Value* const label = record.labels.find(std::string_view(key));
    if (label == nullptr || !label->is(Kind::string) || label->as_string() != value) {
      return false;
    }
  }
  return true;
}

std::string state_index_key(const RunId& run, RunState state, Instant created) {
  return index_key(run, of_state(state), created);
}

std::vector<std::string> index_keys(const RunRecord& record) {
  std::vector<std::string> keys{
      index_key(record.id, inner(By::created), record.created_at),
      index_key(record.id, of_state(record.state), record.created_at),
      index_key(record.id, of_definition(record.definition), record.created_at)};
  if (record.labels.is(Kind::map)) {
    for (const auto& [key, value] : record.labels.as_map()) {
      if (key.is(Kind::string) && value.is(Kind::string)) {
        keys.push_back(
            index_key(record.id, of_label(key.as_string(), value.as_string()), record.created_at));
      }
    }
  }
  return keys;
}

std::optional<RunId> indexed_run(std::string_view suffix) {
  KeyReader reader(suffix);
  switch (static_cast<By>(reader.byte().value_or(0))) {
    case By::created:
      break;
    case By::state:
      reader.byte();
      break;
    case By::label:
      reader.text();
      [[fallthrough]];
    case By::definition:
      reader.text();
      break;
  }
  const bool created = reader.u64().has_value();
  return created && !reader.rest().empty() ? std::optional(RunId(std::string(reader.rest())))
                                           : std::nullopt;
}

Result<std::vector<RunRecord>> list_runs(const RocksDatabase& database, const RunFilter& filter) {
  std::string after;
  if (!filter.after.get().empty()) {
    auto record = read_record(database, filter.after);
    if (!record) {
      return record.error();
    }
    if (!*record) {
      return Error{Code::run_unknown, "there is no run " + filter.after.get() + " to list from",
                   ""};
    }
    after = place_of(filter.after, (*record)->created_at);
  }
  std::vector<RunRecord> found;
  const auto visit = [&](PartitionId, std::string_view place) -> Result<bool> {
    if (found.size() >= filter.limit) {
      return false;
    }
    auto record = read_record(database, run_of(place));
    if (!record && record.error().code == Code::storage_corrupt) {
      spdlog::error("left out of the list: {}", to_string(record.error()));
      return true;
    }
    if (!record) {
      return record.error();
    }
    if (*record && matches(**record, filter)) {
      found.push_back(std::move(**record));
    }
    return found.size() < filter.limit;
  };
  auto merged = merge_partitions(database, Table::index, narrowest(filter), after, visit);
  return merged ? Result<std::vector<RunRecord>>(std::move(found))
                : Result<std::vector<RunRecord>>(merged.error());
}

Result<bool> runs_in_state(const RocksDatabase& database, PartitionId partition, RunState state,
                           const std::function<bool(const RunId&)>& visit) {
  Scan scan(database, Table::index, Key(partition, Table::index).bytes(of_state(state)));
  for (scan.first(); scan.valid(); scan.next()) {
    if (!visit(run_of(scan.suffix()))) {
      return false;
    }
  }
  auto ended = scan.status();
  return ended ? Result<bool>(true) : Result<bool>(ended.error());
}

} // namespace skein::storage
