#include "core/flow/loading/header.h"

#include <algorithm>
#include <array>

#include "core/base/nearest.h"

namespace skein::flow::loading {
namespace {

constexpr std::array<std::string_view, 3> kMetadataKeys{"name", "labels", "annotations"};

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

void read_metadata(Reader& reader, const At& metadata, Heading& heading) {
  const At name = Reader::member(metadata, "name");
  if (!name) {
    reader.complain(metadata, Code::resource_value_invalid, "needs a name");
  } else if (const auto text = reader.text(name)) {
    heading.name = *text;
    if (!is_dns_name(*text)) {
      reader.complain(name, Code::resource_value_invalid, "\"" + *text + "\" is no name",
                      kNameHint);
    }
  }
  for (const char* key : {"labels", "annotations"}) {
    const At texts = Reader::member(metadata, key);
    if (!texts || !reader.is_map(texts)) {
      continue;
    }
    for (const Node::Member& text : texts.node->members) {
      (void)reader.text(Reader::member(texts, text.key));
    }
    if (key == std::string_view("labels")) {
      heading.labels = texts.node->to_value();
    }
  }
}

} // namespace

bool is_dns_name(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
         std::all_of(name.begin(), name.end(), good);
}

Heading read_heading(Reader& reader, const At& root, std::string_view kind) {
  Heading heading;
  heading.labels = Value::of_map({});
  require(reader, root, "apiVersion", "skein.dev/v1");
  require(reader, root, "kind", kind);
  const At metadata = Reader::member(root, "metadata");
  if (!metadata) {
    reader.complain(root, Code::resource_value_invalid, "needs metadata with a name");
  } else if (reader.map_of(metadata, kMetadataKeys)) {
    read_metadata(reader, metadata, heading);
  }
  return heading;
}

bool is_another_kind(const At& root, std::string_view kind) {
  const At at = Reader::member(root, "kind");
  return at && !(at.node->scalar.is(Kind::string) && at.node->scalar.as_string() == kind);
}

} // namespace skein::flow::loading
