#include "node/cluster/charter.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "core/base/subject.h"

namespace skein::node {
namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr std::string_view kKept = "charter";
constexpr std::string_view kNodes = "node/"; ///< a row for each, under its name

Error slow_broker() {
  return {Code::broker_timeout, "the broker has not given back what was written to the charter",
          "see whether nats-server runs and has room"};
}

} // namespace

Charter::Charter(Broker& broker, storage::RocksStore& store, std::string cluster, std::string name,
                 OnNodes on_nodes)
    : broker_(broker),
      store_(store),
      cluster_(std::move(cluster)),
      name_(std::move(name)),
      on_nodes_(std::move(on_nodes)),
      stream_("SKEIN_CHARTER_" + to_token(cluster_)),
      subject_(Subject("skein").add(cluster_).add("charter").text()) {}

Charter::~Charter() {
  store_.order_resources({});
  tail_.reset();
}

Result<void> Charter::open(std::uint32_t replicas) {
  replicas_ = replicas;
  auto known = store_.kept_under(kNodes);
  if (!known) {
    return known.error();
  }
  for (const auto& [row, number] : *known) {
    nodes_[NodeId(number)] = row;
  }
  if (auto there = read_from_the_start(false); !there) {
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

// A charter that ends before what was read of it was lost, wholly or in part: what is there now is
// read again, and what this node knows besides is written to it.
Result<void> Charter::read_from_the_start(bool lost) {
  StreamSpec spec;
  spec.name = stream_;
  spec.subjects = {subject_};
  spec.replicas = replicas_;
  auto stream = broker_.make_stream(spec);
  auto position = store_.kept(kKept);
  if (!stream || !position) {
    return stream ? position.error() : stream.error();
  }
  lost = lost || position->value_or(0) > stream->last;
  if (lost) {
    spdlog::warn("the broker has lost the charter of cluster {}; it is written again", cluster_);
    if (auto kept = store_.keep(kKept, 0); !kept) {
      return kept;
    }
  }
  std::uint64_t last = stream->last;
  {
    const std::lock_guard lock(mutex_);
    own_ = lost ? 0 : position->value_or(0); // read again only for what the cluster is
    again_ = lost ? last : 0;
    read_ = 0;
  }
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
  return lost && again_ > 0 ? catch_up_others() : Result<void>();
}

/// Whoever formed the cluster anew may have known less.
Result<void> Charter::catch_up_others() {
  std::uint64_t sequence = 0;
  const auto nodes = [&] {
    const std::lock_guard lock(mutex_);
    return nodes_;
  }();
  for (const auto& [node, name] : nodes) {
    if (auto said = publish(schemas::NodeJoined{node, name}, sequence); !said) {
      return said;
    }
  }
  return publish_resources(sequence);
}

Result<void> Charter::join() {
  std::optional<NodeId> before;
  {
    const std::lock_guard lock(mutex_);
    const auto own = nodes_.find(store_.node());
    if (own != nodes_.end() && own->second == name_) {
      return {};
    }
    for (const auto& [node, name] : nodes_) {
      before = name == name_ && node != store_.node() ? std::optional(node) : before;
    }
  }
  std::uint64_t sequence = 0;
  if (before) {
    if (auto said = publish(schemas::NodeForgotten{*before}, sequence); !said) {
      return said;
    }
  }
  auto said = publish(schemas::NodeJoined{store_.node(), name_}, sequence);
  return said ? wait_for(sequence) : said;
}

Result<void> Charter::forget(std::string_view name) {
  std::optional<NodeId> found;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [node, called] : nodes_) {
      found = called == name ? std::optional(node) : found;
    }
  }
  if (!found) {
    return Error{Code::resource_unknown,
                 "there is no node " + std::string(name) + " in the cluster",
                 "list them: skein node list"};
  }
  std::uint64_t sequence = 0;
  auto said = publish(schemas::NodeForgotten{*found}, sequence);
  return said ? wait_for(sequence) : said;
}

Result<void> Charter::begin(std::uint64_t generation) {
  const auto stream = broker_.stream(stream_);
  if (!stream && stream.error().code != Code::stream_unknown) {
    return stream.error();
  }
  const bool lost = [&] {
    const std::lock_guard lock(mutex_);
    generation_ = std::max(generation_, generation);
    return !stream || stream->last < read_;
  }();
  if (lost) {
    tail_.reset();
    if (auto there = read_from_the_start(true); !there) {
      return there;
    }
  }
  std::uint64_t sequence = 0;
  return publish(schemas::LogBegun{generation}, sequence);
}

std::uint64_t Charter::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

std::map<NodeId, std::string> Charter::nodes() const {
  const std::lock_guard lock(mutex_);
  return nodes_;
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
  std::map<NodeId, std::string> nodes;
  std::uint64_t generation = 0;
  {
    const std::lock_guard lock(mutex_);
    nodes = nodes_;
    generation = generation_;
  }
  for (const auto& [node, name] : nodes) {
    if (auto said = publish(schemas::NodeJoined{node, name}, sequence); !said) {
      return said;
    }
  }
  if (generation > 0) {
    if (auto said = publish(schemas::LogBegun{generation}, sequence); !said) {
      return said;
    }
  }
  if (auto said = publish_resources(sequence); !said) {
    return said;
  }
  const std::lock_guard lock(mutex_);
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

// Other nodes write it again too, each from what it knows: a revision that was there before is not
// applied anew.
bool Charter::is_old(const schemas::ResourceSet& set) const {
  {
    const std::lock_guard lock(mutex_);
    if (again_ == 0) {
      return false;
    }
  }
  const auto history = store_.resource_history(set.kind, set.name);
  return history && std::any_of(history->begin(), history->end(), [&](const ResourceRow& row) {
           return row.applied_at == set.at && row.deleted == !set.content &&
                  (row.deleted || row.content == *set.content);
         });
}

void Charter::read(const schemas::NodeJoined& joined) {
  std::map<NodeId, std::string> nodes;
  {
    const std::lock_guard lock(mutex_);
    nodes_[joined.node] = joined.name;
    nodes = nodes_;
  }
  if (auto kept = store_.keep(std::string(kNodes) + joined.name, joined.node.get()); !kept) {
    spdlog::error("charter: {}", to_string(kept.error()));
  }
  on_nodes_(nodes);
}

void Charter::read(const schemas::NodeForgotten& forgotten) {
  std::map<NodeId, std::string> nodes;
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = nodes_.find(forgotten.node); found != nodes_.end()) {
      name = found->second;
      nodes_.erase(found);
    }
    nodes = nodes_;
  }
  if (auto dropped = store_.drop(std::string(kNodes) + name); !dropped) {
    spdlog::error("charter: {}", to_string(dropped.error()));
  }
  on_nodes_(nodes);
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
  if (const auto* joined = std::get_if<schemas::NodeJoined>(&message)) {
    read(*joined);
    return;
  }
  if (const auto* forgotten = std::get_if<schemas::NodeForgotten>(&message)) {
    read(*forgotten);
    return;
  }
  if (const auto* begun = std::get_if<schemas::LogBegun>(&message)) {
    const std::lock_guard lock(mutex_);
    generation_ = std::max(generation_, begun->generation);
    return;
  }
  const auto* set = std::get_if<schemas::ResourceSet>(&message);
  if (set == nullptr || sequence <= own_ || is_old(*set)) {
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
