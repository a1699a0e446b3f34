#include "broker/rules.h"

#include <algorithm>
#include <string_view>

#include "core/base/subject.h"

namespace skein::broker {
namespace {

constexpr std::string_view kReserved = "nats-";

bool starts_reserved(std::string_view name) {
  return name.size() >= kReserved.size() &&
         std::equal(kReserved.begin(), kReserved.end(), name.begin(),
                    [](char a, char b) { return a == (b | 0x20); });
}

bool good_name(std::string_view name) {
  return !name.empty() && name.size() <= 256 && std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c < 127 && c != ':';
  });
}

bool good_value(std::string_view value) {
  return value.size() <= 32'768 &&
         value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

Result<void> check_header(const Header& header) {
  if (!good_name(header.name) || !good_value(header.value)) {
    return Error{Code::subject_invalid,
                 "a header's name is not printable, or its value has more "
                 "than one line"};
  }
  if (starts_reserved(header.name)) {
    return Error{Code::subject_invalid, "header '" + header.name + "' belongs to the broker"};
  }
  return {};
}

} // namespace

Result<void> check_name(const std::string& name) {
  if (is_token(name)) {
    return {};
  }
  return Error{Code::subject_invalid, "'" + name + "' is no name of a stream or consumer",
               "use up to 64 letters, digits, '_' and '-'"};
}

Error too_large(const Message& message, std::size_t max_payload) {
  return {Code::message_too_large,
          "a message of " + std::to_string(message.payload.size()) + " bytes for '" +
              message.subject + "'; the broker takes " + std::to_string(max_payload),
          "raise max_payload of the nats-server, or send a reference"};
}

Result<void> check_message(const Message& message, const std::string& id, std::size_t max_payload) {
  if (!good_value(id)) {
    return Error{Code::subject_invalid, "the id of a message has more than one line"};
  }
  if (auto good = check_subject(message.subject); !good) {
    return good;
  }
  if (!message.reply.empty()) {
    if (auto good = check_subject(message.reply); !good) {
      return good;
    }
  }
  std::size_t size = message.payload.size();
  for (const Header& header : message.headers) {
    if (auto good = check_header(header); !good) {
      return good;
    }
    size += header.name.size() + header.value.size() + 4;
  }
  if (size > max_payload) {
    return too_large(message, max_payload);
  }
  return {};
}

} // namespace skein::broker
