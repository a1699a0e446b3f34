#include "node/remote/remote_node.h"

#include <spdlog/spdlog.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/value/json.h"
#include "gateway/target.h"
#include "node/fork.h"
#include "node/remote/link.h"
#include "node/remote/remote_store.h"
#include "node/tool_settings.h"
#include "tools/tool_box.h"

namespace skein::node {
namespace {

/// How long a node may be away, as while it starts anew, before who waits for a run gives up.
constexpr std::chrono::seconds kMayBeAway{30};
constexpr std::chrono::milliseconds kBetweenTries{200};
constexpr std::chrono::seconds kUntilOpen{10};

std::string of_run(const RunId& run, const char* what) {
  return "/v1/runs/" + gateway::percent_encoded(run.get()) + "/" + what;
}

Value place_of(const flow::Place& place) {
  std::vector<Value> numbers{static_cast<std::int64_t>(place.step)};
  for (const std::uint32_t item : place.path()) {
    numbers.emplace_back(static_cast<std::int64_t>(item));
  }
  return Value::of_list(std::move(numbers));
}

struct Verb {
  const char* name;
  Value fields;
};

/// What each event that comes from outside is called over HTTP.
struct Verbs {
  Result<Verb> operator()(const flow::PauseAsked& e) const {
    return Verb{"pause", object({{"by", e.by}, {"reason", e.reason}})};
  }
  Result<Verb> operator()(const flow::CancelAsked& e) const {
    return Verb{"cancel", object({{"by", e.by}, {"reason", e.reason}})};
  }
  Result<Verb> operator()(const flow::ResumeAsked& e) const {
    return Verb{"resume", object({{"by", e.by}})};
  }
  Result<Verb> operator()(const flow::Signalled& e) const {
    return Verb{"signal", object({{"id", e.id}, {"name", e.name}, {"payload", e.payload}})};
  }
  Result<Verb> operator()(const flow::Answered& e) const {
    return Verb{e.approved ? "approve" : "reject",
                object({{"place", place_of(e.place)}, {"by", e.by}, {"comment", e.comment}})};
  }
  Result<Verb> operator()(const flow::Settled& e) const {
    const char* how = e.how == flow::Settled::How::retry     ? "retry"
                      : e.how == flow::Settled::How::succeed ? "succeed"
                                                             : "fail";
    return Verb{
        "settle",
        object({{"place", place_of(e.place)}, {"how", how}, {"output", e.output}, {"by", e.by}})};
  }
  template <class Other>
  Result<Verb> operator()(const Other& e) const {
    return Error{Code::usage_invalid,
                 "only the node itself can record " + std::string(flow::kind_of(flow::Event(e)))};
  }
};

std::uint64_t number_of(const std::string& text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Result<RunId> id_in(const Result<Value>& run) {
  const Value* id = run ? run->find("id") : nullptr;
  return !run            ? Result<RunId>(run.error())
         : id != nullptr ? Result<RunId>(RunId(std::string(id->as_string())))
                         : Error{Code::wire_invalid, "the node did not say which run it is"};
}

/// Hears an event stream on a thread of its own, and again after each break, until it is destroyed.
class Hearing {
 public:
  using Path = std::function<std::string()>;
  using OnEvent = std::function<void(const gateway::ServerEvent&)>;

  /// Comes back once the node listens: what happens from then on is heard.
  Hearing(Link& link, Path path, OnEvent on_event)
      : link_(link), path_(std::move(path)), on_event_(std::move(on_event)) {
    thread_ = std::thread([this] { hear(); });
    std::unique_lock lock(mutex_);
    opened_.wait_for(lock, kUntilOpen, [&] { return open_; });
  }
  ~Hearing() {
    stop_ = true;
    thread_.join();
  }
  Hearing(const Hearing&) = delete;
  Hearing& operator=(const Hearing&) = delete;

 private:
  void hear() {
    while (!stop_) {
      const auto heard = link_.listen(
          {"GET", path_()}, [this](const gateway::ServerEvent& event) { take(event); },
          [this] { return !stop_.load(); });
      if (!heard) {
        link_.find_again();
      }
      if (!stop_) {
        std::this_thread::sleep_for(kBetweenTries);
      }
    }
  }

  void take(const gateway::ServerEvent& event) {
    on_event_(event);
    if (event.name == "open") {
      const std::lock_guard lock(mutex_);
      open_ = true;
      opened_.notify_all();
    }
  }

  Link& link_;
  const Path path_;
  const OnEvent on_event_;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
  std::thread thread_;
};

/// The entries of one run from now on. They are read from the store, several at once where several
/// are there; the stream only says that there are some.
class Follower {
 public:
  Follower(Link& link, const Store& store, RunId run, std::function<void(const Entry&)> tell)
      : store_(store),
        run_(std::move(run)),
        tell_(std::move(tell)),
        hearing_(
            link, [this] { return path(); },
            [this](const gateway::ServerEvent& event) { take(event); }) {}

 private:
  std::string path() const {
    return of_run(run_, "watch?bare=true") +
           (next_ > 0 ? "&from=" + std::to_string(next_) : std::string());
  }

  void take(const gateway::ServerEvent& event) {
    const std::uint64_t seq = number_of(event.id);
    if (event.name == "open") {
      next_ = next_ > 0 ? next_ : seq + 1;
    } else if (event.name == "entry" && seq >= next_) {
      const auto read = store_.read_journal(run_, Seq(next_), [this](const Entry& entry) {
        next_ = entry.seq.get() + 1;
        tell_(entry);
        return true;
      });
      if (!read) {
        spdlog::debug("run {}: {}", run_.get(), to_string(read.error()));
      }
    }
  }

  const Store& store_;
  const RunId run_;
  const std::function<void(const Entry&)> tell_;
  std::uint64_t next_ = 0; ///< of the thread that hears
  Hearing hearing_;
};

std::string text_at(const Value& fields, std::string_view name) {
  const Value* field = fields.find(name);
  return field != nullptr && field->is(Kind::string) ? std::string(field->as_string()) : "";
}

class RemoteNode : public Node {
 public:
  RemoteNode(Endpoint endpoint, Settings settings)
      : settings_(std::move(settings)), link_(std::move(endpoint)), store_(link_) {}

  Result<void> greet() {
    const auto about = link_.ask({"GET", "/v1/node"});
    if (!about) {
      return about.error();
    }
    const Value* id = about->find("id");
    const std::string said =
        id != nullptr && id->is(Kind::string) ? std::string(id->as_string()) : "";
    const Endpoint endpoint = link_.endpoint();
    if (said.empty() || (!endpoint.id.empty() && endpoint.id != said)) {
      return Error{Code::node_unreachable,
                   "what answers at " + endpoint.url + " is not node " + endpoint.id,
                   "see `skein node status`"};
    }
    id_ = NodeId(std::strtoull(said.c_str(), nullptr, 16));
    return {};
  }

  Result<RunId> start(const StartRequest& request) override {
    std::vector<MapEntry> fields{{"revision", to_string(request.definition->revision)},
                                 {"input", request.input},
                                 {"labels", request.labels}};
    if (request.id) {
      fields.emplace_back("id", request.id->get());
    }
    if (request.seed) {
      fields.emplace_back("seed", Value::of_uint(*request.seed));
    }
    return id_in(link_.ask({"POST", "/v1/runs", to_json(Value::of_map(std::move(fields)))}));
  }

  Result<RunId> fork(const ForkRequest& request) override {
    std::vector<MapEntry> fields{{"at", Value::of_uint(request.at.get())},
                                 {"vars", request.vars},
                                 {"input", request.input},
                                 {"hold", true}};
    if (request.id) {
      fields.emplace_back("id", request.id->get());
    }
    return id_in(link_.ask(
        {"POST", of_run(request.from, "fork"), to_json(Value::of_map(std::move(fields)))}));
  }

  Result<void> tell(const RunId& run, flow::Event event) override {
    const auto verb = std::visit(Verbs{}, event);
    return verb ? post(of_run(run, verb->name), to_json(verb->fields)) : verb.error();
  }

  Result<void> resume(const RunId& run) override { return post(of_run(run, "wake"), "{}"); }

  Result<std::size_t> resume_all() override {
    const auto answer = link_.ask({"POST", "/v1/node/resume", "{}"});
    const Value* runs = answer ? answer->find("runs") : nullptr;
    return answer ? Result<std::size_t>(static_cast<std::size_t>(runs ? runs->as_int() : 0))
                  : answer.error();
  }

  Result<RunRecord> wait(const RunId& run, bool stop_when_waiting,
                         const std::function<bool()>& give_up) override {
    bool done = false;
    auto heard_last = std::chrono::steady_clock::now();
    const auto goes_on = [&] {
      done = done || (give_up && give_up());
      return !done;
    };
    while (!done) {
      const auto heard = link_.listen(
          {"GET", of_run(run, stop_when_waiting ? "wait?stop_when_waiting=true" : "wait")},
          [&](const gateway::ServerEvent& event) { done = done || event.name == "settled"; },
          goes_on);
      if (heard || heard.error().code != Code::node_unreachable) {
        heard_last = std::chrono::steady_clock::now();
      }
      if (!heard && heard.error().code != Code::node_unreachable &&
          heard.error().code != Code::interrupted) {
        return heard.error();
      }
      if (!done && !comes_back(run, heard_last, goes_on)) {
        return gone(run);
      }
    }
    auto record = store_.find_run(run);
    if (!record || !*record) {
      return record ? Error{Code::run_unknown, "there is no run " + run.get()} : record.error();
    }
    return std::move(**record);
  }

  std::shared_ptr<void> watch(const RunId& run, std::function<void(const Entry&)> watch) override {
    return std::make_shared<Follower>(link_, store_, run, std::move(watch));
  }

  std::shared_ptr<void> watch_logs(
      std::function<void(const RunId&, const std::string&, const ToolLog&)> watch) override {
    return std::make_shared<Hearing>(
        link_, [] { return std::string("/v1/logs"); },
        [watch = std::move(watch)](const gateway::ServerEvent& event) {
          const auto line = event.name == "log" ? parse_json(event.text) : Result<Value>(Value());
          if (line && line->is(Kind::map)) {
            const Value* fields = line->find("fields");
            watch(RunId(text_at(*line, "run")), text_at(*line, "step"),
                  ToolLog{text_at(*line, "level"), text_at(*line, "message"),
                          fields != nullptr ? *fields : Value()});
          }
        });
  }

  void drain(Millis) override {}

  Store& store() override { return store_; }
  ToolBox& tools() override {
    std::call_once(made_tools_, [&] { tools_ = tools::make_tool_box(tool_settings(settings_)); });
    return *tools_;
  }
  NodeId id() const override { return id_; }
  bool remote() const override { return true; }

 private:
  Result<void> post(const std::string& path, std::string body) {
    const auto answer = link_.send({"POST", path, std::move(body)});
    return answer ? Result<void>() : answer.error();
  }

  /// Looks for the node again, a little later; false once it has been away for too long.
  bool comes_back(const RunId& run, std::chrono::steady_clock::time_point heard_last,
                  const std::function<bool()>& goes_on) {
    const auto away = std::chrono::steady_clock::now() - heard_last;
    if (away > kMayBeAway) {
      return false;
    }
    if (away > std::chrono::seconds(1) && !told_away_.exchange(true)) {
      spdlog::warn("the node does not answer; run {} goes on once it is back", run.get());
    }
    if (goes_on()) {
      std::this_thread::sleep_for(kBetweenTries);
    }
    link_.find_again();
    return true;
  }

  Error gone(const RunId& run) const {
    return Error{Code::node_unreachable,
                 "the node at " + link_.endpoint().url + " has not answered for " +
                     std::to_string(kMayBeAway.count()) + " seconds",
                 "start it with `skein serve`: run " + run.get() + " goes on then"};
  }

  const Settings settings_;
  Link link_;
  RemoteStore store_;
  NodeId id_;
  std::once_flag made_tools_;
  std::unique_ptr<ToolBox> tools_;
  std::atomic<bool> told_away_ = false;
};

} // namespace

Result<Value> about(const Endpoint& endpoint) {
  Link link(endpoint);
  return link.ask({"GET", "/v1/node"});
}

Result<Value> nodes(const Endpoint& endpoint) {
  Link link(endpoint);
  return link.ask({"GET", "/v1/nodes"});
}

Result<Value> cluster(const Endpoint& endpoint) {
  Link link(endpoint);
  return link.ask({"GET", "/v1/cluster"});
}

Result<Value> drain_node(const Endpoint& endpoint, const std::string& name, bool on) {
  Link link(endpoint);
  return link.ask(
      {"POST", "/v1/nodes/" + gateway::percent_encoded(name) + (on ? "/drain" : "/resume"), "{}"});
}

Result<Value> forget_node(const Endpoint& endpoint, const std::string& name) {
  Link link(endpoint);
  return link.ask({"DELETE", "/v1/nodes/" + gateway::percent_encoded(name)});
}

Result<std::unique_ptr<Node>> connect(Endpoint endpoint, Settings settings) {
  auto node = std::make_unique<RemoteNode>(std::move(endpoint), std::move(settings));
  auto greeted = node->greet();
  return greeted ? Result<std::unique_ptr<Node>>(std::move(node)) : greeted.error();
}

} // namespace skein::node
