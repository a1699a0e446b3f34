#include "node/api/watches.h"

#include <pthread.h>

#include <algorithm>

#include "core/value/json.h"
#include "node/api/shapes.h"

namespace skein::node {
namespace {

/// Bytes of an event around its text.
constexpr std::size_t kAround = 128;
/// An entry whose text is longer is only named; its fields are in the history.
constexpr std::size_t kLongest = 256u << 10;

Value bare_of(const Entry& entry) {
  return object({{"entry", static_cast<std::int64_t>(entry.seq.get())},
                 {"at", to_string(flow::at_of(entry.event))},
                 {"kind", flow::kind_of(entry.event)}});
}

} // namespace

struct Watches::Watch {
  RunId run;
  Stream stream;
  Seq next;          ///< of entries; 0 where only the end is waited for
  bool logs = false; ///< is told of elsewhere
  bool bare = false;
  bool stop_when_waiting = false;
  std::optional<flow::Machine> names;
  std::shared_ptr<void> listening;
  bool noted = false; ///< with the lock
};

Watches::Watches(Node& node) : node_(node), thread_([this] { run(); }) {}

Watches::~Watches() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
  for (const WatchPtr& watch : all_) {
    watch->listening.reset();
    watch->stream->on_change([] {});
    watch->stream->close();
  }
}

void Watches::entries(const RunRecord& record, Seq from, bool bare, Stream stream) {
  auto watch = std::make_shared<Watch>();
  watch->run = record.id;
  watch->stream = std::move(stream);
  watch->next = from;
  watch->bare = bare;
  if (!bare) {
    if (const auto definition = definition_of(node_.store(), record.revision)) {
      watch->names.emplace(record.id, *definition);
    }
  }
  // What a client waits for before it reads what there was until now.
  watch->stream->send({std::to_string(from.get() - 1), "open", "{}"});
  add(watch);
}

void Watches::end(const RunId& run, bool stop_when_waiting, Stream stream) {
  auto watch = std::make_shared<Watch>();
  watch->run = run;
  watch->stream = std::move(stream);
  watch->stop_when_waiting = stop_when_waiting;
  add(watch);
}

void Watches::logs(std::optional<RunId> run, Stream stream) {
  auto watch = std::make_shared<Watch>();
  watch->logs = true;
  watch->stream = std::move(stream);
  watch->listening = node_.watch_logs(
      [run, stream = watch->stream](const RunId& id, const std::string& step, const ToolLog& line) {
        if (run && *run != id) {
          return;
        }
        std::string text = to_json(object({{"run", id.get()},
                                           {"step", step},
                                           {"level", line.level},
                                           {"message", line.message},
                                           {"fields", line.fields}}));
        if (stream->room() >= text.size() + kAround) {
          stream->send({"", "log", std::move(text)});
        }
      });
  watch->stream->send({"", "open", "{}"});
  add(watch);
}

// A weak reference in both calls: the stream and the node would else keep what keeps them.
void Watches::add(const WatchPtr& watch) {
  const auto noted = [this, weak = std::weak_ptr<Watch>(watch)] {
    if (const WatchPtr there = weak.lock()) {
      note(there);
    }
  };
  if (!watch->logs) {
    watch->listening = node_.watch(watch->run, [noted](const Entry&) { noted(); });
  }
  {
    const std::lock_guard lock(mutex_);
    all_.push_back(watch);
  }
  watch->stream->on_change(noted);
  note(watch);
}

void Watches::note(const WatchPtr& watch) {
  {
    const std::lock_guard lock(mutex_);
    if (watch->noted) {
      return;
    }
    watch->noted = true;
    noted_.push_back(watch);
  }
  changed_.notify_one();
}

void Watches::run() {
  pthread_setname_np(pthread_self(), "watches");
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return !noted_.empty() || ending_; });
    if (ending_) {
      return;
    }
    const WatchPtr watch = std::move(noted_.front());
    noted_.pop_front();
    watch->noted = false;
    lock.unlock();
    const bool goes_on = serve(*watch);
    if (!goes_on) { // before the lock: who tells of entries holds a lock of its own meanwhile
      watch->listening.reset();
      watch->stream->close();
    }
    lock.lock();
    if (!goes_on) {
      std::erase(all_, watch);
    }
  }
}

bool Watches::serve(Watch& watch) {
  if (watch.stream->closed() || watch.logs) {
    return !watch.stream->closed();
  }
  return watch.next.get() > 0 ? send_entries(watch) : send_end(watch);
}

bool Watches::send_entries(Watch& watch) {
  const auto read = node_.store().read_journal(watch.run, watch.next, [&](const Entry& entry) {
    std::string text =
        to_json(watch.names && !watch.bare ? to_value(entry, *watch.names) : bare_of(entry));
    if (text.size() > kLongest) {
      text = to_json(bare_of(entry));
    }
    if (watch.stream->room() < text.size() + kAround) {
      return false; // goes on once the queue has emptied
    }
    watch.next = Seq(entry.seq.get() + 1);
    return watch.stream->send({std::to_string(entry.seq.get()), "entry", std::move(text)});
  });
  if (!read) {
    watch.stream->send({"", "failed", to_json(object({{"message", read.error().detail}}))});
  }
  return read.ok();
}

bool Watches::send_end(Watch& watch) {
  bool asked = false; // only where it would have gone on waiting
  const auto record = node_.wait(watch.run, watch.stop_when_waiting, [&] {
    asked = true;
    return true;
  });
  if (record && asked) {
    return true;
  }
  watch.stream->send(
      record ? gateway::ServerEvent{"", "settled",
                                    to_json(object({{"state", name_of(record->state)}}))}
             : gateway::ServerEvent{"", "failed",
                                    to_json(object({{"message", record.error().detail}}))});
  return false;
}

} // namespace skein::node
