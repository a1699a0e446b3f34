#include "tools/tool_box.h"

#include <algorithm>
#include <array>

#include "tools/file/file_tool.h"
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

} // namespace

std::unique_ptr<ToolBox> make_tool_box(ToolSettings settings) {
  return std::make_unique<BuiltInTools>(std::move(settings));
}

} // namespace skein::tools
