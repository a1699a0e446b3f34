#include "actors/fatal.h"

#include <spdlog/spdlog.h>

#include <cstdlib>
#include <exception>
#include <string>

namespace skein::actors {

void make_exceptions_fatal(caf::scheduled_actor& actor) {
  actor.set_exception_handler(
      [name = std::string(actor.name())](std::exception_ptr& thrown) -> caf::error {
        try {
          std::rethrow_exception(thrown);
        } catch (const std::exception& exception) {
          spdlog::critical("{} ends this process: {}", name, exception.what());
        } catch (...) {
          spdlog::critical("{} ends this process: an exception of an unknown kind", name);
        }
        std::abort();
      });
}

} // namespace skein::actors
