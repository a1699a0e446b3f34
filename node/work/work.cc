#include "node/work/work.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace skein::node {
namespace {

constexpr Millis kSayAgain{1'000};
constexpr Millis kKeepPlace{5'000};    ///< for a leader that does not use it
constexpr Millis kKeepResult{600'000}; ///< for a leader that nobody has followed yet
constexpr Millis kHadNone{250};        ///< until a node is asked for places again
constexpr Millis kGoneFor{30'000};     ///< a worker that does not answer is lost
constexpr std::uint64_t kClaimsAMs = 1u << 16;

Error lost(const schemas::WorkGiven& work) {
  return {
      Code::worker_lost,
      "the node that ran step " + work.call.step + " of run " + work.call.run.get() + " is gone",
      "the attempt is settled by the class of its effect, as after a crash"};
}

} // namespace

/// Kept at another node until it is used or let go.
class Work::Place : public actors::Worker {
 public:
  Place(Work& work, Claim claim, bool runs) : work_(work), claim_(claim), used_(runs) {}
  ~Place() override {
    if (!used_) {
      work_.say_dropped(claim_);
    }
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  std::unique_ptr<ToolHandle> start(const ToolCall& call, ToolDone done) override {
    work_.give(claim_, call, std::move(done), std::exchange(used_, true));
    return std::make_unique<Call>(work_, claim_);
  }

 private:
  class Call : public ToolHandle {
   public:
    Call(Work& work, Claim claim) : work_(work), claim_(claim) {}
    void cancel() override { work_.cancel(claim_); }

   private:
    Work& work_;
    const Claim claim_;
  };

  Work& work_;
  const Claim claim_;
  bool used_;
};

Work::Work(Broker& broker, const Clock& steady, NodeId self, Ways ways, Millis ask_limit)
    : broker_(broker),
      steady_(steady),
      self_(self),
      ways_(std::move(ways)),
      ask_limit_(ask_limit) {}

void Work::open(actors::RunHost& host, ToolBox* tools) {
  const std::lock_guard lock(mutex_);
  host_ = &host;
  tools_ = tools;
  next_claim_ = static_cast<std::uint64_t>(steady_.now().ms) * kClaimsAMs;
}

void Work::let_go() {
  std::map<Claim, Given> given;
  {
    const std::lock_guard lock(mutex_);
    given.swap(given_);
  }
  for (const auto& [claim, one] : given) {
    one.done(lost(one.work));
  }
}

void Work::close() {
  std::map<Claim, Given> given;
  std::map<std::uint64_t, Guest> guests;
  {
    const std::lock_guard lock(mutex_);
    host_ = nullptr;
    given.swap(given_);
    guests.swap(guests_);
  }
  for (const auto& [claim, guest] : guests) {
    if (guest.handle) {
      guest.handle->cancel();
    }
  }
}

void Work::tick(const std::vector<NodeId>& there, const std::vector<NodeId>& open_to) {
  const Instant now = steady_.now();
  settle_given(there, now);
  settle_guests(now);
  ask_for_places(open_to);
}

// ---- of this node, elsewhere

void Work::ask_for_places(const std::vector<NodeId>& open_to) {
  std::vector<NodeId> ask_them;
  std::size_t places = 0;
  {
    const std::lock_guard lock(mutex_);
    places = host_ == nullptr ? 0 : std::min(host_->waiting(), schemas::kMostPlaces);
    const Instant now = steady_.now();
    for (const NodeId node : open_to) {
      const auto none = not_before_.find(node);
      if (places > 0 && (none == not_before_.end() || none->second <= now) &&
          asked_.insert(node).second) {
        ask_them.push_back(node);
      }
    }
  }
  for (const NodeId node : ask_them) {
    ask(node, schemas::WorkPlacesAsked{static_cast<std::uint32_t>(places)},
        [this, node](const Result<schemas::NodeMessage>& answered) {
          const auto* got = answered ? std::get_if<schemas::WorkPlaces>(&*answered) : nullptr;
          on_places(node, got == nullptr ? schemas::WorkPlaces{} : *got);
        });
  }
}

void Work::on_places(NodeId at, const schemas::WorkPlaces& places) {
  actors::RunHost* host = nullptr;
  {
    const std::lock_guard lock(mutex_);
    asked_.erase(at);
    if (places.claims.empty()) {
      not_before_[at] = steady_.now() + kHadNone;
    }
    host = host_;
  }
  for (const std::uint64_t claim : places.claims) {
    const auto place = std::make_shared<Place>(*this, Claim{at, claim}, false);
    if (host != nullptr) {
      host->lend(place); // who waits no more gives it back
    }
  }
}

void Work::give(const Claim& claim, const ToolCall& call, ToolDone done, bool runs_there) {
  {
    const std::lock_guard lock(mutex_);
    Given& given = given_[claim];
    given.work = {claim.second, ways_.epoch(partition_of(call.run)), call};
    given.done = std::move(done);
    given.heard = runs_there;
    given.since = steady_.now();
    ++given_count_;
  }
  send(claim); // where it runs there already it hears whom to tell
}

void Work::send(const Claim& claim) {
  schemas::WorkGiven work;
  {
    const std::lock_guard lock(mutex_);
    const auto given = given_.find(claim);
    if (given == given_.end()) {
      return;
    }
    given->second.said = steady_.now();
    work = given->second.work;
  }
  ask(claim.first, work, [this, claim](const Result<schemas::NodeMessage>& answered) {
    const auto* said = answered ? std::get_if<schemas::Answer>(&*answered) : nullptr;
    ToolDone done;
    std::optional<Error> error;
    {
      const std::lock_guard lock(mutex_);
      const auto given = given_.find(claim);
      if (given == given_.end()) {
        return;
      }
      Given& now = given->second;
      const bool never = !now.heard && !now.unsure;
      if (said == nullptr) {
        const Code why = answered ? Code::wire_invalid : answered.error().code;
        now.gone = why == Code::no_responder;
        now.unsure = now.unsure || why == Code::broker_timeout;
        if (why != Code::message_too_large || !never) {
          return; // it is said again
        }
        error = Error{Code::worker_refused, answered.error().detail, ""};
      } else if (said->error) {
        error = never ? Error{Code::worker_refused, said->error->detail, ""} : lost(now.work);
      } else {
        now.heard = true;
        now.gone = false;
        now.since = steady_.now();
        return;
      }
      done = std::move(now.done);
      given_.erase(given);
    }
    done(*error);
  });
}

void Work::settle_given(const std::vector<NodeId>& there, Instant now) {
  std::vector<Claim> again;
  std::vector<std::pair<ToolDone, Error>> over;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(given_, [&](auto& one) {
      auto& [claim, given] = one;
      const bool is_there = std::find(there.begin(), there.end(), claim.first) != there.end();
      const bool gone = !is_there && (given.gone || now - given.since >= kGoneFor);
      if (gone || !is_led(given)) {
        over.emplace_back(std::move(given.done), lost(given.work));
        return true;
      }
      if (now - given.said >= kSayAgain) {
        again.push_back(claim);
      }
      return false;
    });
  }
  for (const auto& [done, error] : over) {
    done(error);
  }
  for (const Claim& claim : again) {
    send(claim);
  }
}

schemas::NodeMessage Work::hear(NodeId from, const schemas::WorkEnded& ended) {
  ToolDone done;
  {
    const std::lock_guard lock(mutex_);
    const auto given = given_.find({from, ended.claim});
    if (given ==
        given_.end()) { // was heard before; or is of an earlier leader, and kept for the next
      const bool here = ended.epoch == ways_.epoch(partition_of(ended.run));
      return here ? schemas::Answer{}
                  : schemas::Answer{Error{Code::not_leader, "its epoch is not this one", ""}, {}};
    }
    done = std::move(given->second.done);
    given_.erase(given);
  }
  done(ended.result);
  return schemas::Answer{};
}

void Work::take_over(const std::vector<PartitionId>& partitions, const std::vector<NodeId>& there,
                     const std::function<void()>& asked) {
  schemas::WorkAsked question;
  for (const PartitionId partition : partitions) {
    question.led[partition] = ways_.epoch(partition);
  }
  find(self_, tell(self_, question)); // what it ran for whoever led before
  if (there.empty()) {
    asked();
    return;
  }
  const auto left = std::make_shared<std::atomic<std::size_t>>(there.size());
  for (const NodeId node : there) {
    ask(node, question, [this, node, left, asked](const Result<schemas::NodeMessage>& answered) {
      if (answered) {
        find(node, *answered);
      }
      if (--*left == 0 && is_open()) {
        asked();
      }
    });
  }
}

void Work::find(NodeId at, const schemas::NodeMessage& answer) {
  const auto* held = std::get_if<schemas::WorkHeld>(&answer);
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; held != nullptr && i < held->attempts.size(); ++i) {
    const schemas::WorkHeld::One& one = held->attempts[i];
    found_[{one.key, one.attempt}] = Claim{at, one.claim};
  }
}

actors::WorkerPtr Work::running(const ToolCall& call) {
  const std::lock_guard lock(mutex_);
  const auto found = found_.extract({call.key, call.attempt});
  return found.empty() ? nullptr : std::make_shared<Place>(*this, found.mapped(), true);
}

// A node that leads the run no more, or is about to end, leaves it to whoever leads next.
void Work::cancel(const Claim& claim) {
  {
    const std::lock_guard lock(mutex_);
    const auto given = given_.find(claim);
    if (given == given_.end() || !is_led(given->second)) {
      return;
    }
  }
  say_dropped(claim);
}

bool Work::is_led(const Given& given) const {
  const PartitionId partition = partition_of(given.work.call.run);
  return ways_.leads(partition) && ways_.epoch(partition) == given.work.epoch;
}

void Work::say_dropped(const Claim& claim) {
  const auto said =
      broker_.publish({ways_.subject(claim.first),
                       "",
                       {},
                       schemas::encode_message(self_, schemas::WorkDropped{claim.second})});
  if (!said) {
    spdlog::debug("a claim is not given back: {}", to_string(said.error()));
  }
}

// ---- of other nodes, here

std::optional<schemas::NodeMessage> Work::on_message(NodeId from,
                                                     const schemas::NodeMessage& message) {
  if (const auto* places = std::get_if<schemas::WorkPlacesAsked>(&message)) {
    return keep_places(from, *places);
  }
  if (const auto* given = std::get_if<schemas::WorkGiven>(&message)) {
    return begin(from, *given);
  }
  if (const auto* ended = std::get_if<schemas::WorkEnded>(&message)) {
    return hear(from, *ended);
  }
  if (const auto* asked = std::get_if<schemas::WorkAsked>(&message)) {
    return tell(from, *asked);
  }
  if (const auto* dropped = std::get_if<schemas::WorkDropped>(&message)) {
    drop(from, *dropped);
    return schemas::Answer{};
  }
  return std::nullopt;
}

schemas::NodeMessage Work::keep_places(NodeId from, const schemas::WorkPlacesAsked& asked) {
  schemas::WorkPlaces places;
  const std::size_t most = std::min<std::size_t>(asked.places, schemas::kMostPlaces);
  const std::lock_guard lock(mutex_);
  while (host_ != nullptr && tools_ != nullptr && places.claims.size() < most) {
    auto slot = host_->guest_slot();
    if (!slot) {
      break;
    }
    Guest& guest = guests_[++next_claim_];
    guest.of = from;
    guest.slot = std::move(slot);
    guest.since = steady_.now();
    places.claims.push_back(next_claim_);
  }
  return places;
}

schemas::NodeMessage Work::begin(NodeId from, const schemas::WorkGiven& work) {
  const auto refuse = [](Code code, std::string why) {
    return schemas::Answer{Error{code, std::move(why), "the attempt runs elsewhere"}, {}};
  };
  Tool* tool = nullptr;
  bool again = false;
  std::optional<Guest> unused; // its slot is given back without the lock
  {
    const std::lock_guard lock(mutex_);
    const auto found = guests_.find(work.claim);
    if (host_ == nullptr || found == guests_.end() || found->second.of != from) {
      return refuse(Code::worker_refused, "there is no such claim here (any more)");
    }
    Guest& guest = found->second;
    if (work.epoch < std::max(guest.epoch, ways_.epoch(partition_of(work.call.run)))) {
      ++refused_;
      if (!guest.begun) {
        unused = std::move(guest);
        guests_.erase(found);
      }
      return refuse(Code::not_leader, "the epoch of the claim is over");
    }
    again = guest.begun;
    guest.awaited = true;
    tool = again ? nullptr : tools_->find(work.call.tool);
    if (!again && tool == nullptr) {
      unused = std::move(guest);
      guests_.erase(found);
      return refuse(Code::tool_unknown, "there is no tool \"" + work.call.tool + "\" here");
    }
    guest.begun = true;
    guest.run = work.call.run;
    guest.epoch = work.epoch;
    guest.key = work.call.key;
    guest.attempt = work.call.attempt;
  }
  if (again) { // whoever says it again has not heard the result
    say_ended(work.claim);
    return schemas::Answer{};
  }
  std::shared_ptr<ToolHandle> handle = tool->start(
      work.call,
      [this, claim = work.claim](ToolResult result) { ended(claim, std::move(result)); });
  {
    const std::lock_guard lock(mutex_);
    const auto found = guests_.find(work.claim);
    if (found == guests_.end()) {
      return schemas::Answer{}; // has ended already, and its leader knows
    }
    found->second.handle = handle;
    if (!found->second.cancelled) {
      return schemas::Answer{};
    }
  }
  handle->cancel();
  return schemas::Answer{};
}

void Work::ended(std::uint64_t claim, ToolResult result) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = guests_.find(claim);
    if (found == guests_.end()) {
      return;
    }
    found->second.ended = std::move(result);
    found->second.since = steady_.now();
  }
  say_ended(claim);
}

void Work::say_ended(std::uint64_t claim) {
  schemas::WorkEnded message;
  NodeId to;
  {
    const std::lock_guard lock(mutex_);
    const auto found = guests_.find(claim);
    if (found == guests_.end() || !found->second.ended || !found->second.awaited) {
      return;
    }
    Guest& guest = found->second;
    guest.said = steady_.now();
    message = {claim, guest.run, guest.epoch, *guest.ended};
    to = guest.of;
  }
  ask(to, message, [this, claim](const Result<schemas::NodeMessage>& answered) {
    const auto* heard = answered ? std::get_if<schemas::Answer>(&*answered) : nullptr;
    std::shared_ptr<void> slot; // given back without the lock
    std::optional<Guest> done;
    const std::lock_guard lock(mutex_);
    const auto found = guests_.find(claim);
    if (found == guests_.end()) {
      return;
    }
    slot = std::move(found->second.slot);
    if (heard != nullptr && !heard->error) {
      done = std::move(found->second);
      guests_.erase(found);
    } else if (heard != nullptr) {
      found->second.awaited = false; // whoever leads next asks
    } else if (!answered && answered.error().code == Code::message_too_large) {
      found->second.ended = Error{Code::tool_output_limit, answered.error().detail,
                                  "let the step write it to a file or an object store"};
    }
  });
}

void Work::settle_guests(Instant now) {
  std::vector<Guest> over;
  std::vector<std::uint64_t> again;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(guests_, [&](auto& one) {
      auto& [claim, guest] = one;
      const bool old = (!guest.begun && now - guest.since >= kKeepPlace) ||
                       (guest.ended && now - guest.since >= kKeepResult);
      if (old) {
        over.push_back(std::move(guest));
      } else if (guest.ended && guest.awaited && now - guest.said >= kSayAgain) {
        again.push_back(claim);
      }
      return old;
    });
  }
  for (const std::uint64_t claim : again) {
    say_ended(claim);
  }
}

