#include "node/events/channels.h"

#include "core/base/hash.h"
#include "core/base/subject.h"
#include "core/value/json.h"

namespace skein::node {
namespace {

std::string stream_name(std::string_view what, std::string_view tenant,
                        std::string_view incarnation) {
  return "SKEIN_" + std::string(what) + "_" + to_token(tenant) + "_" + to_token(incarnation);
}

} // namespace

Channels::Channels(std::string_view tenant, std::string_view incarnation)
    : events(stream_name("EVT", tenant, incarnation)),
      dead(stream_name("DLQ", tenant, incarnation)),
      rules(stream_name("TRG", tenant, incarnation)),
      tenant_(tenant) {
  const auto below = [&](std::string_view word) {
    Subject subject("skein");
    subject.add(tenant).add(word);
    return subject;
  };
  all_events = below("event").rest().text();
  all_dead = below("dead").rest().text();
  all_rules = below("rules").rest().text();
  tick = below("tick").text();
  letter = below("dead").add("letter").text();
  settled = below("dead").add("settled").text();
}

std::string Channels::event(std::string_view type) const {
  return Subject("skein").add(tenant_).add("event").add_dotted(type).text();
}

std::string Channels::rules_of(std::string_view trigger) const {
  return Subject("skein").add(tenant_).add("rules").add(trigger).text();
}

std::string Channels::type_of(std::string_view subject) const {
  const std::size_t before = all_events.size() - 1; // up to the wildcard
  return subject.size() > before ? std::string(subject.substr(before)) : std::string(subject);
}

Result<event::CloudEvent> read_event(const Channels& channels, const Stored& stored) {
  const Message& message = stored.message;
  event::Bare bare;
  bare.id = event::find_header(message.headers, "Nats-Msg-Id");
  if (bare.id.empty()) {
    bare.id = event::content_id(message.subject, message.headers, message.payload, stored.at);
  }
  bare.source = "/skein/subjects/" + message.subject;
  bare.type = channels.type_of(message.subject);
  bare.time = to_string(stored.at);
  return event::read_one(message.headers, message.payload, bare);
}

Message message_of(const Channels& channels, const event::CloudEvent& event) {
  event::Printed printed = event::print_structured(event);
  return {channels.event(event.type), "", std::move(printed.headers), std::move(printed.body)};
}

std::string dedupe_key(std::string_view source, std::string_view id) {
  return to_string(content_hash(to_json(Value::of_list({Value(source), Value(id)}))));
}

} // namespace skein::node
