#include "node/node.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>
#include <mutex>
#include <thread>
#include <tuple>

#include "actors/committer.h"
#include "actors/run_host.h"
#include "node/children/children.h"
#include "node/cluster/membership.h"
#include "node/fork.h"
#include "node/listeners.h"
#include "node/new_run.h"
#include "node/replay.h"
#include "node/system_clock.h"
#include "node/tool_settings.h"
#include "node/waiters.h"
#include "storage/rocks_store.h"
#include "tools/tool_box.h"

namespace skein::node {
namespace {

constexpr std::chrono::milliseconds kAskAgain{100};
constexpr Millis kCatchUp{2'000};

/// Whether it may be asked for again by who does not know what became of the first time.
bool happens_once(const flow::Event& event) {
  return std::holds_alternative<flow::Created>(event) || !flow::sender_id(event).empty();
}

/// The thread that commits is busy whenever many runs are; with its processor the actors only make
/// it wait.
std::size_t threads_of_machine() { return std::max(2u, std::thread::hardware_concurrency()) - 1; }

class EmbeddedNode : public Node {
 public:
  EmbeddedNode(Settings settings, std::unique_ptr<storage::RocksStore> store)
      : settings_(std::move(settings)),
        store_(std::move(store)),
        tools_(tools::make_tool_box(told_tools())),
        committer_(std::make_unique<actors::Committer>(*store_, clock_)) {}

  ~EmbeddedNode() override { drain(Millis{2'000}); }

  Result<void> begin() {
    if (settings_.cluster) {
      auto broker = settings_.cluster->connect();
      if (!broker) {
        return broker.error();
      }
      broker_ = std::move(*broker);
      auto joined = Membership::join(
          *settings_.cluster, *broker_, *store_, *committer_, clock_,
          {[this](const std::vector<PartitionId>& partitions) { recover(partitions); },
           [this](const Batch& batch) {
             for (const Append& append : batch.appends) {
               on_entry(append.entry, append.record ? &*append.record : nullptr);
             }
           },
           [this](const Error& error) { broke(error); }});
      if (!joined) {
        return joined.error();
      }
      membership_ = std::move(*joined);
    }
    make_host();
    if (membership_) {
      return membership_->open(*host_, *tools_);
    }
    if (settings_.recover) {
      const auto resumed = wake_all({}, kEveryPartition);
      return resumed ? Result<void>() : resumed.error();
    }
    return {};
  }

  void make_host() {
    actors::Surroundings around{
        *store_,
        *tools_,
        clock_,
        [this](const ContentHash& revision) { return definition_of(*store_, revision); },
        [this](const Entry& entry, const RunRecord* shown) { on_entry(entry, shown); },
        [this](const OutboxItem& item, const actors::Reply& taken) {
          if (item.row.what != OutboxRow::What::event) {
            children_.deliver(item.row, taken);
          } else if (settings_.outlet) {
            settings_.outlet->deliver(item, taken);
          } else {
            taken({}); // nobody listens
          }
        },
        [this](const Error& error) { broke(error); },
        [this](const actors::ChildWanted& wanted) { return children_.child_of(wanted); },
        settings_.outlet != nullptr,
        [this](const ToolCall& call) {
          return membership_ ? membership_->cluster().work().running(call) : nullptr;
        }};
    actors::Limits limits;
    limits.threads = settings_.threads > 0 ? settings_.threads : threads_of_machine();
    limits.effects_in_flight = settings_.effects_in_flight;
    limits.live_runs = settings_.live_runs;
    limits.starts_effects = settings_.starts_effects;
    limits.leads = !membership_;
    host_ = actors::RunHost::make(std::move(around), limits,
                                  membership_ ? membership_->cluster().commits() : *committer_);
  }

  Result<RunId> start(const StartRequest& request) override {
    const auto wanted = new_run(request, clock_.now());
    if (!wanted) {
      return wanted.error();
    }
    if (auto room = store_->admits(); !room) {
      return room.error();
    }
    auto begun = tell(wanted->id, wanted->created);
    if (!begun && begun.error().code == Code::run_exists) { // also where an answer was lost
      begun = check_same_start(*store_, *wanted);
      if (begun && is_here(wanted->id)) {
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
    if (!membership_) {
      return ask(
          [&](actors::Reply reply) { host_->deliver(run, std::move(event), std::move(reply)); });
    }
    return tell_leader(run, event);
  }

  Result<RunId> fork(const ForkRequest& request) override {
    return node::fork(*store_, request, clock_.now(), [&](std::vector<Append> appends) {
      return ask([&](actors::Reply reply) { host_->write(std::move(appends), std::move(reply)); });
    });
  }

  std::vector<MemberStatus> members() const override {
    return membership_ ? membership_->cluster().members() : std::vector<MemberStatus>();
  }

  std::optional<Error> trouble() const override {
    const std::lock_guard lock(trouble_mutex_);
    return trouble_;
  }

  Membership* membership() override { return membership_.get(); }
  bool is_settled() const override { return !membership_ || membership_->cluster().is_settled(); }

  Result<void> resume(const RunId& run) override {
    if (!is_here(run)) {
      return Result<void>(); // who leads it goes on with it, or does already
    }
    return ask([&](actors::Reply reply) { host_->wake(run, std::move(reply)); });
  }

  Result<std::size_t> resume_all() override {
    std::promise<void> all;
    auto in_memory = all.get_future();
    auto count = wake_all({nullptr, [all = std::make_shared<std::promise<void>>(std::move(all))](
                                        void*) { all->set_value(); }},
                          membership_ ? led() : kEveryPartition);
    if (count) {
      in_memory.wait();
    }
    return count;
  }

  /// Goes on with every live run of these partitions; the last copy of `last` goes once all of them
  /// are in memory.
  Result<std::size_t> wake_all(std::shared_ptr<void> last, const PartitionSet& of) {
    std::vector<RunId> runs;
    for (std::uint16_t p = 0; p < kPartitions; ++p) {
      if (!of.test(p)) {
        continue;
      }
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
      if (!host_) {
        return;
      }
      if (membership_) {
        membership_->drain(limit);
      }
      if (!host_->drain(limit)) {
        spdlog::info("attempts still run after {}: a later start settles them", to_string(limit));
      }
      if (membership_) {
        membership_->cluster().work().let_go();
      }
      host_->stop();
      if (membership_) {
        membership_->leave();
      }
      committer_.reset(); // writes what it was given
      waiters_.broke(
          Error{Code::interrupted, "the node is stopping", "ask again once it has started anew"});
    });
  }

  Store& store() override { return *store_; }
  std::uint64_t resource_writes() const override { return store_->resource_writes(); }
  bool leads(PartitionId partition) const override {
    return !membership_ || membership_->cluster().leads(partition);
  }
  ToolBox& tools() override { return *tools_; }
  NodeId id() const override { return store_->node(); }

 private:
  /// Whether a waiting run waits for no timer that fires soon. Its record, its timers and `last`,
  /// read before both, are of one moment only while nothing is appended.
  bool waits_for_others(const RunRecord& record, Seq last) const {
    const bool others = !by_timer(record) && !by_child(record);
    const auto now = store_->last_seq(record.id);
    return others && now && *now == last;
  }

  // A child that goes on by itself, or whose beginning or end is on its way.
  bool by_child(const RunRecord& record) const {
    const auto definition = definition_of(*store_, record.revision);
    const auto starts_runs = [](const flow::Step& step) {
      return std::holds_alternative<flow::FlowStep>(step.kind);
    };
    if (!definition || std::ranges::none_of((*definition)->steps, starts_runs)) {
      return false;
    }
    const auto machine = machine_at(*store_, record.id);
    const auto waits = machine ? machine->waits() : std::vector<flow::Machine::Wait>();
    return std::ranges::any_of(waits, [&](const flow::Machine::Wait& wait) {
      if (!wait.what.starts_with("child ")) {
        return false;
      }
      const auto child = store_->find_run(RunId(wait.what.substr(6)));
      const RunState state = child && *child ? (*child)->state : RunState::pending;
      return state == RunState::waiting ? by_timer(**child) || by_child(**child)
                                        : state != RunState::paused;
    });
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

  Children::Ways ways() {
    return {[this](const RunId& run, flow::Event event, const actors::Reply& reply) {
              if (!membership_) {
                host_->deliver(run, std::move(event), reply);
                return;
              }
              membership_->cluster().deliver(
                  run, std::move(event), [reply](const Result<LogIndex>& done) {
                    reply(done ? Result<void>() : Result<void>(done.error()));
                  });
            },
            [this](const flow::Placement& placement) {
              return membership_ ? placed(placement, membership_->cluster().members())
                     : placement.how == flow::Placement::How::labels ? PartitionSet()
                                                                     : kEveryPartition;
            }};
  }

  bool is_here(const RunId& run) const {
    return !membership_ || membership_->cluster().leads(partition_of(run));
  }

  PartitionSet led() const {
    PartitionSet led;
    for (std::uint16_t p = 0; p < kPartitions; ++p) {
      led.set(p, membership_->cluster().leads(PartitionId(p)));
    }
    return led;
  }

  void recover(const std::vector<PartitionId>& partitions) {
    PartitionSet of;
    for (const PartitionId partition : partitions) {
      of.set(partition.get());
    }
    if (const auto resumed = wake_all({}, of); !resumed) {
      spdlog::error("runs of partitions that this node leads now: {}", to_string(resumed.error()));
    }
  }

  // Who leads may just have changed: what was refused for that was not done, and is asked again.
  Result<void> tell_leader(const RunId& run, const flow::Event& event) {
    const auto end = std::chrono::steady_clock::now() +
                     std::chrono::milliseconds(settings_.cluster->patience.count);
    for (;;) {
      const auto told = ask_leader(run, event);
      if (told) { // what was asked for can be read here when this returns
        membership_->cluster().log().wait_until_written(partition_of(run), *told, kCatchUp);
        return {};
      }
      const Code why = told.error().code;
      const bool elsewhere = why == Code::not_leader || why == Code::no_responder ||
                             (why == Code::broker_timeout && happens_once(event));
      if (!elsewhere || std::chrono::steady_clock::now() >= end) {
        return told.error();
      }
      std::this_thread::sleep_for(kAskAgain);
    }
  }

  Result<LogIndex> ask_leader(const RunId& run, const flow::Event& event) {
    LogIndex last;
    const auto told = ask([&](const actors::Reply& reply) {
      membership_->cluster().deliver(run, event, [&last, reply](const Result<LogIndex>& done) {
        last = done ? *done : LogIndex();
        reply(done ? Result<void>() : done.error());
      });
    });
    return told ? Result<LogIndex>(last) : told.error();
  }

  void broke(const Error& error) {
    {
      const std::lock_guard lock(trouble_mutex_);
      if (trouble_) {
        return;
      }
      trouble_ = error;
    }
    spdlog::critical("this node stops: {}", to_string(error));
    waiters_.broke(error);
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
  mutable std::mutex trouble_mutex_;
  std::optional<Error> trouble_;
  std::unique_ptr<storage::RocksStore> store_;
  std::unique_ptr<ToolBox> tools_;
  std::shared_ptr<Broker> broker_;
  std::unique_ptr<actors::Committer> committer_;
  Children children_{*store_, clock_, ways()};
  std::unique_ptr<Membership> membership_; // answers what the host's actors proposed
  std::unique_ptr<actors::RunHost> host_;  // goes before what it is given
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
  if (const auto shared = (*store)->kept(kShared);
      !shared || (shared->value_or(0) > 0 && (!settings.cluster || settings.cluster->alone))) {
    return shared ? Error{Code::cluster_data,
                          "data directory " + settings.data.string() +
                              " belongs to a cluster of nodes",
                          "start its node: skein serve --nats URL"}
                  : shared.error();
  }
  auto node = std::make_unique<EmbeddedNode>(std::move(settings), std::move(*store));
  auto begun = node->begin();
  return begun ? Result<std::unique_ptr<Node>>(std::move(node))
               : Result<std::unique_ptr<Node>>(begun.error());
}

} // namespace skein::node
