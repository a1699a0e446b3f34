#include "core/flow/loader.h"

#include <algorithm>
#include <array>

#include "core/base/nearest.h"
#include "core/flow/loading/draft.h"
#include "core/flow/loading/reader.h"
#include "core/value/json.h"

namespace skein::flow {
namespace {

using loading::At;
using loading::Reader;

constexpr std::array<std::string_view, 4> kTopKeys{"apiVersion", "kind", "metadata", "spec"};
constexpr std::array<std::string_view, 3> kMetadataKeys{"name", "labels", "annotations"};
constexpr std::array<std::string_view, 7> kSpecKeys{"description", "input", "vars",  "timeout",
                                                    "retry",       "steps", "output"};
constexpr std::array<std::string_view, 5> kLaterSpecKeys{"on", "concurrency", "on_failure",
                                                         "on_cancel", "compensate"};

bool is_dns_name(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
         std::all_of(name.begin(), name.end(), good);
}

bool says(const At& at, std::string_view text) {
  return at.node->scalar.is(Kind::string) && at.node->scalar.as_string() == text;
}

void require(Reader& reader, const At& root, std::string_view key, std::string_view wanted) {
  const At at = Reader::member(root, key);
  if (!at) {
    reader.complain(root, Code::resource_kind_unknown,
                    "needs `" + std::string(key) + ": " + std::string(wanted) + "`");
  } else if (const auto text = reader.text(at); text && *text != wanted) {
    reader.complain(at, Code::resource_kind_unknown,
                    "must be " + std::string(wanted) + ", not \"" + *text + "\"" +
                        did_you_mean(*text, {&wanted, 1}));
  }
}

void read_metadata(Reader& reader, const At& metadata, Definition& definition) {
  const At name = Reader::member(metadata, "name");
  if (!name) {
    reader.complain(metadata, Code::resource_value_invalid, "needs a name");
  } else if (const auto text = reader.text(name)) {
    definition.name = *text;
    if (!is_dns_name(*text)) {
      reader.complain(
          name, Code::resource_value_invalid, "\"" + *text + "\" is no name",
          "use up to 63 lower-case letters, digits and '-', none of them '-' at an end");
    }
  }
  definition.labels = Value::of_map({});
  for (const char* key : {"labels", "annotations"}) {
    const At texts = Reader::member(metadata, key);
    if (!texts || !reader.is_map(texts)) {
      continue;
    }
    for (const Node::Member& text : texts.node->members) {
      (void)reader.text(Reader::member(texts, text.key));
    }
    if (key == std::string_view("labels")) {
      definition.labels = texts.node->to_value();
    }
  }
}

void read_header(Reader& reader, const At& root, Definition& definition) {
  require(reader, root, "apiVersion", "skein.dev/v1");
  require(reader, root, "kind", "Flow");
  const At metadata = Reader::member(root, "metadata");
  if (!metadata) {
    reader.complain(root, Code::resource_value_invalid, "needs metadata with a name");
  } else if (reader.map_of(metadata, kMetadataKeys)) {
    read_metadata(reader, metadata, definition);
  }
}

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
    read_header(reader, root, draft.definition);
    const At kind = Reader::member(root, "kind");
    const bool another = kind && !says(kind, "Flow"); // its spec is not to be judged as a flow's
    if (!another && !spec) {
      reader.complain(root, Code::resource_value_invalid, "needs a spec");
    } else if (!another && reader.map_of(spec, kSpecKeys, kLaterSpecKeys)) {
      refuse_later_keys(reader, spec);
      outline(reader, spec, draft);
      connect(reader, draft);
      fill(reader, spec, options, draft);
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
