#include "core/event/message.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/base/hash.h"
#include "core/event/attribute.h"
#include "core/value/json.h"
#include "core/value/utf8.h"

namespace skein::event {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool has_prefix(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && same_name(text.substr(0, prefix.size()), prefix);
}

Error over(std::size_t bytes, std::size_t most) {
  return {Code::event_limit,
          "the event has " + std::to_string(bytes) + " bytes, more than " + std::to_string(most),
          "store what is large elsewhere and send where it is"};
}

// An event that is read is also one that can be kept: its JSON form fits as well.
Result<CloudEvent> fitting(Result<CloudEvent> event, const EventLimits& limits) {
  if (event) {
    if (const std::size_t bytes = to_structured(*event).size(); bytes > limits.max_bytes) {
      return over(bytes, limits.max_bytes);
    }
  }
  return event;
}

Result<Value> parse(std::string_view body, std::size_t max_bytes) {
  if (body.size() > max_bytes) {
    return over(body.size(), max_bytes);
  }
  auto value = parse_json(body, {max_bytes, JsonLimits{}.max_depth});
  if (!value) {
    const bool limit = value.error().code == Code::json_limit;
    return Error{limit ? Code::event_limit : Code::event_invalid,
                 "the body cannot be read as JSON: " + value.error().detail};
  }
  return value;
}

Result<std::vector<CloudEvent>> read_batch(std::string_view body, const EventLimits& limits) {
  const auto value = parse(body, limits.max_batch_bytes);
  if (!value) {
    return value.error();
  }
  if (!value->is(Kind::list)) {
    return Error{Code::event_invalid, "a batch must be a JSON list of events"};
  }
  if (value->as_list().size() > limits.max_batch) {
    return Error{Code::event_limit, "a batch of " + std::to_string(value->as_list().size()) +
                                        " events, more than " + std::to_string(limits.max_batch)};
  }
  std::vector<CloudEvent> events;
  events.reserve(value->as_list().size());
  for (const Value& item : value->as_list()) {
    auto event = fitting(from_value(item, limits), limits);
    if (!event) {
      return Error{
          event.error().code,
          "event " + std::to_string(events.size() + 1) + " of the batch: " + event.error().detail,
          event.error().hint};
    }
    events.push_back(std::move(*event));
  }
  return events;
}

Result<Value> data_of(std::string_view body, std::string_view content_type,
                      const EventLimits& limits) {
  if (is_json(content_type)) {
    return parse(body, limits.max_bytes);
  }
  const bool text =
      has_prefix(content_type, "text/") || has_prefix(content_type, "application/xml");
  return text && valid_utf8(body) ? Value(body) : Value::of_bytes(body);
}

// The attributes of a binary event as its JSON form has them; all of them are texts.
Result<Value> attributes_of(std::span<const Header> headers) {
  std::vector<MapEntry> entries;
  for (const Header& header : headers) {
    if (!has_prefix(header.name, "ce-")) {
      continue;
    }
    std::string name = header.name.substr(3);
    std::ranges::transform(name, name.begin(), lower);
    if (name == "data" || name == "data_base64") {
      return Error{Code::event_invalid, "\"" + header.name + "\" is no attribute"};
    }
    const std::string text = decode_header(header.value);
    if (!valid_utf8(text)) {
      return Error{Code::event_invalid, "attribute \"" + name + "\" is no UTF-8",
                   "percent-encode what is not ASCII"};
    }
    entries.emplace_back(name, text);
  }
  auto map = Value::take_map(entries);
  if (!map) {
    return Error{Code::event_invalid, "an attribute has two headers"};
  }
  return std::move(*map);
}

Result<CloudEvent> read_binary(std::span<const Header> headers, std::string_view body,
                               const EventLimits& limits) {
  if (body.size() > limits.max_bytes) {
    return over(body.size(), limits.max_bytes);
  }
  const auto attributes = attributes_of(headers);
  if (!attributes) {
    return attributes.error();
  }
  auto event = from_value(*attributes, limits);
  if (!event) {
    return event;
  }
  if (event->content_type.empty()) {
    event->content_type = find_header(headers, "content-type");
  }
  if (!event->content_type.empty() && !is_media_type(event->content_type)) {
    return Error{Code::event_invalid, "\"" + event->content_type + "\" is no media type"};
  }
  if (!body.empty()) {
    auto data = data_of(body, event->content_type, limits);
    if (!data) {
      return data.error();
    }
    event->data = std::move(*data);
  }
  return event;
}

Result<CloudEvent> read_plain(std::string_view body, std::string_view content_type,
                              const Bare& bare, const EventLimits& limits) {
  auto value = parse(body, limits.max_bytes);
  if (!value) {
    return value.error();
  }
  const bool told = has_prefix(content_type, "application/cloudevents");
  if (told || bare.id.empty() || (value->is(Kind::map) && value->find("specversion") != nullptr)) {
    return from_value(*value, limits);
  }
  CloudEvent event;
  event.id = bare.id;
  event.source = bare.source;
  event.type = bare.type;
  event.time = bare.time;
  event.data = std::move(*value);
  if (auto good = check(event, limits); !good) {
    return good.error();
  }
  return event;
}

// Whether a content type of the family is JSON's; other formats exist.
Result<void> check_format(std::string_view content_type, std::string_view family) {
  std::string_view rest = content_type.substr(family.size());
  rest = rest.substr(0, rest.find_first_of("; "));
  if (!rest.empty() && !same_name(rest, "+json")) {
    return Error{Code::event_invalid, "\"" + std::string(content_type) + "\" is not supported",
                 "send " + std::string(kStructured)};
  }
  return {};
}

} // namespace

