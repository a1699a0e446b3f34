#include "broker/nats_broker.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "broker/jetstream/api.h"
#include "broker/jetstream/pull.h"
#include "broker/jetstream/tail.h"
#include "broker/link/keeper.h"
#include "broker/link/link.h"
#include "broker/link/replies.h"
#include "broker/link/watchers.h"
#include "broker/rules.h"
#include "core/base/subject.h"

namespace skein::broker {
namespace {

class Nats : public NatsBroker {
 public:
  explicit Nats(const NatsOptions& options)
      : options_(options),
        link_(
            options, counts_, keeper_, [this](bool up) { on_change(up); },
            [this](const std::string& subject, const std::string& text) {
              replies_.refused(subject, text);
            }),
        replies_(link_, keeper_, counts_, options.inbox_prefix) {
    link_.start();
  }
  ~Nats() override {
    link_.stop();
    keeper_.stop();
  }
  Nats(const Nats&) = delete;
  Nats& operator=(const Nats&) = delete;

  Result<void> wait_first() { return link_.wait_first(options_.first_connection); }

  Result<void> publish(const Message& message) override {
    return link_.send(message, message.reply, "");
  }

  Result<Subscription> subscribe(const std::string& filter, const std::string& queue,
                                 OnMessage on_message) override {
    if (auto good = check_filter(filter); !good) {
      return good.error();
    }
    if (!queue.empty()) {
      if (auto good = check_name(queue); !good) {
        return good.error();
      }
    }
    auto listener = link_.listen(
        filter, queue,
        [call = std::move(on_message)](natsMsg* message) { call(to_message(message)); }, false);
    auto* const raw = listener.get();
    return Subscription(raw, [held = std::move(listener)](void*) { held->end(); });
  }

  void request(Message message, Millis limit,
               std::function<void(Result<Message>)> answer) override {
    replies_.ask(message, "", limit,
                 [subject = message.subject, answer = std::move(answer)](Result<Message> replied) {
                   if (!replied && replied.error().code == Code::no_responder) {
                     return answer(Error{Code::no_responder, "nobody answers on '" + subject + "'",
                                         "start what answers there"});
                   }
                   answer(std::move(replied));
                 });
  }

  Result<StreamState> make_stream(const StreamSpec& spec) override;
  Result<StreamState> stream(const std::string& name) override;
  void append(Message message, const std::string& id,
              std::function<void(Result<Appended>)> answer) override;
  Result<Subscription> tail(const TailSpec& spec, OnStored on_message) override;
  Result<Subscription> pull(const PullSpec& spec, OnDelivery on_delivery) override;

  Subscription watch_connection(std::function<void(bool up)> on_change) override {
    return watchers_.add([this] { return link_.up(); }, std::move(on_change));
  }
  std::size_t max_payload() const override { return link_.max_payload(); }
  const NatsCounts& counts() override {
    link_.count_dropped();
    return counts_;
  }
  Greeting server() const override { return link_.greeting(); }

 private:
  void on_change(bool up) {
    if (up) {
      spdlog::info("broker: connected to nats-server {} {}", link_.greeting().name,
                   link_.greeting().version);
      tails_.reconnected();
      pulls_.reconnected();
    } else {
      spdlog::warn("broker: the connection to the nats-server ended; dialling");
      replies_.lost();
    }
    watchers_.tell_all(up);
  }

  Streams parts() { return {link_, replies_, keeper_, counts_, options_.answer_limit}; }

  const NatsOptions options_;
  NatsCounts counts_;
  std::atomic<std::size_t> appends_{0};
  Watchers watchers_;
  Readers<Tail> tails_;
  Readers<Pull> pulls_;
  Keeper keeper_;
  Link link_;
  Replies replies_;
};

Result<StreamState> Nats::make_stream(const StreamSpec& spec) {
  if (auto good = check_name(spec.name); !good) {
    return good.error();
  }
  for (const std::string& subject : spec.subjects) {
    if (auto good = check_filter(subject); !good) {
      return good.error();
    }
  }
  const Waited made = ask_and_wait(replies_, "STREAM.CREATE." + spec.name, spec.name,
                                   stream_request(spec), options_.answer_limit);
  if (made.refusal.code == kStreamNameInUse || made.refusal.code == kSubjectsOverlap) {
    if (auto there = stream(spec.name); there || made.refusal.code == kStreamNameInUse) {
      return there;
    }
  }
  if (!made.answer) {
    return made.answer.error();
  }
  return state_of(*made.answer);
}

Result<StreamState> Nats::stream(const std::string& name) {
  if (auto good = check_name(name); !good) {
    return good.error();
  }
  const Waited there =
      ask_and_wait(replies_, "STREAM.INFO." + name, name, Value(), options_.answer_limit);
  if (!there.answer) {
    return there.answer.error();
  }
  return state_of(*there.answer);
}

void Nats::append(Message message, const std::string& id,
                  std::function<void(Result<Appended>)> answer) {
  if (appends_.fetch_add(1) >= options_.max_appends) {
    --appends_;
    return answer(Error{Code::broker_full, std::to_string(options_.max_appends) +
                                               " messages wait for the broker to store them"});
  }
  replies_.ask(message, id, options_.answer_limit,
               [this, subject = message.subject,
                answer = std::move(answer)](const Result<Message>& replied) {
                 --appends_;
                 if (replied) {
                   return answer(appended_of(replied->payload, subject));
                 }
                 if (replied.error().code == Code::no_responder) {
                   return answer(Error{Code::stream_unknown, "no stream takes '" + subject + "'",
                                       "make the stream, and turn JetStream on"});
                 }
                 answer(replied.error());
               });
}

Result<Subscription> Nats::tail(const TailSpec& spec, OnStored on_message) {
  if (auto good = check_name(spec.stream); !good) {
    return good.error();
  }
  if (!spec.filter.empty()) {
    if (auto good = check_filter(spec.filter); !good) {
      return good.error();
    }
  }
  auto made = std::make_shared<Tail>(parts(), spec, std::move(on_message));
  if (auto started = made->start(); !started) {
    made->stop();
    return started.error();
  }
  return tails_.add(std::move(made));
}

Result<Subscription> Nats::pull(const PullSpec& spec, OnDelivery on_delivery) {
  for (const std::string& name : {spec.stream, spec.consumer}) {
    if (auto good = check_name(name); !good) {
      return good.error();
    }
  }
  auto made = std::make_shared<Pull>(parts(), spec, std::move(on_delivery));
  if (auto started = made->start(); !started) {
    made->stop();
    return started.error();
  }
  return pulls_.add(std::move(made));
}

} // namespace

Result<std::unique_ptr<NatsBroker>> connect(const NatsOptions& options) {
  auto made = std::make_unique<Nats>(options);
  if (auto up = made->wait_first(); !up) {
    return up.error();
  }
  return std::unique_ptr<NatsBroker>(std::move(made));
}

} // namespace skein::broker