// What it runs is the asker's from now on; its result waits until the run has come back there.
schemas::NodeMessage Work::tell(NodeId from, const schemas::WorkAsked& asked) {
  schemas::WorkHeld held;
  const std::lock_guard lock(mutex_);
  for (auto& [claim, guest] : guests_) {
    const auto led = guest.begun ? asked.led.find(partition_of(guest.run)) : asked.led.end();
    if (led == asked.led.end()) {
      continue;
    }
    if (led->second < std::max(guest.epoch, ways_.epoch(led->first))) {
      ++refused_;
      continue;
    }
    guest.of = from;
    guest.epoch = led->second;
    guest.awaited = false;
    held.attempts.push_back({claim, guest.key, guest.attempt});
  }
  return held;
}

void Work::drop(NodeId from, const schemas::WorkDropped& dropped) {
  std::shared_ptr<ToolHandle> handle;
  std::optional<Guest> unused; // as above
  {
    const std::lock_guard lock(mutex_);
    const auto found = guests_.find(dropped.claim);
    if (found == guests_.end() || found->second.of != from) {
      return;
    }
    if (found->second.begun) {
      found->second.cancelled = true;
      handle = found->second.handle;
    } else {
      unused = std::move(found->second);
      guests_.erase(found);
    }
  }
  if (handle) {
    handle->cancel();
  }
}

bool Work::is_open() const {
  const std::lock_guard lock(mutex_);
  return host_ != nullptr;
}

std::size_t Work::guests() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(guests_.begin(), guests_.end(),
                    [](const auto& one) { return one.second.begun && !one.second.ended; }));
}

void Work::ask(NodeId node, const schemas::NodeMessage& message,
               std::function<void(const Result<schemas::NodeMessage>&)> answered) {
  broker_.request({ways_.subject(node), "", {}, schemas::encode_message(self_, message)},
                  ask_limit_, [answered = std::move(answered)](const Result<Message>& reply) {
                    auto received = reply ? schemas::decode_message(reply->payload)
                                          : Result<schemas::Received>(reply.error());
                    answered(received ? Result<schemas::NodeMessage>(std::move(received->message))
                                      : received.error());
                  });
}

} // namespace skein::node