std::string_view find_header(std::span<const Header> headers, std::string_view name) {
  const auto found =
      std::ranges::find_if(headers, [&](const Header& h) { return same_name(h.name, name); });
  return found == headers.end() ? std::string_view{} : std::string_view(found->value);
}

Result<CloudEvent> read_one(std::span<const Header> headers, std::string_view body,
                            const Bare& bare, const EventLimits& limits) {
  constexpr std::string_view kFamily = "application/cloudevents";
  const std::string_view content_type = find_header(headers, "content-type");
  const bool told = has_prefix(content_type, kFamily);
  if (told) {
    if (auto good = check_format(content_type, kFamily); !good) {
      return good.error();
    }
  }
  return fitting(!told && !find_header(headers, "ce-specversion").empty()
                     ? read_binary(headers, body, limits)
                     : read_plain(body, content_type, bare, limits),
                 limits);
}

Result<std::vector<CloudEvent>> read(std::span<const Header> headers, std::string_view body,
                                     const Bare& bare, const EventLimits& limits) {
  constexpr std::string_view kFamily = "application/cloudevents-batch";
  const std::string_view content_type = find_header(headers, "content-type");
  if (has_prefix(content_type, kFamily)) {
    auto good = check_format(content_type, kFamily);
    return good ? read_batch(body, limits) : good.error();
  }
  auto event = read_one(headers, body, bare, limits);
  if (!event) {
    return event.error();
  }
  return std::vector<CloudEvent>{std::move(*event)};
}

Printed print_structured(const CloudEvent& event) {
  return {{{"content-type", std::string(kStructured)}}, to_structured(event)};
}

Printed print_binary(const CloudEvent& event) {
  Printed printed;
  const Value attributes = to_value(event);
  for (const auto& [key, value] : attributes.as_map()) {
    const std::string_view name = key.as_string();
    if (name == "data" || name == "data_base64" || name == "datacontenttype") {
      continue;
    }
    const std::string text =
        value.is(Kind::string) ? std::string(value.as_string()) : to_json(value);
    printed.headers.push_back({"ce-" + std::string(name), encode_header(text)});
  }
  if (!event.content_type.empty()) {
    printed.headers.push_back({"content-type", event.content_type});
  } else if (event.data) {
    printed.headers.push_back({"content-type", event.data->is(Kind::bytes)
                                                   ? "application/octet-stream"
                                                   : "application/json"});
  }
  if (event.data) {
    const bool raw = event.data->is(Kind::bytes) ||
                     (event.data->is(Kind::string) && !is_json(event.content_type));
    printed.body = raw ? std::string(event.data->as_string()) : to_json(*event.data);
  }
  return printed;
}

Printed print_batch(std::span<const CloudEvent> events) {
  std::vector<Value> items;
  items.reserve(events.size());
  for (const CloudEvent& event : events) {
    items.push_back(to_value(event));
  }
  return {{{"content-type", std::string(kBatch)}}, to_json(Value::of_list(std::move(items)))};
}

std::string content_id(std::string_view subject, std::span<const Header> headers,
                       std::string_view body, Instant at) {
  std::vector<Value> parts{Value(subject)};
  for (const Header& header : headers) {
    parts.push_back(Value::of_list({Value(header.name), Value(header.value)}));
  }
  parts.emplace_back(at.ms);
  const std::string head = to_json(Value::of_list(std::move(parts)));
  const std::array<std::string_view, 3> pieces{head, std::string_view("\n"), body};
  return to_string(content_hash(pieces));
}

std::string uuid7(Instant at, std::uint64_t high, std::uint64_t low) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::uint64_t first = static_cast<std::uint64_t>(at.ms) << 16 | 0x7000 | (high & 0x0FFF);
  const std::uint64_t second = (low & 0x3FFF'FFFF'FFFF'FFFF) | 0x8000'0000'0000'0000;
  std::string text;
  for (int digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) {
      text += '-';
    }
    const std::uint64_t word = digit < 16 ? first : second;
    text += kDigits[word >> (60 - 4 * (digit % 16)) & 0xF];
  }
  return text;
}

} // namespace skein::event
