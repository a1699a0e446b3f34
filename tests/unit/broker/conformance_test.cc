#include "conformance/broker_suite.h"

#include "conformance/broker_streams_suite.h"
#include "unit/broker/local_house.h"
#include "unit/broker/nats_house.h"

namespace skein::test {
namespace {

INSTANTIATE_TEST_SUITE_P(local, BrokerSuite,
                         testing::Values(BrokerCase{
                             "local", [] { return std::make_unique<LocalHouse>(); }}));

INSTANTIATE_TEST_SUITE_P(nats, BrokerSuite,
                         testing::Values(BrokerCase{"nats",
                                                    [] { return std::make_unique<NatsHouse>(); }}));

} // namespace
} // namespace skein::test
