#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <thread>
#include <utility>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/node/joining.h"
#include "cli/version.h"
#include "node/remote/endpoint.h"
#include "node/serve.h"

namespace skein::cli {
namespace {

struct Wanted {
  std::string listen;
  std::string drain = "30s";
  std::string silence = "3s";
  std::size_t slots = node::Settings().effects_in_flight;
  std::vector<std::string> labels;
  Joining joining;
};

std::array<int, 2> signals{-1, -1}; ///< a pipe that a handler may write to

// The second leaves at once: what is durable is, and the next start goes on.
void on_signal(int) {
  static volatile std::sig_atomic_t count = 0;
  count = count + 1;
  if (count > 1) {
    ::_exit(kInterrupted);
  }
  const int before = errno;
  if (::write(signals[1], "x", 1) < 0) {
    ::_exit(kInterrupted);
  }
  errno = before;
}

bool catch_signals() {
  if (::pipe2(signals.data(), O_CLOEXEC) != 0) {
    return false;
  }
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  struct sigaction hangup {};
  const bool ignored = ::sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler == SIG_IGN;
  return (ignored || ::sigaction(SIGHUP, &action, nullptr) == 0) &&
         ::sigaction(SIGTERM, &action, nullptr) == 0 && ::sigaction(SIGINT, &action, nullptr) == 0;
}

// Until a signal comes, or the node cannot go on; a supervisor hears now and then that this process
// is well.
std::optional<Error> stay(const node::Node& node) {
  constexpr std::int64_t kLook = 500;
  const auto interval = node::watchdog_interval();
  const auto patience =
      static_cast<int>(interval ? std::clamp<std::int64_t>(interval->count, 1, kLook) : kLook);
  pollfd asked{signals[0], POLLIN, 0};
  for (;;) {
    const int ready = ::poll(&asked, 1, patience);
    if (ready > 0 || (ready < 0 && errno != EINTR)) {
      return {};
    }
    if (auto trouble = node.trouble()) {
      return trouble;
    }
    if (ready == 0 && interval) {
      node::tell_supervisor("WATCHDOG=1");
    }
  }
}

node::ServeOptions options_of(const Wanted& wanted, node::Settings settings, Millis silence,
                              std::string key, Value labels) {
  const Joining& joining = wanted.joining;
  node::ServeOptions options;
  options.node = std::move(settings);
  options.listen = wanted.listen;
  options.name = joining.name;
  options.version = version_line();
  options.cluster = joining.cluster;
  options.key = std::move(key);
  options.replicas = joining.replicas;
  options.silence = silence;
  options.labels = std::move(labels);
  if (joining.nats != "none") {
    options.broker = joining.broker;
    options.broker->urls = joining.nats;
  }
  return options;
}

// A node and its broker may be started in any order, and the broker may go while the node starts.
Result<std::unique_ptr<node::Server>> open_once_there(const node::ServeOptions& options) {
  constexpr int kAgain = 1'000;
  bool said = false;
  for (;;) {
    auto server = node::Server::open(options);
    const Code why = server ? Code::interrupted : server.error().code;
    if (server || (why != Code::broker_unreachable && why != Code::broker_timeout)) {
      return server;
    }
    if (!std::exchange(said, true)) {
      spdlog::warn("{}; it is tried again until it is there", to_string(server.error()));
    }
    pollfd asked{signals[0], POLLIN, 0};
    if (::poll(&asked, 1, kAgain) > 0) {
      return server;
    }
  }
}

int serve(const Context& context, const Wanted& wanted) {
  if (context.log_level.empty()) { // it stays: what it does is worth a line
    spdlog::set_level(spdlog::level::info);
  }
  if (!context.server.empty() || context.trouble) {
    return complain(context.trouble ? *context.trouble
                                    : Error{Code::usage_invalid,
                                            "context " + context.name + " is a node already",
                                            "name a data directory with --data"});
  }
  const auto limit = parse_millis(wanted.drain);
  const auto silence = parse_millis(wanted.silence);
  auto labels = fields_of(wanted.labels);
  auto settings = context.settings();
  if (!limit || !silence || !labels || !settings) {
    return complain(!limit     ? limit.error()
                    : !silence ? silence.error()
                    : !labels  ? labels.error()
                               : settings.error());
  }
  if (wanted.slots == 0 && (wanted.joining.nats.empty() || wanted.joining.nats == "none")) {
    return complain(Error{Code::usage_invalid, "--slots 0 leaves every tool call to other nodes",
                          "name the servers where they are: --nats URL"});
  }
  settings->effects_in_flight = wanted.slots;
  auto key = key_of(wanted.joining);
  if (!key) {
    return complain(key.error());
  }
  if (!catch_signals()) {
    return complain(Error{Code::usage_invalid, "cannot catch signals"});
  }
  auto server =
      open_once_there(options_of(wanted, std::move(*settings), *silence, *key, std::move(*labels)));
  if (!server) {
    return complain(server.error());
  }
  spdlog::info("listening at {}, data in {}", (*server)->url(), context.data.string());
  put((*server)->url() + "\n");
  std::fflush(stdout);
  node::tell_supervisor("READY=1\nSTATUS=" + (*server)->url());
  const auto trouble = stay((*server)->node());
  node::tell_supervisor("STOPPING=1");
  if (trouble) { // what is durable is; a supervisor starts it anew
    (*server)->drain(Millis{0});
    return complain(*trouble);
  }
  spdlog::info("draining, at most {}; another signal ends it at once", wanted.drain);
  (*server)->drain(*limit);
  spdlog::info("stopped");
  return kDone;
}

} // namespace

void add_serve(CLI::App& app, Chosen& chosen) {
  auto wanted = std::make_shared<Wanted>();
  CLI::App* command =
      app.add_subcommand("serve", "Run a node that stays; commands find and use it");
  command
      ->add_option("--listen", wanted->listen,
                   "Where HTTP is spoken; else 127.0.0.1:7711, or the next free port")
      ->type_name("HOST:PORT")
      ->check(not_empty());
  add_joining(*command, wanted->joining);
  command
      ->add_option("--label", wanted->labels,
                   "What `placement` may ask of a node, such as zone=eu; may be given again")
      ->type_name("KEY=VALUE");
  command
      ->add_option("--takeover-after", wanted->silence,
                   "How long a node may be silent before others take over what it leads")
      ->type_name("TIME");
  command
      ->add_option("--slots", wanted->slots,
                   "Tool calls that run at once here; what waits runs on other nodes with room")
      ->type_name("N")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  command
      ->add_option("--drain-timeout", wanted->drain,
                   "How long effects may go on once it is asked to stop")
      ->type_name("TIME");
  command->footer(
      "SIGTERM or Ctrl-C drains the node; what is not done by then goes on at the next start. A "
      "second one ends it at once.\n\nExample:\n  skein serve --listen 127.0.0.1:7711");
  command->callback([wanted, &chosen] {
    chosen = [wanted](const Context& context) { return serve(context, *wanted); };
  });
}

} // namespace skein::cli
