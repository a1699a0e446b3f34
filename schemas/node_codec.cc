#include "schemas/node_codec.h"

#include <array>
#include <charconv>
#include <map>
#include <utility>
#include <vector>

#include "schemas/codec.h"
#include "schemas/reader.h"
#include "schemas/wire/envelope_generated.h"
#include "schemas/writer.h"

namespace skein::schemas {
namespace {

constexpr Format kFormat{"SKEV", "message of a node", 64u << 20};
constexpr std::uint16_t kVersion = 1;

using Blobs = std::map<ContentHash, std::string>;
using BytesOffset = Offset<flatbuffers::Vector<std::uint8_t>>;

std::string text_of(NodeId node) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), node.get(), 16).ptr;
  return {digits.begin(), end};
}

std::optional<NodeId> node_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, wrong] = std::from_chars(text.begin(), text.end(), number, 16);
  return wrong == std::errc() && end == text.end() && !text.empty() ? std::optional(NodeId(number))
                                                                    : std::nullopt;
}

BytesOffset bytes_in(Builder& out, std::string_view bytes) {
  return out.CreateVector(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

std::string_view view(const flatbuffers::Vector<std::uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Written {
  wire::Payload type;
  Offset<void> table;
};

Offset<wire::LogPart> part_in(Writer& w, const LogPart& part) {
  const auto bytes = bytes_in(w.out(), part.bytes);
  const wire::Hash batch = to_wire(part.batch);
  return wire::CreateLogPart(w.out(), part.partition.get(), &batch, part.part, part.parts, bytes);
}

Written write(Writer& w, const LogPart& part) {
  return {wire::Payload::LogPart, part_in(w, part).Union()};
}

Written write(Writer& w, const LogBundle& bundle) {
  std::vector<Offset<wire::LogPart>> parts;
  for (const LogPart& part : bundle.parts) {
    parts.push_back(part_in(w, part));
  }
  const auto parts_at = w.out().CreateVector(parts);
  return {wire::Payload::LogBundle, wire::CreateLogBundle(w.out(), parts_at).Union()};
}

Written write(Writer& w, const LeaderAnnounced& announced) {
  return {wire::Payload::LeaderAnnounced,
          wire::CreateLeaderAnnounced(w.out(), announced.partition.get(), announced.epoch.get(),
                                      announced.leader.get(), announced.last.get(), announced.life)
              .Union()};
}

Written write(Writer& w, const Alive& alive) {
  const auto name = w.text(alive.name);
  const auto url = w.text(alive.url);
  const auto labels = w.json(alive.labels);
  std::vector<wire::Delivered> delivered;
  for (const auto& [partition, before] : alive.delivered) {
    delivered.emplace_back(partition.get(), before.get());
  }
  const auto delivered_at = w.out().CreateVectorOfStructs(delivered);
  const cluster::Beat& beat = alive.beat;
  return {wire::Payload::Heartbeat,
          wire::CreateHeartbeat(w.out(), beat.node.get(), beat.life, beat.load, beat.ready,
                                beat.draining, beat.leads.to_ullong(), name, url, beat.said.ms,
                                labels, alive.generation, delivered_at)
              .Union()};
}

// The event is encoded before, for one builder builds one root at a time.
struct EncodedAsk {
  std::string event;
  Blobs blobs;
};

EncodedAsk encoded(const Ask& ask) {
  EncodedAsk encoded;
  encoded.event = encode_entry(Entry{ask.run, Seq(), ask.event, {}, {}},
                               [&](const ContentHash& hash, std::string_view content) {
                                 encoded.blobs.try_emplace(hash, content);
                               });
  return encoded;
}

Written write(Writer& w, const EncodedAsk& ask) {
  std::vector<Offset<wire::Content>> blobs;
  for (const auto& [hash, content] : ask.blobs) {
    blobs.push_back(wire::CreateContent(w.out(), bytes_in(w.out(), content)));
  }
  const auto blobs_at = w.out().CreateVector(blobs);
  const auto event = bytes_in(w.out(), ask.event);
  return {wire::Payload::Ask, wire::CreateAsk(w.out(), event, blobs_at).Union()};
}

Offset<wire::Failure> failure_in(Writer& w, const Error& error) {
  return w.failure({to_string(error.code), error.detail, error.hint, {}, is_retryable(error.code)});
}

Written write(Writer& w, const Answer& answer) {
  const auto failure = answer.error ? failure_in(w, *answer.error) : Offset<wire::Failure>();
  return {wire::Payload::Answer, wire::CreateAnswer(w.out(), failure, answer.last.get()).Union()};
}

Written write(Writer& w, const ClusterFormed& formed) {
  return {wire::Payload::ClusterFormed,
          wire::CreateClusterFormed(w.out(), formed.incarnation, formed.partitions).Union()};
}

Written write(Writer& w, const ResourceSet& set) {
  const auto kind = w.required_text(set.kind);
  const auto name = w.required_text(set.name);
  const auto content = set.content ? w.required_text(*set.content) : TextOffset();
  return {wire::Payload::ResourceSet,
          wire::CreateResourceSet(w.out(), kind, name, content, set.at.ms).Union()};
}

Written write(Writer& w, const Fetch& fetch) {
  return {wire::Payload::Fetch,
          wire::CreateFetch(w.out(), fetch.partition.get(), fetch.offset).Union()};
}

Written write(Writer& w, const Piece& piece) {
  const auto bytes = bytes_in(w.out(), piece.bytes);
  return {wire::Payload::Piece,
          wire::CreatePiece(w.out(), piece.partition.get(), piece.offset, bytes, piece.end,
                            piece.last.get(), piece.epoch.get(), piece.position.generation,
                            piece.position.sequence, piece.last_epoch.get())
              .Union()};
}

Written write(Writer& w, const Holds& holds) {
  std::vector<wire::Tail> tails;
  for (const log::Holding& tail : holds.tails) {
    tails.emplace_back(tail.last.get(), tail.epoch.get(), to_wire(tail.hash),
                       tail.last_epoch.get());
  }
  const auto tails_at = w.out().CreateVectorOfStructs(tails);
  return {wire::Payload::Holds, wire::CreateHolds(w.out(), tails_at).Union()};
}

Written write(Writer& w, const LogBegun& begun) {
  return {wire::Payload::LogBegun, wire::CreateLogBegun(w.out(), begun.generation).Union()};
}

Written write(Writer& w, const NodeJoined& joined) {
  const auto name = w.required_text(joined.name);
  return {wire::Payload::NodeJoined,
          wire::CreateNodeJoined(w.out(), joined.node.get(), name).Union()};
}

Written write(Writer& w, const NodeForgotten& forgotten) {
  return {wire::Payload::NodeForgotten,
          wire::CreateNodeForgotten(w.out(), forgotten.node.get()).Union()};
}

Written write(Writer& w, const HoldsAsked&) {
  return {wire::Payload::HoldsAsked, wire::CreateHoldsAsked(w.out()).Union()};
}

Written write(Writer& w, const Drain& drain) {
  return {wire::Payload::Drain, wire::CreateDrain(w.out(), drain.on).Union()};
}

Written write(Writer& w, const WorkPlacesAsked& asked) {
  return {wire::Payload::WorkPlacesAsked,
          wire::CreateWorkPlacesAsked(w.out(), asked.places).Union()};
}

Written write(Writer& w, const WorkPlaces& places) {
  const auto claims = w.out().CreateVector(places.claims);
  return {wire::Payload::WorkPlaces, wire::CreateWorkPlaces(w.out(), claims).Union()};
}

Written write(Writer& w, const WorkGiven& work) {
  const ToolCall& call = work.call;
  const auto tool = w.required_text(call.tool);
  const auto input = w.json(call.input);
  const auto run = w.required_text(call.run.get());
  const auto step = w.required_text(call.step);
  const auto key = w.required_text(call.key);
  return {wire::Payload::WorkGiven,
          wire::CreateWorkGiven(w.out(), work.claim, work.epoch.get(), tool, input, run, step,
                                call.attempt, key, call.deadline ? call.deadline->ms : 0)
              .Union()};
}

Written write(Writer& w, const WorkEnded& ended) {
  const auto run = w.required_text(ended.run.get());
  const auto output = ended.result ? w.json(*ended.result) : Offset<wire::Json>();
  const auto failure = ended.result ? Offset<wire::Failure>() : failure_in(w, ended.result.error());
  return {
      wire::Payload::WorkEnded,
      wire::CreateWorkEnded(w.out(), ended.claim, run, ended.epoch.get(), output, failure).Union()};
}

Written write(Writer& w, const WorkDropped& dropped) {
  return {wire::Payload::WorkDropped, wire::CreateWorkDropped(w.out(), dropped.claim).Union()};
}

Written write(Writer& w, const WorkAsked& asked) {
  std::vector<wire::Led> led;
  for (const auto& [partition, epoch] : asked.led) {
    led.emplace_back(partition.get(), epoch.get());
  }
  const auto led_at = w.out().CreateVectorOfStructs(led);
  return {wire::Payload::WorkAsked, wire::CreateWorkAsked(w.out(), led_at).Union()};
}

Written write(Writer& w, const WorkHeld& held) {
  std::vector<Offset<wire::HeldAttempt>> attempts;
  for (const WorkHeld::One& one : held.attempts) {
    const auto key = w.required_text(one.key);
    attempts.push_back(wire::CreateHeldAttempt(w.out(), one.claim, key, one.attempt));
  }
  const auto attempts_at = w.out().CreateVector(attempts);
  return {wire::Payload::WorkHeld, wire::CreateWorkHeld(w.out(), attempts_at).Union()};
}

template <class Message>
std::string finish(NodeId from, const Message& message) {
  Writer w(nullptr);
  const Written payload = write(w, message);
  const auto sender = w.required_text(text_of(from));
  wire::EnvelopeBuilder envelope(w.out());
  envelope.add_payload_type(payload.type);
  envelope.add_payload(payload.table);
  envelope.add_from(sender);
  return w.finish(envelope.Finish(), wire::EnvelopeIdentifier());
}

PartitionId partition(std::uint16_t number, Reader& read) {
  if (number >= kPartitions) {
    read.fail("there is no such partition");
  }
  return PartitionId(number);
}

LogPart part_of(const wire::LogPart& part, Reader& read) {
  LogPart message;
  message.partition = partition(part.partition(), read);
  message.batch = from_wire(part.batch());
  message.part = part.part();
  message.parts = part.parts();
  message.bytes = view(*part.bytes());
  if (message.part >= message.parts || message.parts > kMostParts) {
    read.fail("a part after the last, or of too many");
  }
  return message;
}

NodeMessage message_of(const wire::LogPart& part, Reader& read) { return part_of(part, read); }

NodeMessage message_of(const wire::LogBundle& bundle, Reader& read) {
  LogBundle message;
  if (bundle.parts()->size() > kMostBundled) {
    read.fail("it bundles too many batches");
    return message;
  }
  for (const wire::LogPart* part : *bundle.parts()) {
    message.parts.push_back(part_of(*part, read));
    if (message.parts.back().parts != 1) {
      read.fail("a part of a batch in a bundle");
    }
  }
  return message;
}

NodeMessage message_of(const wire::LeaderAnnounced& announced, Reader& read) {
  return LeaderAnnounced{partition(announced.partition(), read), Epoch(announced.epoch()),
                         NodeId(announced.leader()), LogIndex(announced.last()), announced.life()};
}

NodeMessage message_of(const wire::Heartbeat& beat, Reader& read) {
  Alive alive;
  alive.beat.node = NodeId(beat.node());
  alive.beat.life = beat.incarnation();
  alive.beat.load = beat.load();
  alive.beat.ready = beat.ready();
  alive.beat.draining = beat.draining();
  alive.beat.leads = PartitionSet(beat.leads());
  alive.beat.said = Instant{beat.at()};
  alive.name = read.text(beat.name());
  alive.url = read.text(beat.url());
  alive.labels = read.json(beat.labels());
  alive.generation = beat.generation();
  for (unsigned i = 0; read.has(beat.delivered()) && i < beat.delivered()->size(); ++i) {
    const wire::Delivered& row = *beat.delivered()->Get(i);
    alive.delivered[partition(row.partition(), read)] = LogIndex(row.before());
  }
  return alive;
}

NodeMessage message_of(const wire::Ask& ask, Reader& read) {
  Blobs blobs;
  for (unsigned i = 0; ask.blobs() != nullptr && i < ask.blobs()->size(); ++i) {
    const auto* bytes = ask.blobs()->Get(i)->bytes();
    std::string content(bytes == nullptr ? std::string_view() : view(*bytes));
    const ContentHash hash = content_hash(content);
    blobs.emplace(hash, std::move(content));
  }
  auto entry =
      decode_entry(view(*ask.event()), [&](const ContentHash& hash) -> Result<std::string> {
        const auto blob = blobs.find(hash);
        return blob != blobs.end()
                   ? Result<std::string>(blob->second)
                   : Result<std::string>(
                         Error{Code::blob_missing,
                               "the message refers to a content that it does not carry", ""});
      });
  if (!entry) {
    read.fail(entry.error());
    return Answer{};
  }
  return Ask{std::move(entry->run), std::move(entry->event)};
}

Error error_of(const wire::Failure* from, Reader& read) {
  const flow::Failure failure = read.failure(from);
  for (const CodeRow& row : all_codes()) {
    if (to_string(row.code) == failure.code) {
      return {row.code, failure.message, failure.hint};
    }
  }
  return {Code::wire_version, failure.code + ": " + failure.message,
          "the node that answered is of a newer version"};
}

NodeMessage message_of(const wire::Answer& answer, Reader& read) {
  return answer.failure() == nullptr ? Answer{{}, LogIndex(answer.last())}
                                     : Answer{error_of(answer.failure(), read), {}};
}

NodeMessage message_of(const wire::ClusterFormed& formed, Reader&) {
  return ClusterFormed{formed.incarnation(), formed.partitions()};
}

NodeMessage message_of(const wire::ResourceSet& set, Reader& read) {
  ResourceSet message;
  message.kind = read.text(set.kind());
  message.name = read.text(set.name());
  if (set.content() != nullptr) {
    message.content = read.text(set.content());
  }
  message.at = Instant{set.at()};
  return message;
}

NodeMessage message_of(const wire::Fetch& fetch, Reader& read) {
  return Fetch{partition(fetch.partition(), read), fetch.offset()};
}

NodeMessage message_of(const wire::Piece& piece, Reader& read) {
  return Piece{partition(piece.partition(), read),
               piece.offset(),
               std::string(piece.bytes() == nullptr ? std::string_view() : view(*piece.bytes())),
               piece.end(),
               LogIndex(piece.last()),
               Epoch(piece.epoch()),
               {piece.generation(), piece.sequence()},
               Epoch(piece.last_epoch())};
}

NodeMessage message_of(const wire::Holds& holds, Reader& read) {
  Holds message;
  if (!read.has(holds.tails()) || holds.tails()->size() != kPartitions) {
    read.fail("it does not tell of every partition");
    return message;
  }
  for (unsigned p = 0; p < kPartitions; ++p) {
    const wire::Tail& tail = *holds.tails()->Get(p);
    message.tails[p] = {LogIndex(tail.last()), from_wire(&tail.hash()), Epoch(tail.epoch()),
                        Epoch(tail.last_epoch())};
  }
  return message;
}

NodeMessage message_of(const wire::LogBegun& begun, Reader&) {
  return LogBegun{begun.generation()};
}

NodeMessage message_of(const wire::NodeJoined& joined, Reader& read) {
  return NodeJoined{NodeId(joined.node()), read.text(joined.name())};
}

NodeMessage message_of(const wire::NodeForgotten& forgotten, Reader&) {
  return NodeForgotten{NodeId(forgotten.node())};
}

NodeMessage message_of(const wire::Drain& drain, Reader&) { return Drain{drain.on()}; }

NodeMessage message_of(const wire::WorkPlacesAsked& asked, Reader&) {
  return WorkPlacesAsked{asked.places()};
}

NodeMessage message_of(const wire::WorkPlaces& places, Reader& read) {
  WorkPlaces message;
  if (places.claims() != nullptr && places.claims()->size() > kMostPlaces) {
    read.fail("more places than were asked for");
  } else if (places.claims() != nullptr) {
    message.claims.assign(places.claims()->begin(), places.claims()->end());
  }
  return message;
}

NodeMessage message_of(const wire::WorkGiven& work, Reader& read) {
  WorkGiven message;
  message.claim = work.claim();
  message.epoch = Epoch(work.epoch());
  message.call = {read.text(work.tool()),
                  read.json(work.input()),
                  RunId(read.text(work.run_id())),
                  read.text(work.step()),
                  work.attempt(),
                  read.text(work.key()),
                  std::nullopt};
  if (work.deadline() != 0) {
    message.call.deadline = Instant{work.deadline()};
  }
  return message;
}

NodeMessage message_of(const wire::WorkEnded& ended, Reader& read) {
  WorkEnded message{ended.claim(), RunId(read.text(ended.run_id())), Epoch(ended.epoch()), Value()};
  if (ended.failure() != nullptr) {
    message.result = error_of(ended.failure(), read);
  } else {
    message.result = read.json(ended.output());
  }
  return message;
}

NodeMessage message_of(const wire::WorkDropped& dropped, Reader&) {
  return WorkDropped{dropped.claim()};
}

NodeMessage message_of(const wire::WorkAsked& asked, Reader& read) {
  WorkAsked message;
  for (unsigned i = 0; read.has(asked.led()) && i < asked.led()->size(); ++i) {
    const wire::Led& led = *asked.led()->Get(i);
    message.led[partition(led.partition(), read)] = Epoch(led.epoch());
  }
  return message;
}

NodeMessage message_of(const wire::WorkHeld& held, Reader& read) {
  WorkHeld message;
  for (unsigned i = 0; held.attempts() != nullptr && i < held.attempts()->size(); ++i) {
    const wire::HeldAttempt& one = *held.attempts()->Get(i);
    message.attempts.push_back({one.claim(), read.text(one.key()), one.attempt()});
  }
  return message;
}

Result<NodeMessage> payload_of(const wire::Envelope& envelope) {
  Reader read(kFormat, nullptr);
  NodeMessage message;
  if (const auto* part = envelope.payload_as_LogPart()) {
    message = message_of(*part, read);
  } else if (const auto* bundle = envelope.payload_as_LogBundle()) {
    message = message_of(*bundle, read);
  } else if (const auto* announced = envelope.payload_as_LeaderAnnounced()) {
    message = message_of(*announced, read);
  } else if (const auto* beat = envelope.payload_as_Heartbeat()) {
    message = message_of(*beat, read);
  } else if (const auto* ask = envelope.payload_as_Ask()) {
    message = message_of(*ask, read);
  } else if (const auto* answer = envelope.payload_as_Answer()) {
    message = message_of(*answer, read);
  } else if (const auto* formed = envelope.payload_as_ClusterFormed()) {
    message = message_of(*formed, read);
  } else if (const auto* set = envelope.payload_as_ResourceSet()) {
    message = message_of(*set, read);
  } else if (const auto* fetch = envelope.payload_as_Fetch()) {
    message = message_of(*fetch, read);
  } else if (const auto* piece = envelope.payload_as_Piece()) {
    message = message_of(*piece, read);
  } else if (const auto* holds = envelope.payload_as_Holds()) {
    message = message_of(*holds, read);
  } else if (const auto* begun = envelope.payload_as_LogBegun()) {
    message = message_of(*begun, read);
  } else if (const auto* joined = envelope.payload_as_NodeJoined()) {
    message = message_of(*joined, read);
  } else if (const auto* forgotten = envelope.payload_as_NodeForgotten()) {
    message = message_of(*forgotten, read);
  } else if (const auto* drain = envelope.payload_as_Drain()) {
    message = message_of(*drain, read);
  } else if (const auto* places_asked = envelope.payload_as_WorkPlacesAsked()) {
    message = message_of(*places_asked, read);
  } else if (const auto* places = envelope.payload_as_WorkPlaces()) {
    message = message_of(*places, read);
  } else if (const auto* work = envelope.payload_as_WorkGiven()) {
    message = message_of(*work, read);
  } else if (const auto* ended = envelope.payload_as_WorkEnded()) {
    message = message_of(*ended, read);
  } else if (const auto* dropped = envelope.payload_as_WorkDropped()) {
    message = message_of(*dropped, read);
  } else if (const auto* work_asked = envelope.payload_as_WorkAsked()) {
    message = message_of(*work_asked, read);
  } else if (const auto* held = envelope.payload_as_WorkHeld()) {
    message = message_of(*held, read);
  } else if (envelope.payload_as_HoldsAsked() != nullptr) {
    message = HoldsAsked{};
  } else {
    read.fail("it is of a kind that nodes do not send");
  }
  return read.error() ? Result<NodeMessage>(*read.error())
                      : Result<NodeMessage>(std::move(message));
}

} // namespace

std::string encode_message(NodeId from, const NodeMessage& message) {
  return std::visit(
      [&](const auto& of) {
        if constexpr (std::is_same_v<std::decay_t<decltype(of)>, Ask>) {
          return finish(from, encoded(of));
        } else {
          return finish(from, of);
        }
      },
      message);
}

Result<Received> decode_message(std::string_view bytes) {
  const Frame frame(bytes);
  const auto opened = open<wire::Envelope>(frame, kFormat);
  if (!opened) {
    return opened.error();
  }
  if ((*opened)->schema_version() > kVersion) {
    return too_new(kFormat, (*opened)->schema_version());
  }
  const auto from =
      (*opened)->from() == nullptr ? std::nullopt : node_of((*opened)->from()->string_view());
  if (!from) {
    return damaged(kFormat, "it does not say which node it is from");
  }
  auto message = payload_of(**opened);
  return message ? Result<Received>(Received{*from, std::move(*message)})
                 : Result<Received>(message.error());
}

} // namespace skein::schemas
