#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"

namespace skein::tools {

/// Whether an opened directory is one of `hidden` or lies below one. Judged by what it is, device
/// and inode on the way up to the root, so that no link, ".." or second mount is another way there.
/// A hidden directory that is not there hides nothing. Errors: tool_failed.
Result<bool> is_hidden(int directory, const std::vector<std::string>& hidden);

/// The same of a directory by its path, which exists.
Result<bool> is_hidden(const std::string& directory, const std::vector<std::string>& hidden);

/// Whether `path` is `directory` or lies below it, as both are written: absolute, without links.
bool is_at_or_below(const std::string& path, const std::string& directory);

} // namespace skein::tools
