#include "core/event/cloud_event.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/rfc3339.h"
#include "core/event/attribute.h"
#include "core/value/json.h"
#include "core/value/text.h"

namespace skein::event {
namespace {

struct Named {
  std::string_view name;
  std::string CloudEvent::*member;
};

// In the order of the specification. Those that must be there come first.
constexpr std::array<Named, 7> kTexts{{{"id", &CloudEvent::id},
                                       {"source", &CloudEvent::source},
                                       {"type", &CloudEvent::type},
                                       {"subject", &CloudEvent::subject},
                                       {"time", &CloudEvent::time},
                                       {"dataschema", &CloudEvent::data_schema},
                                       {"datacontenttype", &CloudEvent::content_type}}};
constexpr std::size_t kRequired = 3;

Error wrong(std::string_view name, const std::string& why) {
  return {Code::event_invalid, "attribute \"" + std::string(name) + "\" " + why};
}

Result<void> check_size(std::string_view name, std::string_view text, const EventLimits& limits) {
  if (text.size() > limits.max_attribute_bytes) {
    return Error{Code::event_limit,
                 "attribute \"" + std::string(name) + "\" has " + std::to_string(text.size()) +
                     " bytes, more than " + std::to_string(limits.max_attribute_bytes),
                 "put what is large into the data"};
  }
  return {};
}

Result<void> check_text(std::string_view name, std::string_view text, const EventLimits& limits) {
  if (auto size = check_size(name, text, limits); !size) {
    return size;
  }
  if (!is_attribute_text(text)) {
    return wrong(name, "holds a control character, or is no UTF-8");
  }
  return {};
}

Result<void> check_forms(const CloudEvent& event) {
  if (!is_uri_reference(event.source)) {
    return wrong("source", "is no URI reference: \"" + event.source + "\"");
  }
  if (!event.data_schema.empty() && !is_uri(event.data_schema)) {
    return wrong("dataschema", "is no URI: \"" + event.data_schema + "\"");
  }
  if (!event.time.empty() && !parse_rfc3339(event.time)) {
    return wrong("time", "is no RFC 3339 time: \"" + event.time + "\"");
  }
  if (!event.content_type.empty() && !is_media_type(event.content_type)) {
    return wrong("datacontenttype", "is no media type: \"" + event.content_type + "\"");
  }
  return {};
}

bool is_known(std::string_view name) {
  return name == "specversion" || name == "data" ||
         std::ranges::any_of(kTexts, [&](const Named& text) { return text.name == name; });
}

Result<void> check_extension(const std::string& name, const Value& value,
                             const EventLimits& limits) {
  if (!is_attribute_name(name)) {
    return Error{Code::event_invalid, "\"" + name + "\" is no name of an attribute",
                 "use 1 to 20 lower-case letters and digits"};
  }
  if (is_known(name)) {
    return wrong(name, "is no extension");
  }
  switch (value.kind()) {
    case Kind::boolean:
      return {};
    case Kind::integer:
      return value.as_int() < INT32_MIN || value.as_int() > INT32_MAX
                 ? Result<void>(wrong(name, "is a whole number beyond 32 bits"))
                 : Result<void>();
    case Kind::string:
      return check_text(name, value.as_string(), limits);
    default:
      return wrong(name, "must be a text, a whole number or a bool");
  }
}

Result<void> take_attribute(CloudEvent& event, const std::string& name, const Value& value) {
  const auto* text = std::ranges::find(kTexts, name, &Named::name);
  if (text == kTexts.end()) {
    event.extensions.emplace(name, value);
    return {};
  }
  if (!value.is(Kind::string) || value.as_string().empty()) {
    return wrong(name, "must be a text that is not empty");
  }
  event.*(text->member) = value.as_string();
  return {};
}

Result<void> take_bytes(CloudEvent& event, const Value& value) {
  auto bytes = value.is(Kind::string) ? decode_base64(value.as_string()) : std::nullopt;
  if (!bytes) {
    return Error{Code::event_invalid, "\"data_base64\" is no base64"};
  }
  event.data = Value::of_bytes(*bytes);
  return {};
}

Result<void> take_member(CloudEvent& event, const std::string& name, const Value& value) {
  if (name == "data") {
    event.data = value;
    return {};
  }
  if (value.is_null() || name == "specversion") {
    return {};
  }
  return name == "data_base64" ? take_bytes(event, value) : take_attribute(event, name, value);
}

Result<void> check_version(const Value& structured) {
  const Value* version = structured.find("specversion");
  if (version == nullptr) {
    return Error{Code::event_invalid, "attribute \"specversion\" is missing",
                 "a CloudEvent says \"specversion\": \"1.0\""};
  }
  if (!version->is(Kind::string) || version->as_string() != "1.0") {
    return wrong("specversion", "must be \"1.0\", not " + to_json(*version));
  }
  return {};
}

} // namespace

Result<void> check(const CloudEvent& event, const EventLimits& limits) {
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    const std::string& text = event.*(kTexts[i].member);
    if (i < kRequired && text.empty()) {
      return wrong(kTexts[i].name, "is missing");
    }
    if (auto good = check_text(kTexts[i].name, text, limits); !good) {
      return good;
    }
  }
  if (auto good = check_forms(event); !good) {
    return good;
  }
  if (event.extensions.size() > limits.max_attributes) {
    return Error{Code::event_limit, std::to_string(event.extensions.size()) +
                                        " extensions, more than " +
                                        std::to_string(limits.max_attributes)};
  }
  for (const auto& [name, value] : event.extensions) {
    if (auto good = check_extension(name, value, limits); !good) {
      return good;
    }
  }
  return {};
}

