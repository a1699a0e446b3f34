#pragma once

#include <string>
#include <variant>

#include "gateway/routes.h"
#include "gateway/server.h"

namespace skein::gateway {

/// The head of a request as it was sent.
struct Head {
  std::string method; ///< "GET"
  std::string target;
  unsigned version = 11; ///< of HTTP: 10, 11
  Words headers;         ///< in order, names as sent
};

struct Admitted {
  Request request; ///< without its body
  const Route* route;
};

struct TurnedAway {
  Refusal why;
  Error error;
  unsigned status;
};

/// Who may ask for what, by the head of a request alone: what is refused here costs no body and no
/// thread.
///
/// Whoever shows no token learns nothing but that it is missing; routes that need none can be asked
/// for only under a name of this very machine, so that a page in a browser cannot be led here by a
/// name of its own (DNS rebinding).
/// Thread-safety: const access from any thread.
class Admission {
 public:
  /// Ownership: both outlive it.
  Admission(const Options& options, const Routes& routes) : options_(options), routes_(routes) {}

  std::variant<Admitted, TurnedAway> admit(Head head) const;

 private:
  bool has_token(const Request& request) const;
  bool is_own_name(std::string_view host) const;

  const Options& options_;
  const Routes& routes_;
};

/// Whether two texts are equal, in a time that tells only the length of `given`.
bool equal_in_constant_time(std::string_view given, std::string_view secret);

Error malformed(const std::string& why);
Error too_large(const char* what, std::size_t limit);

} // namespace skein::gateway
