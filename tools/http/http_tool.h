#pragma once

#include <memory>

#include "tools/described_tool.h"
#include "tools/http/http_loop.h"
#include "tools/settings.h"

namespace skein::tools {

/// Sends one request and follows at most three redirects: `http`.
class HttpTool : public DescribedTool {
 public:
  explicit HttpTool(const HttpSettings& settings);
  ~HttpTool() override;

  /// GET, HEAD, OPTIONS, PUT and DELETE are idempotent, the rest unsafe.
  EffectClass effect_class(const Value& input) const override;
  Result<void> check(const Value& input) const override;
  std::unique_ptr<ToolHandle> start(const ToolCall& call, ToolDone done) override;

 private:
  HttpSettings settings_;
  std::optional<Error> refusal_; ///< the settings cannot be read: nothing is sent
  std::shared_ptr<HttpLoop> loop_;
};

} // namespace skein::tools
