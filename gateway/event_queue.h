#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>

#include "gateway/event_stream.h"

namespace skein::gateway {

/// The events of one connection: any thread fills it, the one that writes empties it.
class EventQueue : public EventStream {
 public:
  /// `wake` asks the thread that writes to come and look; from any thread, must not block. It is
  /// not called before the first take(): the head of the answer goes first.
  EventQueue(std::size_t limit, std::function<void()> wake);

  bool send(const ServerEvent& event) override { return add(to_text(event)); }
  bool add(std::string text);
  std::size_t room() const override;
  bool closed() const override;
  void close() override;
  void on_change(std::function<void()> call) override;

  // The rest is for the thread that writes.

  /// What is to be written next; nothing where there is nothing now, and then `wake` says when.
  std::string take();
  /// Something did not fit: the client is dropped.
  bool overflowed() const;
  /// Nothing more comes after what take() gives.
  bool ends() const;
  /// What was taken is written.
  void emptied() { tell(false); }
  /// The connection is gone; `wake` is not called any more.
  void detach() { tell(true); }

 private:
  void notify(); ///< REQUIRES: the lock
  void tell(bool closing);

  const std::size_t limit_;
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::string pending_;
  std::function<void()> changed_;
  bool writing_ = true;
  bool full_ = false;
  bool ending_ = false;
  bool closed_ = false;
};

} // namespace skein::gateway
