#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace skein::event {

/// 1 to 20 lower-case letters and digits. Source: CloudEvents 1.0.2, "Attribute Naming Convention".
bool is_attribute_name(std::string_view name);
/// UTF-8 without control characters and noncharacters. Source: CloudEvents 1.0.2, "Type System".
bool is_attribute_text(std::string_view text);

/// Only characters that RFC 3986 allows, escapes that are whole, and, for is_uri, a scheme.
bool is_uri_reference(std::string_view text);
bool is_uri(std::string_view text);
/// "type/subtype", with or without parameters. Source: RFC 2046.
bool is_media_type(std::string_view text);

/// An attribute as the value of a header: spaces, '"', '%' and what is not printable ASCII become
/// %XX. Source: CloudEvents HTTP binding 1.0.2, section 3.1.3.2.
std::string encode_header(std::string_view text);
/// Reads that, or a quoted string. A '%' without two digits behind it stands for itself, because
/// many senders do not encode.
std::string decode_header(std::string_view text);

} // namespace skein::event
