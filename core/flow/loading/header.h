#pragma once

#include <string>
#include <string_view>

#include "core/flow/loading/reader.h"
#include "core/value/value.h"

namespace skein::flow::loading {

/// Whether it may be the name of a resource: up to 63 lower-case letters, digits and '-'.
bool is_dns_name(std::string_view name);
inline constexpr const char* kNameHint =
    "use up to 63 lower-case letters, digits and '-', none of them '-' at an end";

/// What every resource says of itself.
struct Heading {
  std::string name;
  Value labels; ///< a map of texts
};

/// Reads apiVersion, kind and metadata. Complains where they are not those of this kind.
Heading read_heading(Reader& reader, const At& root, std::string_view kind);

/// Whether the document says that it is of another kind: then its spec is not to be judged.
bool is_another_kind(const At& root, std::string_view kind);

} // namespace skein::flow::loading
