#include "node/events/shapes.h"

#include "core/value/utf8.h"

namespace skein::node {
namespace {

Value number(std::uint64_t count) { return static_cast<std::int64_t>(count); }
Value text_or_null(const std::string& text) { return text.empty() ? Value() : Value(text); }

Value error_of(const Error& error) {
  return object({{"code", to_string(error.code)},
                 {"name", name_of(error.code)},
                 {"message", error.detail},
                 {"hint", text_or_null(error.hint)}});
}

} // namespace

Value to_value(const StoredEvent& stored) {
  return stored.event ? object({{"sequence", number(stored.sequence)},
                                {"at", to_string(stored.at)},
                                {"event", event::to_value(*stored.event)}})
                      : object({{"sequence", number(stored.sequence)},
                                {"at", to_string(stored.at)},
                                {"error", error_of(stored.event.error())}});
}

Value to_value(const Letter& letter) {
  std::vector<Value> headers;
  for (const Header& header : letter.original.headers) {
    headers.push_back(
        object({{"name", clean_utf8(header.name)}, {"value", clean_utf8(header.value)}}));
  }
  return object({{"number", number(letter.number)},
                 {"at", to_string(letter.at)},
                 {"code", to_string(letter.reason.code)},
                 {"reason", letter.reason.detail},
                 {"hint", text_or_null(letter.reason.hint)},
                 {"trigger", text_or_null(letter.trigger)},
                 {"run", text_or_null(letter.run)},
                 {"waits_for", text_or_null(letter.waits_for)},
                 {"subject", letter.original.subject},
                 {"headers", Value::of_list(std::move(headers))},
                 {"body", clean_utf8(letter.original.payload)}});
}

Value to_value(const EventStatus& status) {
  return object({{"published", number(status.published)},
                 {"taken", number(status.taken)},
                 {"started", number(status.started)},
                 {"dropped", number(status.dropped)},
                 {"dead", number(status.dead)},
                 {"put_back", number(status.put_back)},
                 {"stream", object({{"first", number(status.stream.first)},
                                    {"last", number(status.stream.last)},
                                    {"messages", number(status.stream.messages)},
                                    {"bytes", number(status.stream.bytes)}})}});
}

Value to_value(const trigger::Definition& trigger, Instant now) {
  const auto next =
      trigger.schedule && !trigger.paused ? trigger.schedule->next(now) : std::nullopt;
  return object({{"name", trigger.name},
                 {"flow", trigger.flow},
                 {"kind", trigger.schedule ? "schedule" : "event"},
                 {"paused", trigger.paused},
                 {"next", next ? Value(to_string(*next)) : Value()}});
}

} // namespace skein::node
