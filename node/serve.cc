#include "node/serve.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <mutex>
#include <thread>

#include "node/api/service.h"
#include "node/events/event_bus.h"
#include "node/remote/endpoint.h"
#include "node/system_clock.h"

namespace skein::node {
namespace {

constexpr std::uint16_t kPortsTried = 20;
constexpr Millis kLastAnswers{2'000};
constexpr std::chrono::milliseconds kLook{20};
constexpr std::int64_t kBeatsInSilence = 6;

std::string hex(std::uint64_t number) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(number));
  return text.data();
}

// One descriptor for each connection, and some for everything else.
void allow_many_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

struct Address {
  std::string host = "127.0.0.1";
  std::uint16_t port = kUsualPort;
};

Result<Address> parse_address(const std::string& text) {
  const auto colon = text.rfind(':');
  Address address;
  const char* end = text.data() + text.size();
  const auto parsed = colon == std::string::npos
                          ? std::from_chars_result{end, std::errc::invalid_argument}
                          : std::from_chars(text.data() + colon + 1, end, address.port);
  if (parsed.ec != std::errc() || parsed.ptr != end || colon == 0) {
    return Error{Code::usage_invalid, "\"" + text + "\" is no address to listen on",
                 "write HOST:PORT, such as 127.0.0.1:7711; port 0 is a free one"};
  }
  address.host = text.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  return address;
}

bool is_loopback(const std::string& host) { return host.starts_with("127.") || host == "::1"; }

std::string url_of(const std::string& host, std::uint16_t port) {
  const std::string reached = host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host;
  return "http://" + (reached.find(':') == std::string::npos ? reached : "[" + reached + "]") +
         ":" + std::to_string(port);
}

class ServedNode : public Server {
 public:
  ServedNode(ServeOptions options, std::unique_ptr<Node> node, std::shared_ptr<Broker> broker,
             std::shared_ptr<EventBus> bus)
      : options_(std::move(options)),
        node_(std::move(node)),
        broker_(std::move(broker)),
        bus_(std::move(bus)) {}

  ~ServedNode() override {
    drain(Millis{0});
    service_.reset();
  }

  Result<void> begin() {
    auto token = token_of(options_.node.data);
    if (!token) {
      return token.error();
    }
    const Instant now = SystemClock().now();
    const std::string& name = options_.name;
    service_ = std::make_unique<Service>(
        *node_, options_.node,
        Identity{hex(node_->id().get()), name, options_.version, options_.node.data.string(), now});
    service_->bus = bus_.get();
    EventSettings events;
    events.replicas = options_.replicas;
    if (auto begun = bus_->begin(*node_, broker_, events); !begun) {
      return begun;
    }
    if (auto listening = listen(*token); !listening) {
      return listening;
    }
    service_->counters = &gateway_->counters();
    recovering_ = std::thread([this] { recover(); });
    return write_endpoint(options_.node.data,
                          EndpointFile{url_, service_->identity.id, name, options_.version,
                                       static_cast<std::int64_t>(::getpid()), now});
  }

  Node& node() override { return *node_; }
  std::string url() const override { return url_; }
  bool ready() const override { return service_->phase == Phase::ready; }

  // Reads are answered until the end: those who wait for a run hear what became of it.
  void drain(Millis limit) override {
    std::call_once(drained_, [&] {
      if (service_) {
        service_->phase = Phase::draining;
      }
      bus_->end();
      node_->drain(limit);
      if (recovering_.joinable()) {
        recovering_.join();
      }
      if (gateway_) {
        gateway_->stop(limit.count > 0 ? kLastAnswers : Millis{0});
      }
      remove_endpoint(options_.node.data);
    });
  }

 private:
  Result<void> listen(const std::string& token) {
    const auto wanted =
        options_.listen.empty() ? Result<Address>(Address{}) : parse_address(options_.listen);
    if (!wanted) {
      return wanted.error();
    }
    if (!is_loopback(wanted->host)) {
      spdlog::warn("listening on {} without encryption: put a proxy with TLS before it",
                   wanted->host);
    }
    gateway::Options options;
    options.address = wanted->host;
    options.port = wanted->port;
    options.token = token;
    options.names = {service_->identity.name};
    options.limits = options_.limits;
    auto opened = gateway::Server::listen(options, routes_of(*service_));
    for (std::uint16_t i = 1; !opened && options_.listen.empty() && i <= kPortsTried; ++i) {
      options.port = i < kPortsTried ? static_cast<std::uint16_t>(kUsualPort + i) : 0;
      opened = gateway::Server::listen(options, routes_of(*service_));
    }
    if (!opened) {
      return opened.error();
    }
    gateway_ = std::move(*opened);
    url_ = url_of(options.address, gateway_->port());
    return {};
  }

  void recover() {
    const std::lock_guard lock(service_->resuming);
    const auto count = node_->resume_all();
    if (!count) {
      spdlog::error("cannot go on with the runs that are there: {}", to_string(count.error()));
      return;
    }
    spdlog::info("{} runs go on", *count);
    while (!node_->is_settled() && service_->phase == Phase::starting) {
      std::this_thread::sleep_for(kLook);
    }
    Phase starting = Phase::starting;
    service_->phase.compare_exchange_strong(starting, Phase::ready);
  }

  ServeOptions options_;
  std::unique_ptr<Node> node_;
  std::shared_ptr<Broker> broker_; ///< null: events stay within this process
  std::shared_ptr<EventBus> bus_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<gateway::Server> gateway_; ///< goes before what its handlers use
  std::string url_;
  std::thread recovering_;
  std::once_flag drained_;
};

ClusterSettings cluster_of(const ServeOptions& options) {
  ClusterSettings cluster;
  cluster.connect = [choice = *options.broker, folder = options.node.data / "nats",
                     name = options.name]() { return choose_broker(choice, folder, name); };
  cluster.cluster = options.cluster;
  cluster.replicas = options.replicas;
  cluster.timing.silence = options.silence;
  cluster.timing.beat = Millis{std::max<std::int64_t>(options.silence.count / kBeatsInSilence, 20)};
  cluster.timing.step = Millis{options.silence.count / 10};
  cluster.timing.settle = options.silence;
  cluster.alone = options.broker->urls.empty();
  cluster.name = options.name;
  cluster.labels = options.labels;
  cluster.key = options.key;
  return cluster;
}

} // namespace

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "node";
}

Result<std::unique_ptr<Server>> Server::open(ServeOptions options) {
  allow_many_files();
  options.node.make = true;
  options.node.starts_effects = true;
  options.node.recover = false; // it listens before it has read a million of them
  if (options.name.empty()) {
    options.name = host_name();
  }
  if (options.broker) {
    options.node.cluster = cluster_of(options);
  }
  auto broker = std::make_shared<std::shared_ptr<Broker>>();
  if (options.node.cluster) {
    options.node.cluster->connect = [connect = options.node.cluster->connect, broker] {
      auto connected = connect();
      *broker = connected ? *connected : nullptr;
      return connected;
    };
  }
  const auto bus = std::make_shared<EventBus>();
  options.node.outlet = bus;
  auto node = Node::open(options.node);
  if (!node) {
    return node.error();
  }
  auto server = std::make_unique<ServedNode>(std::move(options), std::move(*node), *broker, bus);
  auto begun = server->begin();
  return begun ? Result<std::unique_ptr<Server>>(std::move(server)) : begun.error();
}

} // namespace skein::node
