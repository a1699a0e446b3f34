#include "node/cluster/charter.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <future>
#include <utility>

#include "core/base/subject.h"

namespace skein::node {
namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr std::string_view kKept = "charter";

Error slow_broker() {
  return {Code::broker_timeout, "the broker has not given back what was written to the charter",
          "see whether nats-server runs and has room"};
}

} // namespace

Charter::Charter(Broker& broker, storage::RocksStore& store, std::string cluster)
    : broker_(broker),
      store_(store),
      cluster_(std::move(cluster)),
      stream_("SKEIN_CHARTER_" + to_token(cluster_)),
      subject_(Subject("skein").add(cluster_).add("charter").text()) {}

Charter::~Charter() {
  store_.order_resources({});
  tail_.reset();
}

Result<void> Charter::open(std::uint32_t replicas) {
  StreamSpec spec;
  spec.name = stream_;
  spec.subjects = {subject_};
  spec.replicas = replicas;
  auto stream = broker_.make_stream(spec);
  auto position = store_.kept(kKept);
  if (!stream || !position) {
    return stream ? position.error() : stream.error();
  }
  if (position->value_or(0) > stream->last) {
    return Error{Code::log_diverged,
                 "the charter of cluster " + cluster_ + " ends at " + std::to_string(stream->last) +
                     ", this node has read it up to " + std::to_string(**position),
                 "the broker has lost messages, or it is another broker"};
  }
  own_ = position->value_or(0); // read again only for what the cluster is
  std::uint64_t last = stream->last;
  if (last == 0) {
    if (auto formed = form(); !formed) {
      return formed;
    }
    last = 1;
  }
  auto tail =
      broker_.tail({stream_, "", 1}, [this](Stored&& stored) { on_stored(std::move(stored)); });
  if (!tail) {
    return tail.error();
  }
  tail_ = std::move(*tail);
  if (auto there = wait_for(last); !there) {
    return there;
  }
  const auto incarnation = [&] {
    const std::lock_guard lock(mutex_);
    return incarnation_;
  }();
  if (!incarnation) {
    return Error{Code::wire_invalid, "the charter of cluster " + cluster_ + " forms no cluster",
                 "choose another --cluster"};
  }
  if (auto adopted = store_.adopt(*incarnation); !adopted) {
    return adopted;
  }
  store_.order_resources([this](std::string_view kind, std::string_view name,
                                std::optional<std::string_view> content,
                                Instant at) { return set(kind, name, content, at); });
  return {};
}

// Two nodes may do this at once: the first in the stream is the one that counts, and the resources
// of the other, if it has any, come after.
Result<void> Charter::form() {
  std::uint64_t sequence = 0;
  if (auto said = publish(schemas::ClusterFormed{store_.incarnation(), kPartitions}, sequence);
      !said) {
    return said;
  }
  if (sequence != 1) {
    return {};
  }
  if (auto said = publish_resources(sequence); !said) {
    return said;
  }
  own_ = sequence;
  return store_.keep(kKept, sequence);
}

Result<void> Charter::publish_resources(std::uint64_t& sequence) {
  for (const std::string_view kind : {"Flow", "Trigger"}) {
    auto newest = store_.list_resources(kind);
    if (!newest) {
      return newest.error();
    }
    for (const ResourceRow& row : *newest) {
      auto history = store_.resource_history(kind, row.name);
      if (!history) {
        return history.error();
      }
      for (const ResourceRow& revision : *history) {
        schemas::ResourceSet set{revision.kind, revision.name, {}, revision.applied_at};
        if (!revision.deleted) {
          set.content = revision.content;
        }
        if (auto said = publish(set, sequence); !said) {
          return said;
        }
      }
    }
  }
  return {};
}

Result<void> Charter::publish(const schemas::NodeMessage& message, std::uint64_t& sequence) {
  std::promise<Result<Appended>> answered;
  auto answer = answered.get_future();
  broker_.append(
      {subject_, "", {}, schemas::encode_message(store_.node(), message)}, "",
      [&answered](Result<Appended> appended) { answered.set_value(std::move(appended)); });
  const auto appended = answer.get();
  if (!appended) {
    return appended.error();
  }
  sequence = appended->sequence;
  return {};
}

Result<void> Charter::wait_for(std::uint64_t sequence) {
  std::unique_lock lock(mutex_);
  return read_on_.wait_for(lock, kPatience, [&] { return read_ >= sequence; }) ? Result<void>()
                                                                               : slow_broker();
}

// What is there already needs no word to the others.
Result<ResourceRow> Charter::set(std::string_view kind, std::string_view name,
                                 std::optional<std::string_view> content, Instant at) {
  const auto newest = store_.resource(kind, name);
  if (content && newest && newest->content == *content) {
    return *newest;
  }
  if (!content && !newest) {
    return newest.error();
  }
  schemas::ResourceSet message{std::string(kind), std::string(name), {}, at};
  if (content) {
    message.content = *content;
  }
  std::uint64_t sequence = 0;
  if (auto said = publish(message, sequence); !said) {
    return said.error();
  }
  if (auto there = wait_for(sequence); !there) {
    return there.error();
  }
  const std::lock_guard lock(mutex_);
  const auto result = results_.find(sequence);
  return result != results_.end() ? result->second : Result<ResourceRow>(slow_broker());
}

void Charter::on_stored(Stored&& stored) {
  const auto received = schemas::decode_message(stored.message.payload);
  if (received) {
    read(received->message, stored.sequence);
  } else {
    spdlog::error("message {} of the charter is not read: {}", stored.sequence,
                  to_string(received.error()));
  }
  if (stored.sequence > own_) {
    if (auto kept = store_.keep(kKept, stored.sequence); !kept) {
      spdlog::error("charter: {}", to_string(kept.error()));
    }
  }
  {
    const std::lock_guard lock(mutex_);
    read_ = stored.sequence;
  }
  read_on_.notify_all();
}

void Charter::read(const schemas::NodeMessage& message, std::uint64_t sequence) {
  constexpr std::size_t kResults = 1'024;
  if (const auto* formed = std::get_if<schemas::ClusterFormed>(&message)) {
    const std::lock_guard lock(mutex_);
    if (!incarnation_) {
      incarnation_ = formed->incarnation;
    }
    return;
  }
  const auto* set = std::get_if<schemas::ResourceSet>(&message);
  if (set == nullptr || sequence <= own_) {
    return;
  }
  auto written = store_.write_resource(set->kind, set->name, set->content, set->at);
  if (!written && written.error().code != Code::resource_unknown) {
    spdlog::error("charter: {}", to_string(written.error()));
  }
  const std::lock_guard lock(mutex_);
  results_.insert_or_assign(sequence, std::move(written));
  while (results_.size() > kResults) {
    results_.erase(results_.begin());
  }
}

} // namespace skein::node
