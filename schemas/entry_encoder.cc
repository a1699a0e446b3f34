#include <utility>
#include <variant>

#include "schemas/codec.h"
#include "schemas/wire/envelope_generated.h"
#include "schemas/writer.h"

namespace skein::schemas {
namespace {

struct Written {
  wire::Payload type;
  Offset<void> table;
  std::uint32_t attempt = 1;
};

Written write(Writer& w, const flow::Created& e) {
  const TextOffset definition = w.text(e.definition);
  const auto input = w.json(e.input);
  const auto labels = w.json(e.labels);
  const TextOffset parent = w.text(e.parent);
  const wire::Hash revision = to_wire(e.revision);
  return {wire::Payload::RunCreated,
          wire::CreateRunCreated(w.out(), definition, or_absent(revision), e.rules, e.seed, input,
                                 labels, parent, e.depth)
              .Union()};
}

Written write(Writer& w, const flow::Forked& e) {
  const TextOffset from = w.text(e.from);
  const auto vars = w.json(e.vars);
  const auto input = w.json(e.input);
  return {wire::Payload::RunForked,
          wire::CreateRunForked(w.out(), from, e.entry, vars, input).Union()};
}

Written write(Writer& w, const flow::Begun& e) {
  const auto items = w.numbers(e.place.path());
  const auto effect_class = static_cast<std::uint8_t>(e.effect_class);
  const TextOffset child = w.text(e.child.get());
  const wire::Hash revision = to_wire(e.revision);
  return {
      wire::Payload::StepBegun,
      wire::CreateStepBegun(w.out(), e.place.step, items, effect_class, child, or_absent(revision))
          .Union(),
      e.attempt};
}

Written write(Writer& w, const flow::Succeeded& e) {
  const auto items = w.numbers(e.place.path());
  const auto output = w.json(e.output);
  return {wire::Payload::StepSucceeded,
          wire::CreateStepSucceeded(w.out(), e.place.step, items, output).Union(), e.attempt};
}

Written write(Writer& w, const flow::Failed& e) {
  const auto items = w.numbers(e.place.path());
  const auto failure = w.failure(e.failure);
  return {wire::Payload::StepFailed,
          wire::CreateStepFailed(w.out(), e.place.step, items, failure).Union(), e.attempt};
}

Written write(Writer& w, const flow::FoundInDoubt& e) {
  const auto items = w.numbers(e.place.path());
  return {wire::Payload::StepInDoubt, wire::CreateStepInDoubt(w.out(), e.place.step, items).Union(),
          e.attempt};
}

Written write(Writer& w, const flow::Expired& e) {
  return {wire::Payload::TimerExpired, wire::CreateTimerExpired(w.out(), e.timer).Union()};
}

Written write(Writer& w, const flow::Signalled& e) {
  const TextOffset id = w.text(e.id);
  const TextOffset name = w.required_text(e.name);
  const auto payload = w.json(e.payload);
  return {wire::Payload::Signal, wire::CreateSignal(w.out(), id, name, payload).Union()};
}

Written write(Writer& w, const flow::Answered& e) {
  const auto items = w.numbers(e.place.path());
  const TextOffset by = w.text(e.by);
  const TextOffset comment = w.text(e.comment);
  return {
      wire::Payload::ApprovalAnswered,
      wire::CreateApprovalAnswered(w.out(), e.place.step, items, e.approved, by, comment).Union()};
}

Written write(Writer& w, const flow::CancelAsked& e) {
  const TextOffset by = w.text(e.by);
  const TextOffset reason = w.text(e.reason);
  return {wire::Payload::RunCancelAsked, wire::CreateRunCancelAsked(w.out(), by, reason).Union()};
}

Written write(Writer& w, const flow::PauseAsked& e) {
  const TextOffset by = w.text(e.by);
  const TextOffset reason = w.text(e.reason);
  return {wire::Payload::RunPauseAsked, wire::CreateRunPauseAsked(w.out(), by, reason).Union()};
}

Written write(Writer& w, const flow::ResumeAsked& e) {
  const TextOffset by = w.text(e.by);
  return {wire::Payload::RunResumeAsked, wire::CreateRunResumeAsked(w.out(), by).Union()};
}

Written write(Writer& w, const flow::Settled& e) {
  const auto items = w.numbers(e.place.path());
  const auto output = w.json(e.output);
  const TextOffset by = w.text(e.by);
  const auto how = static_cast<std::uint8_t>(e.how);
  return {wire::Payload::StepSettled,
          wire::CreateStepSettled(w.out(), e.place.step, items, how, output, by).Union()};
}

Written write(Writer& w, const flow::Proceeded&) {
  return {wire::Payload::RunProceeded, wire::CreateRunProceeded(w.out()).Union()};
}

Written write(Writer& w, const flow::ChildEnded& e) {
  const TextOffset child = w.required_text(e.child.get());
  const auto output = w.json(e.output);
  const auto failure = e.failure ? w.failure(*e.failure) : Offset<wire::Failure>();
  return {wire::Payload::ChildEnded,
          wire::CreateChildEnded(w.out(), child, output, failure).Union()};
}

} // namespace

std::string encode_entry(const Entry& entry, const BlobSink& blobs) {
  Writer writer(&blobs);
  const Written payload =
      std::visit([&](const auto& event) { return write(writer, event); }, entry.event);
  const TextOffset run = writer.text(entry.run.get());
  const wire::Fold fold(wire::Digest(entry.effects.low, entry.effects.high),
                        wire::Digest(entry.state.low, entry.state.high));
  wire::EnvelopeBuilder envelope(writer.out());
  envelope.add_run_id(run);
  envelope.add_sequence(entry.seq.get());
  envelope.add_time(flow::at_of(entry.event).ms);
  envelope.add_fold(&fold);
  envelope.add_payload(payload.table);
  envelope.add_attempt(payload.attempt);
  envelope.add_payload_type(payload.type);
  return writer.finish(envelope.Finish(), wire::EnvelopeIdentifier());
}

} // namespace skein::schemas
