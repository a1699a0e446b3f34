#include <algorithm>
#include <array>

#include "core/base/instant.h"
#include "core/schema/kinds.h"

namespace skein::schema {
namespace {

struct Format {
  std::string_view name;
  std::string_view pattern; // of the whole text
};

// What a regular expression can say of each; a calendar is asked where that is not enough.
constexpr std::array kFormats{
    Format{"date-time", R"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d))"},
    Format{"date", R"(\d{4}-\d\d-\d\d)"},
    Format{"time",
           R"(([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d))"},
    Format{"duration", R"(P(\d+W|(\d+Y)?(\d+M)?(\d+D)?(T(\d+H(\d+M)?(\d+S)?|\d+M(\d+S)?|\d+S))?))"},
    Format{"uuid", R"([[:xdigit:]]{8}(-[[:xdigit:]]{4}){3}-[[:xdigit:]]{12})"},
    Format{"ipv4", R"((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3})"},
    Format{
        "email",
        R"([^\s@"]+@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*)"},
    Format{
        "hostname",
        R"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*)"},
    Format{"uri",
           R"([A-Za-z][A-Za-z0-9+.-]*:([A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[[:xdigit:]]{2})*)"},
    Format{"json-pointer", R"((/([^~/]|~[01])*)*)"},
};

bool is_regex(std::string_view text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  return re2::RE2(re2::StringPiece(text.data(), text.size()), options).ok();
}

bool on_the_calendar(std::string_view format, std::string_view text) {
  if (format == "date") {
    return parse_instant(std::string(text) + "T00:00:00Z").ok();
  }
  if (format == "date-time") {
    return parse_instant(text).ok();
  }
  return format != "duration" || (text != "P" && !text.ends_with('T'));
}

} // namespace

bool has_format(std::string_view format, std::string_view text) {
  if (format == "regex") {
    return is_regex(text);
  }
  const auto* row = std::find_if(kFormats.begin(), kFormats.end(),
                                 [&](const Format& f) { return f.name == format; });
  if (row == kFormats.end()) {
    return true;
  }
  return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()),
                             std::string(row->pattern)) &&
         on_the_calendar(format, text);
}

} // namespace skein::schema