Value to_value(const CloudEvent& event) {
  std::vector<MapEntry> entries;
  entries.reserve(2 + kTexts.size() + event.extensions.size());
  entries.emplace_back("specversion", "1.0");
  for (const Named& text : kTexts) {
    if (!(event.*(text.member)).empty()) {
      entries.emplace_back(text.name, event.*(text.member));
    }
  }
  for (const auto& [name, value] : event.extensions) {
    entries.emplace_back(name, value);
  }
  if (event.data && event.data->is(Kind::bytes)) {
    std::string text;
    append_base64(text, event.data->as_string());
    entries.emplace_back("data_base64", text);
  } else if (event.data) {
    entries.emplace_back("data", *event.data);
  }
  return Value::of_map(std::move(entries));
}

Result<CloudEvent> from_value(const Value& structured, const EventLimits& limits) {
  if (!structured.is(Kind::map)) {
    return Error{Code::event_invalid, "an event must be a JSON object"};
  }
  if (auto version = check_version(structured); !version) {
    return version.error();
  }
  if (structured.find("data") != nullptr && structured.find("data_base64") != nullptr) {
    return Error{Code::event_invalid, "an event has \"data\" or \"data_base64\", not both"};
  }
  CloudEvent event;
  for (const auto& [key, value] : structured.as_map()) {
    if (auto taken = take_member(event, std::string(key.as_string()), value); !taken) {
      return taken.error();
    }
  }
  if (auto good = check(event, limits); !good) {
    return good.error();
  }
  return event;
}

std::string to_structured(const CloudEvent& event) { return to_json(to_value(event)); }

bool is_json(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  while (type.ends_with(' ')) {
    type.pop_back();
  }
  std::ranges::transform(type, type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return type.empty() || type == "application/json" || type == "text/json" ||
         type.ends_with("+json");
}

const expression::Shape& shape_of_event() {
  static const expression::Shape shape = [] {
    expression::Shape made;
    made.kinds = expression::only(Kind::map);
    expression::Shape text;
    text.kinds = expression::only(Kind::string);
    made.members.push_back({"specversion", text});
    for (const Named& named : kTexts) {
      made.members.push_back({std::string(named.name), text});
    }
    made.members.push_back({"data_base64", text});
    return made;
  }();
  return shape;
}

} // namespace skein::event
