#pragma once

#include <nats/nats.h>

#include <memory>
#include <string>

#include "broker/link/greeting.h"
#include "broker/nats_broker.h"
#include "core/base/result.h"
#include "core/ports/broker.h"

namespace skein::broker {

/// What the library sends for a message that passed. An id becomes Nats-Msg-Id.
natsStatus publish(natsConnection* connection, const Message& message, const std::string& reply,
                   const std::string& id);

using LibraryOptions = std::unique_ptr<natsOptions, void (*)(natsOptions*)>;

/// The library's options of one connection: credentials, TLS, timeouts.
/// Errors: broker_refused where credentials or certificates cannot be read.
Result<LibraryOptions> make_options(const NatsOptions& options, const std::string& url,
                                    const Address& address);

} // namespace skein::broker
