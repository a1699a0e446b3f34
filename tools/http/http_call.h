#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include "core/ports/tool.h"
#include "tools/http/http_loop.h"
#include "tools/http/url.h"

namespace skein::tools {

/// One call of the http tool: the request, its redirects, and the way to cancel whichever of them
/// is on the wire. Keeps itself alive while one is.
class HttpCall : public std::enable_shared_from_this<HttpCall> {
 public:
  HttpCall(const ToolCall& call, ToolDone done, const std::shared_ptr<HttpLoop>& loop)
      : call_(call), done_(std::move(done)), loop_(loop) {}

  void start(HttpRequest request, Url url);
  void cancel();

 private:
  void send();
  void on_answer(Result<HttpResponse> answer);
  /// Whether the answer leads elsewhere; then the request has been changed for there.
  Result<bool> redirect(const HttpResponse& answer);

  const ToolCall call_;
  const ToolDone done_;
  const std::weak_ptr<HttpLoop> loop_;
  HttpRequest request_;
  Url url_;
  int redirects_left_ = 0;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point until_;
  std::mutex mutex_;
  HttpLoop::Id id_ = 0;    ///< guarded by mutex_
  bool cancelled_ = false; ///< guarded by mutex_
};

/// The result of a call from its last answer.
/// Errors: http_status, http_client_error, tool_failed (a body that says it is JSON and is not).
ToolResult result_of(const ToolCall& call, const Url& url, const HttpResponse& answer,
                     Millis duration);

} // namespace skein::tools
