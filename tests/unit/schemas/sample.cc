#include "unit/schemas/sample.h"

#include <bit>
#include <tuple>
#include <utility>

namespace skein::schemas::sample {
namespace {

constexpr std::int64_t kNoon = 1'795'262'400'123;

using namespace flow; // NOLINT: the fields of every event

auto fields(const Created& e) {
  return std::tuple(e.at, e.definition, e.revision, e.rules, e.seed, e.input, e.labels, e.parent,
                    e.depth);
}
auto fields(const Forked& e) { return std::tuple(e.at, e.from, e.entry, e.vars, e.input); }
auto fields(const Begun& e) {
  return std::tuple(e.at, e.place, e.attempt, e.effect_class, e.child, e.revision);
}
auto fields(const Succeeded& e) { return std::tuple(e.at, e.place, e.attempt, e.output); }
auto fields(const Failed& e) { return std::tuple(e.at, e.place, e.attempt, e.failure); }
auto fields(const FoundInDoubt& e) { return std::tuple(e.at, e.place, e.attempt); }
auto fields(const Expired& e) { return std::tuple(e.at, e.timer); }
auto fields(const Signalled& e) { return std::tuple(e.at, e.id, e.name, e.payload); }
auto fields(const Answered& e) { return std::tuple(e.at, e.place, e.approved, e.by, e.comment); }
auto fields(const CancelAsked& e) { return std::tuple(e.at, e.by, e.reason); }
auto fields(const PauseAsked& e) { return std::tuple(e.at, e.by, e.reason); }
auto fields(const ResumeAsked& e) { return std::tuple(e.at, e.by); }
auto fields(const Settled& e) { return std::tuple(e.at, e.place, e.how, e.output, e.by); }
auto fields(const Proceeded& e) { return std::tuple(e.at); }
auto fields(const ChildEnded& e) { return std::tuple(e.at, e.child, e.output, e.failure); }

template <class T>
bool same(const T& a, const T& b) {
  return a == b;
}
bool same(const Value& a, const Value& b) { return identical(a, b); }

template <class E>
bool same_event(const E& a, const E& b) {
  const auto left = fields(a);
  const auto right = fields(b);
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return (same(std::get<I>(left), std::get<I>(right)) && ...);
  }
  (std::make_index_sequence<std::tuple_size_v<decltype(left)>>());
}

bool identical_lists(const Value& a, const Value& b) {
  const auto left = a.as_list();
  const auto right = b.as_list();
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const Value& x, const Value& y) { return identical(x, y); });
}

bool identical_maps(const Value& a, const Value& b) {
  const auto left = a.as_map();
  const auto right = b.as_map();
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const MapEntry& x, const MapEntry& y) {
                      return identical(x.first, y.first) && identical(x.second, y.second);
                    });
}

bool identical_optionals(const Value& a, const Value& b) {
  const Value* left = a.optional_value();
  const Value* right = b.optional_value();
  return left == nullptr || right == nullptr ? left == right : identical(*left, *right);
}

std::uint64_t pick(std::mt19937_64& random, std::uint64_t bound) { return random() % bound; }

std::string random_text(std::mt19937_64& random) {
  static const std::vector<std::string> kPieces{
      "a", "Z", "0", "$", "\"", "\\", "\n", "\t", "/", "é", "世", "😀", std::string(1, '\0'),
      " ", "{"};
  std::string text;
  for (std::uint64_t n = pick(random, 12); n > 0; --n) {
    text += kPieces[pick(random, kPieces.size())];
  }
  return text;
}

double random_double(std::mt19937_64& random) {
  static constexpr double kOdd[] = {0.0,  -0.0, 1.0,  -1.0,   0.1,     1e20,
                                    1e21, 1e22, 1e-7, 5e-324, 1.5e300, 9007199254740993.0};
  if (pick(random, 2) == 0) {
    return kOdd[pick(random, std::size(kOdd))];
  }
  return std::bit_cast<double>(random());
}

