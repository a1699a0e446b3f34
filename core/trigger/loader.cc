#include "core/trigger/loader.h"

#include <algorithm>
#include <array>

#include "core/flow/loader.h"
#include "core/flow/loading/header.h"
#include "core/trigger/reading.h"
#include "core/value/json.h"

namespace skein::trigger {
namespace {

using flow::loading::At;
using flow::loading::Reader;

constexpr std::array<std::string_view, 4> kTopKeys{"apiVersion", "kind", "metadata", "spec"};
constexpr std::array<std::string_view, 8> kSpecKeys{"description", "flow",  "event", "schedule",
                                                    "debounce",    "batch", "rate",  "paused"};
constexpr std::array<std::string_view, 6> kOnKeys{"name",     "event", "schedule",
                                                  "debounce", "batch", "rate"};

void read_spec(Reader& reader, const At& spec, Definition& trigger) {
  const At flow = Reader::member(spec, "flow");
  if (!flow) {
    reader.complain(spec, Code::resource_value_invalid, "needs the name of a flow in `flow`");
  } else if (const auto name = reader.text(flow)) {
    trigger.flow = *name;
    if (!flow::loading::is_dns_name(*name)) {
      reader.complain(flow, Code::resource_value_invalid, "\"" + *name + "\" is no name of a flow",
                      flow::loading::kNameHint);
    }
  }
  if (const At paused = Reader::member(spec, "paused")) {
    trigger.paused = reader.boolean(paused).value_or(false);
  }
  Reading(reader, trigger).rules(spec);
}

// Stable where the list is written in another order, if it has a name of its own.
std::string name_of(Reader& reader, const At& item, const std::string& flow, std::size_t index) {
  const At name = Reader::member(item, "name");
  const auto text = name ? reader.text(name) : std::nullopt;
  if (text && !flow::loading::is_dns_name(*text)) {
    reader.complain(name, Code::resource_value_invalid, "\"" + *text + "\" is no name",
                    flow::loading::kNameHint);
  }
  return flow + "." + text.value_or(std::to_string(index));
}

} // namespace

Loaded load(const Document& document, bool lenient) {
  Reader reader(document.file, lenient);
  Definition trigger;
  const At root{&document.root, ""};
  const At spec = Reader::member(root, "spec");
  if (reader.map_of(root, kTopKeys)) {
    trigger.name = flow::loading::read_heading(reader, root, "Trigger").name;
    const bool another = flow::loading::is_another_kind(root, "Trigger");
    if (!another && !spec) {
      reader.complain(root, Code::resource_value_invalid, "needs a spec");
    } else if (!another && reader.map_of(spec, kSpecKeys)) {
      read_spec(reader, spec, trigger);
    }
  }
  Loaded loaded;
  if (!reader.failed()) {
    trigger.revision = content_hash(flow::canonical_text(document));
    loaded.definition = std::make_shared<const Definition>(std::move(trigger));
  }
  loaded.findings = reader.take();
  return loaded;
}

std::vector<Definition> read_on(Reader& reader, const At& on, const std::string& flow) {
  std::vector<Definition> triggers;
  if (!reader.is_list(on)) {
    return triggers;
  }
  for (std::size_t i = 0; i < on.node->items.size(); ++i) {
    const At item = Reader::item(on, i);
    if (!reader.map_of(item, kOnKeys)) {
      continue;
    }
    Definition trigger;
    trigger.flow = flow;
    trigger.name = name_of(reader, item, flow, i);
    trigger.revision = content_hash(to_json(item.node->to_value()));
    const bool twice = std::ranges::any_of(
        triggers, [&](const Definition& other) { return other.name == trigger.name; });
    if (twice) {
      reader.complain(item, Code::resource_value_invalid, "has the name of one above it");
    }
    Reading(reader, trigger).rules(item);
    triggers.push_back(std::move(trigger));
  }
  return triggers;
}

std::vector<DefinitionPtr> triggers_of(const Document& flow) {
  Reader reader(flow.file, true);
  const At root{&flow.root, ""};
  const At on = Reader::member(Reader::member(root, "spec"), "on");
  const At name = Reader::member(Reader::member(root, "metadata"), "name");
  std::vector<DefinitionPtr> triggers;
  if (!on || !name) {
    return triggers;
  }
  auto read = read_on(reader, on, reader.text(name).value_or(""));
  for (std::size_t i = 0; i < read.size() && !reader.failed(); ++i) {
    triggers.push_back(std::make_shared<const Definition>(std::move(read[i])));
  }
  return triggers;
}

} // namespace skein::trigger
