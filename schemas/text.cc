#include "schemas/text.h"

#include <cstddef>

#include "core/value/utf8.h"

namespace skein::schemas {

std::string clean_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() + 8);
  while (!bytes.empty()) {
    const std::size_t size = decode_utf8(bytes).size;
    if (size == 0) {
      text += "\xEF\xBF\xBD";
    } else {
      text += bytes.substr(0, size);
    }
    bytes.remove_prefix(size == 0 ? 1 : size);
  }
  return text;
}

} // namespace skein::schemas