Value random_scalar(std::mt19937_64& random) {
  switch (pick(random, 9)) {
    case 0:
      return Value();
    case 1:
      return Value(pick(random, 2) == 0);
    case 2:
      return Value(static_cast<std::int64_t>(random() >> pick(random, 64)));
    case 3:
      return Value::of_uint(random() >> pick(random, 64));
    case 4:
      return Value(random_double(random));
    case 5:
      return Value::of_bytes(random_text(random) + "\xFF\x80");
    case 6:
      return Value::of_timestamp(static_cast<std::int64_t>(pick(random, 4'000'000'000)) - 2'000'000,
                                 static_cast<std::uint32_t>(pick(random, 1'000'000'000)));
    case 7: {
      const auto seconds = static_cast<std::int64_t>(pick(random, 2'000'001)) - 1'000'000;
      const auto nanos = static_cast<std::int32_t>(pick(random, 1'000'000'000));
      return Value::of_duration(seconds, seconds < 0 ? -nanos : nanos);
    }
    default:
      return Value(random_text(random));
  }
}

Value random_map(std::mt19937_64& random, int depth, bool any_key) {
  std::vector<MapEntry> entries;
  const std::uint64_t count = pick(random, 4);
  for (std::uint64_t i = 0; i < count; ++i) {
    Value key = random_text(random) + std::to_string(i);
    if (any_key && pick(random, 3) == 0) {
      key = pick(random, 2) == 0 ? Value::of_uint(i) : Value(static_cast<std::int64_t>(i));
    }
    entries.emplace_back(
        std::move(key), any_key ? random_value(random, depth - 1) : random_json(random, depth - 1));
  }
  return Value::of_map(std::move(entries));
}

template <class Make>
Value random_list(std::mt19937_64& random, Make make) {
  std::vector<Value> items;
  for (std::uint64_t n = pick(random, 4); n > 0; --n) {
    items.push_back(make());
  }
  return Value::of_list(std::move(items));
}

ContentHash hash_named(std::string_view name) { return content_hash(name); }

Place deep_place() { return inside(inside(Place{.step = 7}, 3), 99'999); }

} // namespace

bool identical(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) {
    return false;
  }
  switch (a.kind()) {
    case Kind::null:
      return true;
    case Kind::real: {
      const bool nan = a.as_double() != a.as_double() && b.as_double() != b.as_double();
      return nan || std::bit_cast<std::uint64_t>(a.as_double()) ==
                        std::bit_cast<std::uint64_t>(b.as_double());
    }
    case Kind::list:
      return identical_lists(a, b);
    case Kind::map:
      return identical_maps(a, b);
    case Kind::optional:
      return identical_optionals(a, b);
    case Kind::timestamp:
    case Kind::duration:
      return a.seconds() == b.seconds() && a.nanos() == b.nanos();
    case Kind::string:
    case Kind::bytes:
    case Kind::type:
      return a.as_string() == b.as_string();
    default:
      return a.as_uint() == b.as_uint();
  }
}

bool identical(const flow::Event& a, const flow::Event& b) {
  return a.index() == b.index() && std::visit(
                                       [&](const auto& left) {
                                         using E = std::decay_t<decltype(left)>;
                                         return same_event(left, std::get<E>(b));
                                       },
                                       a);
}

bool identical(const Entry& a, const Entry& b) {
  return a.run == b.run && a.seq == b.seq && a.effects == b.effects && a.state == b.state &&
         identical(a.event, b.event);
}

Value random_value(std::mt19937_64& random, int depth) {
  if (depth <= 0 || pick(random, 3) == 0) {
    return random_scalar(random);
  }
  switch (pick(random, 6)) {
    case 0:
      return random_list(random, [&] { return random_value(random, depth - 1); });
    case 1:
      return Value::some(random_value(random, depth - 1));
    case 2:
      return Value::none();
    case 3:
      return Value::of_type("int");
    case 4:
      return Value::of_map({{"$uint", random_value(random, depth - 1)}});
    default:
      return random_map(random, depth, true);
  }
}

Value random_json(std::mt19937_64& random, int depth) {
  switch (depth <= 0 ? pick(random, 4) : pick(random, 6)) {
    case 0:
      return Value();
    case 1:
      return Value(pick(random, 2) == 0);
    case 2:
      return Value(static_cast<std::int64_t>(random() >> pick(random, 64)));
    case 3:
      return Value(random_text(random));
    case 4:
      return random_list(random, [&] { return random_json(random, depth - 1); });
    default:
      return random_map(random, depth, false);
  }
}

std::vector<Entry> every_entry() {
  const Instant at{kNoon};
  const Failure failure{"SK5003", "grep ended with 2: «no such file»", "look at stderr", "count",
                        true};
  const Value input = object({{"file", "app.log"}, {"limit", Value::of_uint(3)}, {"p", 0.5}});
  const std::vector<Event> events{
      Created{at, "triage", hash_named("triage"), 2, 0xFEDCBA9876543210u, input,
              object({{"team", "sre"}}), "parent-1"},
      Forked{at, "triage-0", 17, object({{"threshold", 0.8}}), object({{"file", "b.log"}})},
      Begun{at, deep_place(), 3, EffectClass::llm},
      Succeeded{at, deep_place(), 3, input},
      Failed{at, deep_place(), 3, failure},
      FoundInDoubt{at, deep_place(), 3},
      Expired{at, 0xFFFFFFFFFFFFFFFFu},
      Signalled{at, "sig-1", "go", input},
      Answered{at, deep_place(), true, "ana", "löscht bitte nichts"},
      CancelAsked{at, "ana", "wrong file"},
      PauseAsked{at, "ana", "lunch"},
      ResumeAsked{at, "ana"},
      Settled{at, deep_place(), Settled::How::succeed, input, "ana"},
      Proceeded{at},
      ChildEnded{at, RunId{"pay-h2k9"}, input, failure}};
  std::vector<Entry> entries;
  for (const Event& event : events) {
    entries.push_back({RunId{"incident-triage-7h2kqx9d"}, Seq{entries.size() + 1}, event,
                       Digest{1, 2}, Digest{3, 0x8000000000000000u}});
  }
  return entries;
}

Entry usual_entry() {
  return {RunId{"incident-triage-7h2kqx9d"}, Seq{41},
          Succeeded{Instant{kNoon}, Place{.step = 3}, 1,
                    object({{"exit_code", 0}, {"n", 1234}})}, // {"exit_code":0,"n":1234}
          Digest{11, 12}, Digest{13, 14}};
}

RunRecord record() {
  RunRecord record;
  record.id = RunId{"incident-triage-7h2kqx9d"};
  record.definition = "incident-triage";
  record.revision = hash_named("triage");
  record.state = RunState::waiting;
  record.reason = "asked";
  record.waiting_for = "approval approve";
  record.parent = "parent-1";
  record.labels = object({{"team", "sre"}});
  record.output = object({{"ratio", 2.0}});
  record.failure = Failure{"SK5003", "failed", "look", "count", true};
  record.created_at = Instant{kNoon};
  record.updated_at = Instant{kNoon + 5};
  record.steps = 12;
  return record;
}

Checkpoint checkpoint() {
  return {RunId{"incident-triage-7h2kqx9d"}, Seq{64}, Digest{5, 6},
          object({{"large", std::string(kInlineLimit + 1, 'x')},
                  {"steps", object({{"count", Value::of_uint(3)}})},
                  {"vars", object({{"threshold", 0.8}})}})};
}

BatchHeader batch() {
  BatchHeader header;
  header.incarnation = 77;
  header.partition = PartitionId{5};
  header.epoch = Epoch{3};
  header.node = NodeId{0xABCDEF0123456789u};
  header.first = LogIndex{1001};
  header.at = Instant{kNoon};
  header.previous = hash_named("previous");
  header.entries = {{RunId{"a-1"}, Seq{4}, hash_named("one")},
                    {RunId{"a-1"}, Seq{5}, hash_named("two")},
                    {RunId{"b-2"}, Seq{1}, hash_named("three")}};
  header.hash = hash_of(header);
  return header;
}

OutboxRow outbox() {
  return {"run/step/0", "alert.closed",
          object({{"specversion", "1.0"}, {"id", "run/step/0"}, {"type", "alert.closed"}})};
}

ResourceRow resource() {
  return {"Flow", "triage", 3, hash_named("{}"), "{\"kind\":\"Flow\"}", Instant{kNoon}, true};
}

BlobSink Blobs::sink() {
  return [this](const ContentHash& hash, std::string_view text) {
    kept_.emplace(hash, std::string(text));
  };
}

BlobSource Blobs::source() const {
  return [this](const ContentHash& hash) -> Result<std::string> {
    const auto found = kept_.find(hash);
    if (found == kept_.end()) {
      return Error{Code::blob_missing, to_string(hash) + " is not there"};
    }
    return found->second;
  };
}

} // namespace skein::schemas::sample
