#include "cli/event/asking.h"

#include <algorithm>
#include <cctype>

#include "core/value/json.h"
#include "core/value/utf8.h"
#include "gateway/target.h"

namespace skein::cli {
namespace {

std::string cell_of(const Value& item, const std::string& member) {
  const Value* value = item.find(member);
  const Value* event = item.find("event");
  if (value == nullptr && event != nullptr) {
    value = event->find(member);
  }
  if (value == nullptr || value->is_null()) {
    return "-";
  }
  return clipped(
      harmless(value->is(Kind::string) ? std::string(value->as_string()) : to_json(*value)), 60);
}

} // namespace

Result<Value> ask_node(const Context& context, const node::Call& call) {
  const auto endpoint = context.endpoint();
  if (!endpoint) {
    return endpoint.error();
  }
  node::Link link(*endpoint);
  return link.ask(call);
}

std::string query_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string query;
  for (const auto& [name, value] : pairs) {
    if (!value.empty()) {
      query += (query.empty() ? "?" : "&") + name + "=" + gateway::percent_encoded(value);
    }
  }
  return query;
}

int print_items(const Context& context, const Result<Value>& answer,
                const std::vector<std::string>& members, const std::string& name) {
  const Value* items = answer ? answer->find("items") : nullptr;
  if (!answer || items == nullptr) {
    return complain(answer ? Error{Code::wire_invalid, "the node answered something else"}
                           : answer.error());
  }
  if (context.structured()) {
    print_value(context, *items);
    return kDone;
  }
  std::vector<std::vector<std::string>> rows(1);
  for (const std::string& member : members) {
    rows[0].push_back(member);
    std::ranges::transform(rows[0].back(), rows[0].back().begin(),
                           [](unsigned char c) { return c == '_' ? ' ' : std::toupper(c); });
  }
  for (const Value& item : items->as_list()) {
    if (context.format == Format::name) {
      put(cell_of(item, name) + "\n");
      continue;
    }
    rows.emplace_back();
    for (const std::string& member : members) {
      rows.back().push_back(cell_of(item, member));
    }
  }
  if (context.format != Format::name) {
    put(table(rows));
  }
  return kDone;
}

int print_answer(const Context& context, const Result<Value>& answer, const std::string& line) {
  if (!answer) {
    return complain(answer.error());
  }
  if (context.structured()) {
    print_value(context, *answer);
  } else {
    put(line + "\n");
  }
  return kDone;
}

} // namespace skein::cli
