#include "cli/log.h"

#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>

#include "core/base/instant.h"
#include "core/value/json.h"

namespace skein::cli {
namespace {

class JsonLines : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const auto since = message.time.time_since_epoch();
    const Instant at{std::chrono::duration_cast<std::chrono::milliseconds>(since).count()};
    const auto level = spdlog::level::to_string_view(message.level);
    const std::string line =
        to_json(object(
            {{"at", to_string(at)},
             {"level", std::string_view(level.data(), level.size())},
             {"message", std::string_view(message.payload.data(), message.payload.size())}})) +
        "\n";
    out.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonLines>();
  }
};

} // namespace

void set_up_log(const std::string& level, bool json) {
  auto log =
      std::make_shared<spdlog::logger>("skein", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  log->set_level(spdlog::level::from_str(level));
  if (json) {
    log->set_formatter(std::make_unique<JsonLines>());
  }
  spdlog::set_default_logger(std::move(log));
}

} // namespace skein::cli
