#include "cli/output.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/context.h"
#include "core/value/json.h"

namespace skein::cli {
namespace {

bool json_errors = false;
int write_failure = 0; // errno of the first write that failed

int exit_code_of(const Error& error) {
  switch (error.code) {
    case Code::storage_in_use:
    case Code::storage_unreadable:
    case Code::node_unreachable:
    case Code::unauthorized:
      return kUnreachable;
    case Code::interrupted:
      return kInterrupted;
    case Code::usage_invalid:
    case Code::file_unreadable:
    case Code::yaml_invalid:
    case Code::yaml_limit:
    case Code::resource_kind_unknown:
    case Code::resource_key_unknown:
    case Code::resource_value_invalid:
    case Code::flow_step_unknown:
    case Code::flow_graph_invalid:
    case Code::expression_syntax:
    case Code::expression_type:
    case Code::json_invalid:
    case Code::json_limit:
    case Code::schema_violation:
    case Code::schema_invalid:
    case Code::tool_unknown:
    case Code::tool_input_invalid:
    case Code::context_unknown:
      return kWrongUsage;
    default:
      return kFailed;
  }
}

bool nests(const Value& value) {
  return (value.is(Kind::map) && !value.as_map().empty()) ||
         (value.is(Kind::list) && !value.as_list().empty());
}

void append_yaml(std::string& out, const Value& value, std::size_t indent) {
  const std::string pad(indent, ' ');
  if (value.is(Kind::map) && nests(value)) {
    for (const auto& [key, item] : value.as_map()) {
      out += pad + (key.is(Kind::string) ? std::string(key.as_string()) : to_json(key)) + ":";
      out += nests(item) ? "\n" : " ";
      append_yaml(out, item, nests(item) ? indent + 2 : 0);
    }
  } else if (value.is(Kind::list) && nests(value)) {
    for (const Value& item : value.as_list()) {
      std::string inner;
      append_yaml(inner, item, indent + 2);
      out += pad + "- " + inner.substr(std::min(inner.find_first_not_of(' '), inner.size()));
    }
  } else {
    out += to_json(value) + "\n"; // JSON scalars are YAML scalars
  }
}

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u; }

std::string on_one_line(std::string_view text) {
  std::string line = harmless(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return line;
}

} // namespace

void put(std::string_view text) {
  if (write_failure == 0 && std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    write_failure = errno;
  }
}

int finish_output(int code) {
  if (std::fflush(stdout) != 0 && write_failure == 0) {
    write_failure = errno;
  }
  if (write_failure == 0 || write_failure == EPIPE) {
    return code;
  }
  complain(Error{Code::output_failed,
                 std::string("cannot write to standard output: ") + std::strerror(write_failure),
                 "what the command did is kept; ask for it again where there is room"});
  return code == kDone ? kFailed : code;
}

void errors_as_json(bool json) { json_errors = json; }

bool errors_are_json() { return json_errors; }

int complain(const Error& error) {
  if (json_errors) {
    const Value body = object({{"error", object({{"code", to_string(error.code)},
                                                 {"message", error.detail},
                                                 {"hint", error.hint}})}});
    std::fprintf(stderr, "%s\n", to_json(body).c_str());
  } else {
    std::fprintf(stderr, "error: %s\n", harmless(to_string(error)).c_str());
  }
  return exit_code_of(error);
}

void print_value(Format format, const Value& value) {
  put(format == Format::yaml ? to_yaml(value) : to_pretty_json(value) + "\n");
}

void print_next(Format format, const Value& value) {
  put(format == Format::yaml ? "---\n" + to_yaml(value) : to_json(value) + "\n");
  std::fflush(stdout); // a reader at the other end of the pipe waits for it
}

std::string to_yaml(const Value& value) {
  std::string out;
  append_yaml(out, value, 0);
  return out;
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], columns_of(row[i]));
    }
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += on_one_line(row[i]) + std::string(widths[i] - columns_of(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string harmless(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f ? '?' : c);
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t columns) {
  const std::string line = on_one_line(text);
  if (columns_of(line) <= columns) {
    return line;
  }
  const std::size_t keep = columns > 3 ? columns - 3 : 0;
  std::size_t end = 0;
  for (std::size_t seen = 0; end < line.size(); ++end) {
    seen += begins_character(line[end]) ? 1 : 0;
    if (seen > keep) {
      break;
    }
  }
  return line.substr(0, end) + std::string(std::min<std::size_t>(columns, 3), '.');
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

} // namespace skein::cli
