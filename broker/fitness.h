#pragma once

#include <string>
#include <vector>

#include "broker/nats_broker.h"
#include "core/base/result.h"
#include "core/ports/clock.h"

namespace skein::broker {

/// What a node asks of the broker that it is to rely on.
struct FitnessOptions {
  std::string stream; ///< where the canary is written: SKEIN_CANARY_<incarnation>
  std::size_t least_payload = 1u << 20;
  bool test_permissions = true; ///< see below
  Millis limit{5'000};          ///< for the canary to come back
};

/// What was found: the server's version, and what works but should be otherwise.
struct Fitness {
  std::string version;
  std::vector<std::string> warnings;
};

/// Checks at start that a node may rely on the broker: JetStream is on; a canary that is appended
/// comes back in order (a server that answers pings may still be unable to store); messages may be
/// large enough; somebody without credentials is refused where some were given; and the calls are
/// denied that would let one account destroy another (nats-server before 2.10.27 does so,
/// CVE-2025-30215). Those calls name an account that does not exist, so that nothing is harmed
/// where they are allowed. Errors: broker_unfit, with every point and the line of the configuration
/// that it is about; else those of the broker.
Result<Fitness> check_fitness(NatsBroker& broker, const NatsOptions& connected_with,
                              const FitnessOptions& options);

} // namespace skein::broker
