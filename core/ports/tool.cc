#include "core/ports/tool.h"

#include <array>
#include <utility>

namespace skein {
namespace {

constexpr std::array<std::pair<EffectClass, std::string_view>, 6> kNames{{
    {EffectClass::pure, "pure"},
    {EffectClass::idempotent, "idempotent"},
    {EffectClass::keyed, "keyed"},
    {EffectClass::verify, "verify"},
    {EffectClass::unsafe, "unsafe"},
    {EffectClass::llm, "llm"},
}};

} // namespace

std::string_view name_of(EffectClass effect_class) {
  return kNames[static_cast<std::size_t>(effect_class)].second;
}

std::optional<EffectClass> parse_effect_class(std::string_view name) {
  for (const auto& [effect_class, known] : kNames) {
    if (known == name) {
      return effect_class;
    }
  }
  return std::nullopt;
}

} // namespace skein
