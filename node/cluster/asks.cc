#include <spdlog/spdlog.h>

#include <utility>

#include "node/cluster/cluster.h"

// What nodes ask of each other, and are told.
namespace skein::node {
namespace {

Error nobody_leads(PartitionId partition) {
  return {Code::not_leader,
          "no node leads partition " + std::to_string(partition.get()) + " at the moment",
          "ask again after a moment: another node takes over within seconds"};
}

} // namespace

void Cluster::deliver(const RunId& run, flow::Event event, Told told) {
  const PartitionId partition = partition_of(run);
  std::optional<NodeId> leader;
  {
    const std::lock_guard lock(mutex_);
    if (acting_.test(partition.get())) {
      leader = options_.log.self;
    } else {
      leader = log_.replica(partition).leader;
      if (leader == options_.log.self ||
          (leader && !cluster::is_alive(members_, *leader, steady_.now()))) {
        leader.reset();
      }
    }
  }
  if (!leader) {
    told(nobody_leads(partition));
  } else if (*leader == options_.log.self) {
    host_->deliver(run, std::move(event), [told = std::move(told)](const Result<void>& done) {
      told(done ? Result<LogIndex>(LogIndex()) : done.error());
    });
  } else {
    pass_on(*leader, run, std::move(event), std::move(told));
  }
}

void Cluster::pass_on(NodeId to, const RunId& run, flow::Event event, Told told) {
  Message message;
  message.subject = subject_of(to, "ask");
  message.payload = encoded(schemas::Ask{run, std::move(event)});
  broker_.request(
      std::move(message), options_.ask_limit,
      [told = std::move(told)](const Result<Message>& answered) {
        const auto received =
            answered ? schemas::decode_message(answered->payload) : answered.error();
        const auto* answer = received ? std::get_if<schemas::Answer>(&received->message) : nullptr;
        if (!received) {
          told(received.error());
        } else if (answer == nullptr) {
          told(Error{Code::wire_invalid, "a node answered something else", ""});
        } else {
          told(answer->error ? Result<LogIndex>(*answer->error) : Result<LogIndex>(answer->last));
        }
      });
}

void Cluster::on_ask(Message&& message) {
  auto received = schemas::decode_message(message.payload);
  if (const auto* fetch = received ? std::get_if<schemas::Fetch>(&received->message) : nullptr) {
    if (!message.reply.empty()) {
      (void)broker_.publish({message.reply, "", {}, encoded(copies_.give(received->from, *fetch))});
    }
    return;
  }
  if (received && std::holds_alternative<schemas::HoldsAsked>(received->message)) {
    if (!message.reply.empty()) {
      (void)broker_.publish({message.reply, "", {}, encoded(log_.holds())});
    }
    return;
  }
  if (const auto* drained = received ? std::get_if<schemas::Drain>(&received->message) : nullptr) {
    spdlog::info("asked by another node to lead {}", drained->on ? "nothing" : "its share again");
    drain(drained->on);
    answer(message.reply, {}, {});
    return;
  }
  if (const auto said = received ? work_.on_message(received->from, received->message)
                                 : std::optional<schemas::NodeMessage>()) {
    if (!message.reply.empty()) {
      (void)broker_.publish({message.reply, "", {}, encoded(*said)});
    }
    return;
  }
  auto* ask = received ? std::get_if<schemas::Ask>(&received->message) : nullptr;
  if (ask == nullptr) {
    misread(message);
    answer(message.reply, {},
           received ? Error{Code::wire_invalid, "that is not a question", ""} : received.error());
    return;
  }
  const PartitionId partition = partition_of(ask->run);
  if (!leads(partition)) {
    answer(message.reply, partition, nobody_leads(partition));
    return;
  }
  host_->deliver(ask->run, std::move(ask->event),
                 [this, partition, to = std::move(message.reply)](const Result<void>& result) {
                   answer(to, partition, result);
                 });
}

void Cluster::answer(const std::string& to, PartitionId partition, const Result<void>& result) {
  if (to.empty()) {
    return;
  }
  schemas::Answer answer;
  if (result) {
    answer.last = log_.replica(partition).last;
  } else {
    answer.error = result.error();
  }
  const auto sent = broker_.publish({to, "", {}, encoded(answer)});
  if (!sent) {
    spdlog::warn("an answer to another node is lost: {}", to_string(sent.error()));
  }
}

void Cluster::ask_to_drain(NodeId node, bool on, std::function<void(Result<void>)> told) {
  if (node == options_.log.self) {
    drain(on);
    told({});
    return;
  }
  Message message;
  message.subject = subject_of(node, "ask");
  message.payload = encoded(schemas::Drain{on});
  broker_.request(std::move(message), options_.ask_limit,
                  [told = std::move(told)](const Result<Message>& answered) {
                    told(answered ? Result<void>() : answered.error());
                  });
}

void Cluster::misread(const Message& message) {
  if (misread_++ == 0) {
    spdlog::warn(
        "a message on {} is not what a node says there and is dropped; further ones are "
        "counted",
        message.subject);
  }
}

} // namespace skein::node
