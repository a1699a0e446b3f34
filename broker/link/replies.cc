#include "broker/link/replies.h"

#include <charconv>
#include <random>
#include <utility>

namespace skein::broker {
namespace {

constexpr std::chrono::milliseconds kSlot{32}; ///< how exactly a deadline is kept

std::string random_name() {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::random_device random;
  std::string name;
  for (int i = 0; i < 22; ++i) { // 132 bits: nobody guesses where answers are awaited
    name += kLetters[random() % kLetters.size()];
  }
  return name;
}

Error timed_out(const std::string& subject, const char* why) {
  return {Code::broker_timeout, "'" + subject + "' was not answered: " + why};
}

} // namespace

Replies::Replies(Link& link, Keeper& keeper, NatsCounts& counts, const std::string& prefix)
    : link_(link), keeper_(keeper), counts_(counts), inbox_(prefix + "." + random_name() + ".") {
  listener_ = link_.listen(
      inbox_ + "*", "", [this](natsMsg* message) { on_message(message); }, true);
}

Replies::~Replies() {
  listener_->end();
  {
    const std::lock_guard lock(mutex_);
    self_.reset();
  }
  lost();
}

std::int64_t Replies::slot_of(std::chrono::steady_clock::time_point at) {
  return at.time_since_epoch() / kSlot;
}

std::string Replies::fresh_subject() {
  const std::lock_guard lock(mutex_);
  return inbox_ + "s." + std::to_string(given_++);
}

std::size_t Replies::waiting() const {
  const std::lock_guard lock(mutex_);
  return questions_.size();
}

void Replies::ask(const Message& message, const std::string& id, Millis limit, Answer answer) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit.count);
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = given_++;
    questions_.emplace(number, Question{message.subject, std::move(answer)});
    deadlines_[slot_of(until) + 1].push_back(number);
    if (!std::exchange(sweeping_, true)) {
      keeper_.after(kSlot, [self = std::weak_ptr(self_)] {
        if (const auto there = self.lock()) {
          (*there)->sweep();
        }
      });
    }
  }
  auto sent = link_.send(message, inbox_ + std::to_string(number), id);
  if (!sent) {
    if (const Answer unsent = take(number)) {
      unsent(sent.error());
    }
  }
}

Replies::Answer Replies::take(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  auto found = questions_.extract(number);
  return found.empty() ? nullptr : std::move(found.mapped().answer);
}

void Replies::on_message(natsMsg* message) {
  const std::string_view subject = natsMsg_GetSubject(message);
  std::uint64_t number = 0;
  const std::string_view digits = subject.substr(std::min(inbox_.size(), subject.size()));
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) {
    ++counts_.stray;
    return;
  }
  const Answer answer = take(number);
  if (!answer) {
    ++counts_.stray;
  } else if (natsMsg_IsNoResponders(message)) {
    answer(Error{Code::no_responder, "nobody answers"});
  } else {
    answer(to_message(message));
  }
}

void Replies::lost() {
  Questions left;
  {
    const std::lock_guard lock(mutex_);
    left = std::exchange(questions_, {});
    deadlines_.clear();
  }
  for (const auto& [number, question] : left) {
    question.answer(timed_out(question.subject, "the connection to the nats-server ended"));
  }
}

void Replies::refused(const std::string& subject, const std::string& text) {
  std::vector<Answer> answers;
  {
    const std::lock_guard lock(mutex_);
    for (auto it = questions_.begin(); it != questions_.end();) {
      if (it->second.subject == subject) {
        answers.push_back(std::move(it->second.answer));
        it = questions_.erase(it);
      } else {
        ++it;
      }
    }
  }
  for (const Answer& answer : answers) {
    answer(Error{Code::broker_refused, "nats-server: " + text,
                 "allow the subject in the permissions of the user"});
  }
}

void Replies::sweep() {
  std::vector<Question> late;
  {
    const std::lock_guard lock(mutex_);
    const std::int64_t now = slot_of(std::chrono::steady_clock::now());
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
      for (const std::uint64_t number : deadlines_.begin()->second) {
        if (auto found = questions_.extract(number)) {
          late.push_back(std::move(found.mapped()));
        }
      }
      deadlines_.erase(deadlines_.begin());
    }
    sweeping_ = !deadlines_.empty();
    if (sweeping_) {
      keeper_.after(kSlot, [self = std::weak_ptr(self_)] {
        if (const auto there = self.lock()) {
          (*there)->sweep();
        }
      });
    }
  }
  for (const Question& question : late) {
    question.answer(timed_out(question.subject, "its time is over"));
  }
}

} // namespace skein::broker
