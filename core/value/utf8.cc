#include "core/value/utf8.h"

#include <cstring>

namespace skein {
namespace {

struct Lead {
  std::size_t size;
  char32_t bits;
  char32_t least; ///< below it the form is overlong
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) {
    return {1, byte, 0};
  }
  if (byte >= 0xC2 && byte < 0xE0) {
    return {2, byte & 0x1Fu, 0x80};
  }
  if (byte >= 0xE0 && byte < 0xF0) {
    return {3, byte & 0x0Fu, 0x800};
  }
  if (byte >= 0xF0 && byte < 0xF5) {
    return {4, byte & 0x07u, 0x10000};
  }
  return {0, 0, 0};
}

} // namespace

CodePoint decode_utf8(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  const Lead lead = lead_of(static_cast<unsigned char>(text[0]));
  if (lead.size == 0 || text.size() < lead.size) {
    return {};
  }
  char32_t value = lead.bits;
  for (std::size_t i = 1; i < lead.size; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) {
      return {};
    }
    value = (value << 6) | (byte & 0x3Fu);
  }
  if (value < lead.least || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
    return {};
  }
  return {value, lead.size};
}

bool valid_utf8(std::string_view text) {
  while (!text.empty()) {
    std::uint64_t word = 0;
    while (text.size() >= sizeof word) {
      std::memcpy(&word, text.data(), sizeof word);
      if ((word & 0x8080808080808080ULL) != 0) {
        break;
      }
      text.remove_prefix(sizeof word);
    }
    if (text.empty()) {
      return true;
    }
    const CodePoint next = decode_utf8(text);
    if (next.size == 0) {
      return false;
    }
    text.remove_prefix(next.size);
  }
  return true;
}

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

void append_utf8(std::string& out, char32_t code_point) {
  const auto tail = [&](int shift) {
    out.push_back(static_cast<char>(0x80 | ((code_point >> shift) & 0x3F)));
  };
  if (code_point < 0x80) {
    out.push_back(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (code_point >> 6)));
    tail(0);
  } else if (code_point < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (code_point >> 12)));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xF0 | (code_point >> 18)));
    tail(12);
    tail(6);
    tail(0);
  }
}

std::string clipped(std::string_view text, std::size_t bytes) {
  constexpr std::string_view kMore = "\xE2\x80\xA6";
  if (text.size() <= bytes) {
    return std::string(text);
  }
  std::size_t end = bytes - kMore.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  return std::string(text.substr(0, end)).append(kMore);
}

std::size_t count_code_points(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) {
    count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  }
  return count;
}

} // namespace skein
