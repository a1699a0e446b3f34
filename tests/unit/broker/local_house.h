#pragma once

#include <chrono>

#include "broker/local_bus.h"
#include "core/ports/clock.h"
#include "support/broker_house.h"

namespace skein::test {

class WallClock : public Clock {
 public:
  Instant now() const override {
    return Instant{std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count()};
  }
};

class LocalHouse : public BrokerHouse {
 public:
  Broker& broker() override { return bus_; }

 private:
  WallClock clock_;
  broker::LocalBus bus_{clock_};
};

} // namespace skein::test
