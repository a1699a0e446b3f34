#include "core/base/hash.h"

#include <openssl/evp.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <memory>

namespace skein {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kPrefix = "sha256:";

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Fetching the algorithm costs more than hashing a journal entry, so each thread keeps one context.
EVP_MD_CTX* context_of_thread() {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  return context.get();
}

void append_hex(std::string& out, std::uint64_t word) {
  for (int shift = 60; shift >= 0; shift -= 4) {
    out.push_back(kHexDigits[(word >> shift) & 15]);
  }
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return -1;
}

} // namespace

ContentHash content_hash(std::string_view bytes) { return content_hash({&bytes, 1}); }

ContentHash content_hash(std::span<const std::string_view> pieces) {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* const context = context_of_thread();
  EVP_DigestInit_ex(context, algorithm, nullptr);
  for (const std::string_view piece : pieces) {
    EVP_DigestUpdate(context, piece.data(), piece.size());
  }
  ContentHash hash;
  EVP_DigestFinal_ex(context, hash.bytes.data(), nullptr);
  return hash;
}

std::string to_string(const ContentHash& hash) {
  std::string text(kPrefix);
  for (const std::uint8_t byte : hash.bytes) {
    text.push_back(kHexDigits[byte >> 4]);
    text.push_back(kHexDigits[byte & 15]);
  }
  return text;
}

std::optional<ContentHash> parse_content_hash(std::string_view text) {
  if (!text.starts_with(kPrefix) || text.size() != kPrefix.size() + 64) {
    return std::nullopt;
  }
  text.remove_prefix(kPrefix.size());
  ContentHash hash;
  for (std::size_t i = 0; i < hash.bytes.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    hash.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return hash;
}

Digest digest(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return Digest{hash.low64, hash.high64};
}

std::string to_string(const Digest& digest) {
  std::string text;
  append_hex(text, digest.high);
  append_hex(text, digest.low);
  return text;
}

void SetDigest::add(const Digest& cell) {
  sum_.low += cell.low;
  sum_.high += cell.high + (sum_.low < cell.low ? 1 : 0);
}

void SetDigest::remove(const Digest& cell) {
  const bool borrow = sum_.low < cell.low;
  sum_.low -= cell.low;
  sum_.high -= cell.high + (borrow ? 1 : 0);
}

} // namespace skein
