#include <utility>

#include "schemas/codec.h"
#include "schemas/reader.h"
#include "schemas/wire/envelope_generated.h"

namespace skein::schemas {
namespace {

constexpr Format kFormat{"SKEV", "journal entry", 16u << 20};
constexpr std::uint16_t kVersion = 1;

/// What an event takes from its envelope.
struct Frameless {
  Reader& read;
  Instant at;
  std::uint32_t attempt;
};

flow::Created event_of(const wire::RunCreated& p, Frameless& in) {
  return {
      in.at,    in.read.text(p.definition()), from_wire(p.revision()),  p.rules(),
      p.seed(), in.read.json(p.input()),      in.read.json(p.labels()), in.read.text(p.parent()),
      p.depth()};
}

flow::Forked event_of(const wire::RunForked& p, Frameless& in) {
  return {in.at, in.read.text(p.from()), p.entry(), in.read.json(p.vars()),
          in.read.json(p.input())};
}

flow::Begun event_of(const wire::StepBegun& p, Frameless& in) {
  return {in.at,
          in.read.place(p.step(), p.items()),
          in.attempt,
          in.read.one_of(p.effect_class(), EffectClass::llm),
          RunId(in.read.text(p.child())),
          from_wire(p.revision())};
}

flow::Succeeded event_of(const wire::StepSucceeded& p, Frameless& in) {
  return {in.at, in.read.place(p.step(), p.items()), in.attempt, in.read.json(p.output())};
}

flow::Failed event_of(const wire::StepFailed& p, Frameless& in) {
  return {in.at, in.read.place(p.step(), p.items()), in.attempt, in.read.failure(p.failure())};
}

flow::FoundInDoubt event_of(const wire::StepInDoubt& p, Frameless& in) {
  return {in.at, in.read.place(p.step(), p.items()), in.attempt};
}

flow::Expired event_of(const wire::TimerExpired& p, Frameless& in) { return {in.at, p.timer()}; }

flow::Signalled event_of(const wire::Signal& p, Frameless& in) {
  return {in.at, in.read.text(p.signal_id()), in.read.text(p.name()), in.read.json(p.payload())};
}

flow::Answered event_of(const wire::ApprovalAnswered& p, Frameless& in) {
  return {in.at, in.read.place(p.step(), p.items()), p.approved(), in.read.text(p.by()),
          in.read.text(p.comment())};
}

flow::CancelAsked event_of(const wire::RunCancelAsked& p, Frameless& in) {
  return {in.at, in.read.text(p.by()), in.read.text(p.reason())};
}

flow::PauseAsked event_of(const wire::RunPauseAsked& p, Frameless& in) {
  return {in.at, in.read.text(p.by()), in.read.text(p.reason())};
}

flow::ResumeAsked event_of(const wire::RunResumeAsked& p, Frameless& in) {
  return {in.at, in.read.text(p.by())};
}

flow::Settled event_of(const wire::StepSettled& p, Frameless& in) {
  return {in.at, in.read.place(p.step(), p.items()),
          in.read.one_of(p.how(), flow::Settled::How::fail), in.read.json(p.output()),
          in.read.text(p.by())};
}

flow::Proceeded event_of(const wire::RunProceeded&, Frameless& in) { return {in.at}; }

flow::ChildEnded event_of(const wire::ChildEnded& p, Frameless& in) {
  return {in.at, RunId(in.read.text(p.child())), in.read.json(p.output()),
          p.failure() != nullptr ? std::optional(in.read.failure(p.failure())) : std::nullopt};
}

template <class T>
flow::Event event_as(const wire::Envelope& envelope, Frameless& in) {
  return event_of(*static_cast<const T*>(envelope.payload()), in);
}

/// The event of the payload. REQUIRES: there is a payload.
flow::Event event_in(const wire::Envelope& envelope, Frameless& in) {
  using wire::Payload;
  switch (envelope.payload_type()) {
    case Payload::RunCreated:
      return event_as<wire::RunCreated>(envelope, in);
    case Payload::RunForked:
      return event_as<wire::RunForked>(envelope, in);
    case Payload::StepBegun:
      return event_as<wire::StepBegun>(envelope, in);
    case Payload::StepSucceeded:
      return event_as<wire::StepSucceeded>(envelope, in);
    case Payload::StepFailed:
      return event_as<wire::StepFailed>(envelope, in);
    case Payload::StepInDoubt:
      return event_as<wire::StepInDoubt>(envelope, in);
    case Payload::TimerExpired:
      return event_as<wire::TimerExpired>(envelope, in);
    case Payload::Signal:
      return event_as<wire::Signal>(envelope, in);
    case Payload::ApprovalAnswered:
      return event_as<wire::ApprovalAnswered>(envelope, in);
    case Payload::RunCancelAsked:
      return event_as<wire::RunCancelAsked>(envelope, in);
    case Payload::RunPauseAsked:
      return event_as<wire::RunPauseAsked>(envelope, in);
    case Payload::RunResumeAsked:
      return event_as<wire::RunResumeAsked>(envelope, in);
    case Payload::StepSettled:
      return event_as<wire::StepSettled>(envelope, in);
    case Payload::RunProceeded:
      return event_as<wire::RunProceeded>(envelope, in);
    case Payload::ChildEnded:
      return event_as<wire::ChildEnded>(envelope, in);
    default:
      break;
  }
  in.read.fail("its payload is not an event of a run");
  return flow::Proceeded{in.at};
}

std::optional<Error> refuse_version(const wire::Envelope& envelope) {
  if (envelope.schema_version() > kVersion) {
    return too_new(kFormat, envelope.schema_version());
  }
  if (envelope.payload_type() > wire::Payload::MAX) {
    return Error{Code::wire_version,
                 "journal entry has a payload of type " +
                     std::to_string(static_cast<unsigned>(envelope.payload_type())) +
                     ", which this version does not know",
                 "a newer Skein wrote it: upgrade this node"};
  }
  return std::nullopt;
}

Digest from_wire(const wire::Digest& digest) { return {digest.low(), digest.high()}; }

} // namespace

Result<void> verify_entry(std::string_view bytes) {
  const Frame frame(bytes);
  const auto opened = open<wire::Envelope>(frame, kFormat);
  return opened ? Result<void>() : Result<void>(opened.error());
}

Result<Entry> decode_entry(std::string_view bytes, const BlobSource& blobs) {
  const Frame frame(bytes);
  const auto opened = open<wire::Envelope>(frame, kFormat);
  if (!opened) {
    return opened.error();
  }
  const wire::Envelope& envelope = **opened;
  if (auto refused = refuse_version(envelope)) {
    return *std::move(refused);
  }
  if (envelope.payload() == nullptr || envelope.fold() == nullptr) {
    return damaged(kFormat, "it has no payload or no digests");
  }
  Reader read(kFormat, &blobs);
  Frameless in{read, Instant{envelope.time()}, envelope.attempt()};
  Entry entry{read.run(envelope.run_id()), Seq{envelope.sequence()}, event_in(envelope, in),
              from_wire(envelope.fold()->effects()), from_wire(envelope.fold()->state())};
  if (read.error()) {
    return *read.error();
  }
  return entry;
}

} // namespace skein::schemas
