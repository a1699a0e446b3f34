#include "tools/tool_box.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "tools/file/file_tool.h"
#include "tools/http/address_rules.h"
#include "tools/http/http_tool.h"
#include "tools/shell/shell_tool.h"
#include "tools/values/value_tools.h"

namespace skein::tools {
namespace {

class BuiltInTools : public ToolBox {
 public:
  explicit BuiltInTools(ToolSettings settings)
      : settings_(std::move(settings)),
        http_(settings_.http),
        shell_(settings_),
        file_(settings_),
        log_(settings_) {}

  Tool* find(std::string_view name) const override {
    const auto* row =
        std::find_if(tools_.begin(), tools_.end(), [&](const auto& r) { return r.first == name; });
    return row == tools_.end() ? nullptr : row->second;
  }

  std::vector<std::string_view> names() const override {
    std::vector<std::string_view> out;
    for (const auto& [name, tool] : tools_) {
      out.push_back(name);
    }
    return out;
  }

 private:
  const ToolSettings settings_;
  HttpTool http_;
  ShellTool shell_;
  FileTool file_;
  JsonTool json_;
  LogTool log_;
  TransformTool transform_;
  std::array<std::pair<std::string_view, Tool*>, 6> tools_{{{"file", &file_},
                                                            {"http", &http_},
                                                            {"json", &json_},
                                                            {"log", &log_},
                                                            {"shell", &shell_},
                                                            {"transform", &transform_}}};
};

bool is_variable(const std::string& name) {
  const auto letter = [](unsigned char c) { return std::isalpha(c) != 0 || c == '_'; };
  return !name.empty() && letter(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(),
                     [&](unsigned char c) { return letter(c) || std::isdigit(c) != 0; });
}

Result<void> check(const ShellSettings& settings) {
  for (const std::string& command : settings.allowed_commands) {
    if (command.empty() || (command.find('/') != std::string::npos && command[0] != '/')) {
      return Error{Code::usage_invalid, "\"" + command + "\" is no command to allow",
                   "write a name that is looked for in PATH, or an absolute path"};
    }
  }
  for (const std::string& name : settings.pass_environment) {
    if (!is_variable(name)) {
      return Error{Code::usage_invalid, "\"" + name + "\" is no name of a variable",
                   "write names only: commands get the values that this process has"};
    }
  }
  if (!settings.sandbox && !settings.allow_no_sandbox) {
    return Error{Code::usage_invalid,
                 "commands that do not say would run without a sandbox, and may not",
                 "leave SKEIN_SANDBOX=none out, or allow commands without a sandbox"};
  }
  return {};
}

} // namespace

Result<void> check(const ToolSettings& settings) {
  if (const auto rules = AddressRules::parse(settings.http.allow); !rules) {
    return rules.error();
  }
  return check(settings.shell);
}

std::unique_ptr<ToolBox> make_tool_box(ToolSettings settings) {
  return std::make_unique<BuiltInTools>(std::move(settings));
}

} // namespace skein::tools
