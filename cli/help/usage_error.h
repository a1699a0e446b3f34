#pragma once

#include <span>
#include <string>

#include "core/base/result.h"

namespace CLI {
class App;
}

namespace skein::cli {

/// Why the parser refused these words: the first command or flag that is not known, with the
/// nearest known one of its level; else what the parser said.
Error usage_error(const CLI::App& app, std::span<const std::string> words,
                  const std::string& refused);

} // namespace skein::cli
