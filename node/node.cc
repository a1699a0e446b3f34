#include "node/node.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>
#include <mutex>
#include <thread>
#include <tuple>

#include "actors/run_host.h"
#include "node/fork.h"
#include "node/listeners.h"
#include "node/new_run.h"
#include "node/system_clock.h"
#include "node/tool_settings.h"
#include "node/waiters.h"
#include "storage/rocks_store.h"
#include "tools/tool_box.h"

namespace skein::node {
namespace {

/// The thread that commits is busy whenever many runs are; with its processor the actors only make
/// it wait.
std::size_t threads_of_machine() { return std::max(2u, std::thread::hardware_concurrency()) - 1; }

class EmbeddedNode : public Node {
 public:
  EmbeddedNode(Settings settings, std::unique_ptr<storage::RocksStore> store)
      : settings_(std::move(settings)),
        store_(std::move(store)),
        tools_(tools::make_tool_box(told_tools())) {
    actors::Surroundings around{
        *store_,
        *tools_,
        clock_,
        [this](const ContentHash& revision) { return definition_of(*store_, revision); },
        [this](const Entry& entry, const RunRecord* shown) { on_entry(entry, shown); },
        [](const OutboxRow& row) {
          spdlog::debug("event {} {}", row.destination, row.id);
          return Result<void>();
        },
        [this](const Error& error) { waiters_.broke(error); }};
    actors::Limits limits;
    limits.threads = settings_.threads > 0 ? settings_.threads : threads_of_machine();
    limits.effects_in_flight = settings_.effects_in_flight;
    limits.live_runs = settings_.live_runs;
    limits.starts_effects = settings_.starts_effects;
    host_ = actors::RunHost::make(std::move(around), limits);
  }

