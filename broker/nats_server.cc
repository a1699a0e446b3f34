#include "broker/nats_server.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include "broker/server/access.h"
#include "broker/server/child.h"
#include "broker/server/log_file.h"

namespace skein::broker {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kStopMs = 5'000;
constexpr std::chrono::milliseconds kFirstWait{100};
constexpr std::chrono::milliseconds kLongestWait{5'000};
constexpr std::chrono::seconds kHealthy{30}; ///< after so long the next end is a new story
constexpr std::chrono::milliseconds kAskEvery{20};

/// The thread that starts it is the one that it ends with, so one thread does everything.
class Supervised : public NatsServer {
 public:
  Supervised(const NatsServerOptions& options, Access access, std::string program)
      : options_(options),
        access_(std::move(access)),
        program_(std::move(program)),
        log_(options.folder / "server.log", options.max_log),
        stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  ~Supervised() override {
    const std::uint64_t one = 1;
    (void)!::write(stop_.get(), &one, sizeof one);
    if (thread_.joinable()) {
      thread_.join();
    }
  }
  Supervised(const Supervised&) = delete;
  Supervised& operator=(const Supervised&) = delete;

  Result<void> run_first() {
    auto promise = std::make_shared<std::promise<Result<void>>>();
    auto first = promise->get_future();
    thread_ = std::thread([this, promise] { run(*promise); });
    return first.get();
  }

  std::string url() const override { return "nats://127.0.0.1:" + std::to_string(access_.port); }
  NatsOptions access() const override {
    NatsOptions options;
    options.urls = {url()};
    options.user = access_.user;
    options.password = access_.password;
    return options;
  }
  pid_t pid() const override { return pid_.load(); }
  std::uint64_t starts() const override { return starts_.load(); }

 private:
  enum class Woken { stop, ended, time };

  void run(std::promise<Result<void>>& first);
  Result<void> start_one(Child& child);
  Result<void> wait_ready(Child& child);
  Woken wait(Child& child, Clock::time_point until);
  void copy_output(const Child& child);
  Error gave_up(const std::string& how) const;
  void tell(bool up, const std::string& why) {
    spdlog::log(up ? spdlog::level::info : spdlog::level::warn, "nats-server: {}", why);
    if (options_.on_change) {
      options_.on_change(up, why);
    }
  }

  const NatsServerOptions options_;
  const Access access_;
  const std::string program_;
  LogFile log_;
  const Fd stop_;
  std::atomic<pid_t> pid_{0};
  std::atomic<std::uint64_t> starts_{0};
  std::thread thread_;
};

void Supervised::run(std::promise<Result<void>>& first) {
  auto pause = kFirstWait;
  bool told = false;
  for (;;) {
    Child child;
    const auto began = Clock::now();
    auto started = start_one(child);
    if (!told) {
      first.set_value(started);
      if (!started) {
        return;
      }
    } else if (started) {
      tell(true, "is there again at port " + std::to_string(access_.port));
    }
    told = true;
    std::string why = started ? "" : started.error().detail;
    if (started) {
      const Woken woken = wait(child, Clock::time_point::max());
      pid_ = 0;
      if (woken == Woken::stop) {
        return end(child, kStopMs);
      }
      why = reap(child) + "; its last words: " + log_.last();
    }
    pause = Clock::now() - began > kHealthy ? kFirstWait : pause;
    tell(false, why + "; starting it again");
    Child nobody;
    if (wait(nobody, Clock::now() + pause) == Woken::stop) {
      return;
    }
    pause = std::min(pause * 2, kLongestWait);
  }
}

Result<void> Supervised::start_one(Child& child) {
  auto spawned = spawn(program_, {"-c", config_of(options_.folder).string()});
  if (!spawned) {
    return spawned.error();
  }
  child = std::move(*spawned);
  ++starts_;
  pid_ = child.pid;
  auto ready = wait_ready(child);
  if (!ready) {
    pid_ = 0;
  }
  return ready;
}

Result<void> Supervised::wait_ready(Child& child) {
  const Address address{"127.0.0.1", access_.port, false};
  const auto until = Clock::now() + std::chrono::milliseconds(options_.ready_limit.count);
  for (;;) {
    switch (wait(child, Clock::now() + kAskEvery)) {
      case Woken::stop:
        end(child, kStopMs);
        return gave_up("was stopped");
      case Woken::ended:
        return gave_up(reap(child));
      case Woken::time:
        break;
    }
    const auto greeting = greet(address, Millis{500});
    if (greeting && greeting->name == access_.name && greeting->jetstream) {
      return {};
    }
    if (Clock::now() > until) {
      end(child, kStopMs);
      return gave_up("did not answer within " + to_string(options_.ready_limit));
    }
  }
}

/// Waits for an end, the stop or the time, and keeps what is printed meanwhile.
Supervised::Woken Supervised::wait(Child& child, Clock::time_point until) {
  for (;;) {
    int left = -1;
    if (until != Clock::time_point::max()) {
      left = static_cast<int>(std::max<std::int64_t>(
          0, std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count()));
    }
    std::array<pollfd, 3> all{{{stop_.get(), POLLIN, 0},
                               {child.ended.get(), POLLIN, 0},
                               {child.output.get(), POLLIN, 0}}};
    const int ready = ::poll(all.data(), all.size(), left);
    copy_output(child);
    if (all[0].revents != 0) {
      return Woken::stop;
    }
    if (all[1].revents != 0) {
      return Woken::ended;
    }
    if (ready == 0) {
      return Woken::time;
    }
    if ((all[2].revents & POLLHUP) != 0 && (all[2].revents & POLLIN) == 0) {
      child.output = Fd(); // it closed both: only its end is awaited now
    }
  }
}

void Supervised::copy_output(const Child& child) {
  std::array<char, 8192> piece{};
  for (ssize_t got = 0; child.output.get() >= 0 &&
                        (got = ::read(child.output.get(), piece.data(), piece.size())) > 0;) {
    log_.write({piece.data(), static_cast<std::size_t>(got)});
  }
}

Error Supervised::gave_up(const std::string& how) const {
  return {Code::nats_server_failed,
          "nats-server at port " + std::to_string(access_.port) + " " + how +
              "; its last words: " + log_.last(),
          "see " + (options_.folder / "server.log").string() + ", or name another with --nats URL"};
}

void end_orphan(const std::filesystem::path& folder) {
  std::ifstream file(pid_file_of(folder));
  pid_t pid = 0;
  if (file >> pid && pid > 1 && end_stranger(pid, config_of(folder).string())) {
    spdlog::warn("nats-server: ended {}, which an earlier process had left", pid);
  }
}

std::string ask_version(const std::string& program) {
  auto asked = spawn(program, {"--version"});
  if (!asked) {
    return "";
  }
  pollfd one{asked->ended.get(), POLLIN, 0};
  ::poll(&one, 1, kStopMs);
  std::array<char, 256> text{};
  const ssize_t got = ::read(asked->output.get(), text.data(), text.size());
  end(*asked, kStopMs);
  return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : "";
}

} // namespace

Result<std::unique_ptr<NatsServer>> NatsServer::start(const NatsServerOptions& asked) {
  NatsServerOptions options = asked;
  options.folder = std::filesystem::absolute(asked.folder).lexically_normal();
  const std::string program =
      find_program(options.program.empty() ? "nats-server" : options.program);
  if (program.empty()) {
    return Error{Code::nats_server_failed, "there is no program nats-server",
                 "install it (apt install nats-server), or name a server with --nats URL"};
  }
  std::error_code failed;
  std::filesystem::create_directories(options.folder, failed);
  std::filesystem::permissions(options.folder, std::filesystem::perms::owner_all, failed);
  if (failed) {
    return Error{Code::nats_server_failed,
                 "'" + options.folder.string() + "' cannot be used: " + failed.message()};
  }
  end_orphan(options.folder);
  Access access = load_access(options.folder);
  const std::string version = ask_version(program);
  Result<void> last = Error{Code::nats_server_failed, "there is no free port on loopback"};
  for (int attempt = 0; attempt < 3; ++attempt) {
    access.port = options.port != 0 ? options.port : free_port(attempt == 0 ? access.port : 0);
    if (auto written = write_files(options.folder, access, version); !written) {
      return written.error();
    }
    auto made = std::make_unique<Supervised>(options, access, program);
    last = made->run_first();
    if (last) {
      return std::unique_ptr<NatsServer>(std::move(made));
    }
    if (options.port != 0) {
      break;
    }
  }
  return last.error();
}

} // namespace skein::broker
