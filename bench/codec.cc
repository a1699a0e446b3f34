#include <benchmark/benchmark.h>

#include <string>

#include "schemas/codec.h"

/// What one journal entry, one batch and one record cost to write and to read.
namespace skein::schemas {
namespace {

Entry usual_entry() {
  return {RunId{"incident-triage-7h2kqx9d"}, Seq{41},
          flow::Succeeded{Instant{1'795'262'400'123}, flow::Place{.step = 3}, 1,
                          object({{"exit", 0}, {"n", 12345}})},
          Digest{11, 12}, Digest{13, 14}};
}

BatchHeader batch_of(std::size_t entries) {
  BatchHeader header;
  for (std::size_t i = 0; i < entries; ++i) {
    header.entries.push_back({RunId{"incident-triage-7h2kq" + std::to_string(i)}, Seq{i},
                              content_hash(std::to_string(i))});
  }
  header.hash = hash_of(header);
  return header;
}

const BlobSink kNoSink = [](const ContentHash&, std::string_view) {};
const BlobSource kNoSource = [](const ContentHash&) -> Result<std::string> {
  return Error{Code::blob_missing, "no blobs here"};
};

void encode_usual_entry(benchmark::State& state) {
  const Entry entry = usual_entry();
  for (auto _ : state) {
    benchmark::DoNotOptimize(encode_entry(entry, kNoSink));
  }
  state.counters["bytes"] = static_cast<double>(encode_entry(entry, kNoSink).size());
}
BENCHMARK(encode_usual_entry);

void decode_usual_entry(benchmark::State& state) {
  const std::string bytes = encode_entry(usual_entry(), kNoSink);
  for (auto _ : state) {
    benchmark::DoNotOptimize(decode_entry(bytes, kNoSource));
  }
}
BENCHMARK(decode_usual_entry);

void encode_begun_entry(benchmark::State& state) {
  Entry entry = usual_entry();
  entry.event = flow::Begun{Instant{1}, flow::Place{.step = 3}, 1, EffectClass::keyed};
  for (auto _ : state) {
    benchmark::DoNotOptimize(encode_entry(entry, kNoSink));
  }
  state.counters["bytes"] = static_cast<double>(encode_entry(entry, kNoSink).size());
}
BENCHMARK(encode_begun_entry);

void decode_begun_entry(benchmark::State& state) {
  Entry entry = usual_entry();
  entry.event = flow::Begun{Instant{1}, flow::Place{.step = 3}, 1, EffectClass::keyed};
  const std::string bytes = encode_entry(entry, kNoSink);
  for (auto _ : state) {
    benchmark::DoNotOptimize(decode_entry(bytes, kNoSource));
  }
}
BENCHMARK(decode_begun_entry);

void hash_batch(benchmark::State& state) {
  const BatchHeader header = batch_of(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(hash_of(header));
  }
}
BENCHMARK(hash_batch)->Arg(1)->Arg(64);

void encode_batch_of(benchmark::State& state) {
  const BatchHeader header = batch_of(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(encode_batch(header));
  }
  state.counters["bytes"] = static_cast<double>(encode_batch(header).size());
}
BENCHMARK(encode_batch_of)->Arg(1)->Arg(64);

void decode_batch_of(benchmark::State& state) {
  const std::string bytes = encode_batch(batch_of(static_cast<std::size_t>(state.range(0))));
  for (auto _ : state) {
    benchmark::DoNotOptimize(decode_batch(bytes));
  }
}
BENCHMARK(decode_batch_of)->Arg(1)->Arg(64);

void encode_usual_record(benchmark::State& state) {
  RunRecord record;
  record.id = RunId{"incident-triage-7h2kqx9d"};
  record.definition = "incident-triage";
  record.revision = content_hash("x");
  record.state = RunState::running;
  for (auto _ : state) {
    benchmark::DoNotOptimize(encode_record(record, kNoSink));
  }
  state.counters["bytes"] = static_cast<double>(encode_record(record, kNoSink).size());
}
BENCHMARK(encode_usual_record);

} // namespace
} // namespace skein::schemas

BENCHMARK_MAIN();
