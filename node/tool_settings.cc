#include "node/tool_settings.h"

#include "tools/tool_box.h"

namespace skein::node {
namespace {

/// Where a directory lies; as it is written where that cannot be told.
std::string without_links(const std::filesystem::path& directory) {
  std::error_code problem;
  const auto real = std::filesystem::canonical(directory, problem);
  return problem ? directory.string() : real.string();
}

} // namespace

tools::ToolSettings tool_settings(const Settings& settings) {
  tools::ToolSettings out;
  for (const auto& root : settings.roots) {
    out.roots.push_back(without_links(root));
  }
  if (out.roots.empty()) {
    out.roots = default_roots();
  }
  out.hidden.push_back(without_links(settings.data));
  out.shell.sandbox = settings.sandbox;
  out.shell.allow_no_sandbox = settings.shell_unsandboxed;
  out.shell.allow_network = settings.shell_network;
  out.shell.allowed_commands = settings.shell_commands;
  out.shell.pass_environment.insert(out.shell.pass_environment.end(),
                                    settings.shell_environment.begin(),
                                    settings.shell_environment.end());
  out.http.allow = settings.http_allow;
  return out;
}

Result<void> check(const Settings& settings) { return tools::check(tool_settings(settings)); }

} // namespace skein::node
