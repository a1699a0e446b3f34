#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/broker.h"

/// What tests of brokers share.
namespace skein::test {

/// One broker under test and what it stands on.
class BrokerHouse {
 public:
  virtual ~BrokerHouse() = default;
  virtual Broker& broker() = 0;
  /// Another connection, where there can be one.
  virtual Broker& other() { return broker(); }
};

/// What came, and a way to wait for it. Only a broken broker is waited for in full.
template <class T>
class Mailbox {
 public:
  void put(T item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
    changed_.notify_all();
  }
  /// Whether so many came.
  bool wait(std::size_t count) {
    return wait_until([&] { return items_.size() >= count; });
  }
  bool wait_until(const std::function<bool()>& done) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), done);
  }
  std::vector<T> items() {
    const std::lock_guard lock(mutex_);
    return items_;
  }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }
  /// Takes the first; fails the test where there is none in time.
  T take() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(30), [&] { return !items_.empty(); })) {
      ADD_FAILURE() << "nothing came";
      return T{};
    }
    T first = std::move(items_.front());
    items_.erase(items_.begin());
    return first;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<T> items_;
};

struct Handed {
  Stored stored;
  DeliveryPtr delivery;
};

inline Message message_to(const std::string& subject, const std::string& payload) {
  return {subject, "", {}, payload};
}

/// Appends and waits.
inline Result<Appended> append_now(Broker& broker, const Message& message,
                                   const std::string& id = "") {
  auto box = std::make_shared<Mailbox<std::shared_ptr<Result<Appended>>>>();
  broker.append(message, id, [box](Result<Appended> answer) {
    box->put(std::make_shared<Result<Appended>>(std::move(answer)));
  });
  const auto answer = box->take();
  return answer ? *answer : Error{Code::broker_timeout, "no answer"};
}

inline Result<Message> request_now(Broker& broker, const Message& message, Millis limit) {
  auto box = std::make_shared<Mailbox<std::shared_ptr<Result<Message>>>>();
  broker.request(message, limit, [box](Result<Message> answer) {
    box->put(std::make_shared<Result<Message>>(std::move(answer)));
  });
  const auto answer = box->take();
  return answer ? *answer : Error{Code::broker_timeout, "no answer"};
}

} // namespace skein::test