  ~EmbeddedNode() override { drain(Millis{2'000}); }

  Result<RunId> start(const StartRequest& request) override {
    const auto wanted = new_run(request, clock_.now());
    if (!wanted) {
      return wanted.error();
    }
    if (auto room = store_->admits(); !room) {
      return room.error();
    }
    auto begun = tell(wanted->id, wanted->created);
    if (!begun && begun.error().code == Code::run_exists && request.id) {
      begun = check_same_start(*store_, *wanted);
      if (begun) {
        begun = resume(wanted->id);
      }
    }
    return begun ? Result<RunId>(wanted->id) : begun.error();
  }

  Result<void> tell(const RunId& run, flow::Event event) override {
    if (const std::string_view id = flow::sender_id(event); !id.empty()) {
      const auto before = store_->find_event(run, id);
      if (!before || *before) { // sent again: the run need not come into memory for it
        return before ? Result<void>() : before.error();
      }
    }
    return ask(
        [&](actors::Reply reply) { host_->deliver(run, std::move(event), std::move(reply)); });
  }

  Result<RunId> fork(const ForkRequest& request) override {
    return node::fork(*store_, request, clock_.now());
  }

  Result<void> resume(const RunId& run) override {
    return ask([&](actors::Reply reply) { host_->wake(run, std::move(reply)); });
  }

  Result<std::size_t> resume_all() override {
    std::promise<void> all;
    auto in_memory = all.get_future();
    auto count = wake_all({nullptr, [all = std::make_shared<std::promise<void>>(std::move(all))](
                                        void*) { all->set_value(); }});
    if (count) {
      in_memory.wait();
    }
    return count;
  }

  /// Goes on with every live run; the last copy of `last` goes once all of them are in memory.
  Result<std::size_t> wake_all(std::shared_ptr<void> last) {
    std::vector<RunId> runs;
    for (std::uint16_t p = 0; p < kPartitions; ++p) {
      const auto read = store_->live_runs(PartitionId(p), [&](const RunId& run) {
        runs.push_back(run);
        return true;
      });
      if (!read) {
        return read.error();
      }
    }
    // As their rows lie on the disk.
    std::sort(runs.begin(), runs.end(), [](const RunId& a, const RunId& b) {
      return std::tuple(partition_of(a), a) < std::tuple(partition_of(b), b);
    });
    const std::size_t count = runs.size();
    const auto resuming = host_->resume(
        std::move(runs), [last = std::move(last)](const RunId& run, const Result<void>& woken) {
          if (!woken) {
            spdlog::error("run {}: {}", run.get(), to_string(woken.error()));
          }
        });
    return resuming ? Result<std::size_t>(count) : resuming.error();
  }

  Result<RunRecord> wait(const RunId& run, bool stop_when_waiting,
                         const std::function<bool()>& give_up) override {
    Waiters::Place here(waiters_, run);
    for (;;) {
      const auto last = store_->last_seq(run);
      auto record = store_->find_run(run);
      if (!last || !record) {
        return last ? record.error() : last.error();
      }
      if (!*record) {
        return Error{Code::run_unknown, "there is no run " + run.get()};
      }
      const RunState state = (*record)->state;
      if (is_final(state) || state == RunState::paused ||
          (state == RunState::waiting && stop_when_waiting && waits_for_others(**record, *last)) ||
          (give_up && give_up())) {
        return std::move(**record);
      }
      if (auto waited = here.wait(); !waited) {
        record = store_->find_run(run); // it may have ended in the very last commit
        return record && *record && is_final((*record)->state)
                   ? Result<RunRecord>(std::move(**record))
                   : waited.error();
      }
    }
  }

  std::shared_ptr<void> watch(const RunId& run, std::function<void(const Entry&)> watch) override {
    return entries_.add(run, std::move(watch));
  }

  std::shared_ptr<void> watch_logs(
      std::function<void(const RunId&, const std::string&, const ToolLog&)> watch) override {
    return logs_.add(std::move(watch));
  }

  void drain(Millis limit) override {
    std::call_once(drained_, [&] {
      if (!host_->drain(limit)) {
        spdlog::info("attempts still run after {}: a later start settles them", to_string(limit));
      }
      host_->stop();
      waiters_.broke(
          Error{Code::interrupted, "the node is stopping", "ask again once it has started anew"});
    });
  }

  Store& store() override { return *store_; }
  ToolBox& tools() override { return *tools_; }
  NodeId id() const override { return store_->node(); }

 private:
  /// Whether a waiting run waits for no timer that fires soon. Its record, its timers and `last`,
  /// read before both, are of one moment only while nothing is appended.
  bool waits_for_others(const RunRecord& record, Seq last) const {
    const bool others = !by_timer(record);
    const auto now = store_->last_seq(record.id);
    return others && now && *now == last;
  }

  // A short timer, such as the delay before a retry or the end of a signal's time, is worth staying
  // for; people and signals are not.
  // An approval can be given only by another command, and only once this one is gone: only one
  // whose time is over is about to go on.
  bool by_timer(const RunRecord& record) const {
    const Millis kWorthStaying{record.waiting_for.starts_with("approval ") ? 0 : 60'000};
    constexpr std::size_t kLooked = 10'000;
    const auto due = store_->due_timers(clock_.now() + kWorthStaying, kLooked);
    return due && std::any_of(due->begin(), due->end(),
                              [&](const TimerRow& row) { return row.run == record.id; });
  }

  tools::ToolSettings told_tools() {
    auto settings = tool_settings(settings_);
    settings.log = [this](const ToolCall& call, const ToolLog& line) {
      logs_.tell(call.run, call.step, line);
    };
    return settings;
  }

  /// A question to an actor. Whoever asked hears something even where the actor ends first.
  class Question {
   public:
    ~Question() {
      answer(Error{Code::interrupted, "the run's actor ended before it answered",
                   "ask again, or see `skein run status ID`"});
    }
    void answer(Result<void> result) {
      if (!answered_) {
        answered_ = true;
        promise_.set_value(std::move(result));
      }
    }
    std::future<Result<void>> future() { return promise_.get_future(); }

   private:
    std::promise<Result<void>> promise_;
    bool answered_ = false;
  };

  Result<void> ask(const std::function<void(actors::Reply)>& send) {
    auto question = std::make_shared<Question>();
    auto future = question->future();
    send([question](Result<void> result) { question->answer(std::move(result)); });
    question.reset();
    return future.get();
  }

  void on_entry(const Entry& entry, const RunRecord* shown) {
    entries_.tell(entry.run, entry);
    if (shown != nullptr) {
      waiters_.changed(entry.run);
    }
  }

  Settings settings_;
  SystemClock clock_;
  ListenersByKey<RunId, const Entry&> entries_;
  Listeners<const RunId&, const std::string&, const ToolLog&> logs_;
  Waiters waiters_;
  std::unique_ptr<storage::RocksStore> store_;
  std::unique_ptr<ToolBox> tools_;
  std::unique_ptr<actors::RunHost> host_; // goes before what it is given
  std::once_flag drained_;
};

} // namespace

Result<std::unique_ptr<Node>> Node::open(Settings settings) {
  if (auto readable = check(settings); !readable) {
    return readable.error();
  }
  storage::Options options;
  options.create = settings.make;
  auto store = storage::RocksStore::open(settings.data, options);
  if (!store) {
    return store.error();
  }
  const bool recover = settings.recover;
  auto node = std::make_unique<EmbeddedNode>(std::move(settings), std::move(*store));
  if (recover) {
    if (auto resumed = node->wake_all({}); !resumed) {
      return resumed.error();
    }
  }
  return std::unique_ptr<Node>(std::move(node));
}

} // namespace skein::node
