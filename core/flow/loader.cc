#include "core/flow/loader.h"

#include <algorithm>
#include <array>

#include "core/flow/loading/draft.h"
#include "core/flow/loading/header.h"
#include "core/flow/loading/reader.h"
#include "core/trigger/loader.h"
#include "core/value/json.h"

namespace skein::flow {
namespace {

using loading::At;
using loading::Reader;

constexpr std::array<std::string_view, 4> kTopKeys{"apiVersion", "kind", "metadata", "spec"};
constexpr std::array<std::string_view, 8> kSpecKeys{"description", "on",    "input", "vars",
                                                    "timeout",     "retry", "steps", "output"};
constexpr std::array<std::string_view, 4> kLaterSpecKeys{"concurrency", "on_failure", "on_cancel",
                                                         "compensate"};

void refuse_later_keys(Reader& reader, const At& spec) {
  for (const std::string_view key : kLaterSpecKeys) {
    if (const At later = Reader::member(spec, key)) {
      reader.complain(later, Code::resource_value_invalid,
                      "this version does not support `" + std::string(key) + "` yet");
    }
  }
}

} // namespace

const Step* Definition::find(std::string_view id) const {
  const auto found =
      std::find_if(steps.begin(), steps.end(), [&](const Step& step) { return step.id == id; });
  return found != steps.end() && !id.empty() ? &*found : nullptr;
}

std::string canonical_text(const Document& document) { return to_json(document.root.to_value()); }

Loaded load(const Document& document, const LoadOptions& options) {
  Reader reader(document.file, options.lenient);
  loading::Draft draft;
  const At root{&document.root, ""};
  const At spec = Reader::member(root, "spec");
  if (reader.map_of(root, kTopKeys)) {
    loading::Heading heading = loading::read_heading(reader, root, "Flow");
    draft.definition.name = std::move(heading.name);
    draft.definition.labels = std::move(heading.labels);
    const bool another = loading::is_another_kind(root, "Flow");
    if (!another && !spec) {
      reader.complain(root, Code::resource_value_invalid, "needs a spec");
    } else if (!another && reader.map_of(spec, kSpecKeys, kLaterSpecKeys)) {
      refuse_later_keys(reader, spec);
      outline(reader, spec, draft);
      connect(reader, draft);
      fill(reader, spec, options, draft);
      if (const At on = Reader::member(spec, "on")) {
        (void)trigger::read_on(reader, on, draft.definition.name);
      }
    }
  }
  Loaded loaded;
  if (!reader.failed()) {
    draft.definition.revision = content_hash(canonical_text(document));
    loaded.definition = std::make_shared<const Definition>(std::move(draft.definition));
  }
  loaded.findings = reader.take();
  return loaded;
}

} // namespace skein::flow
