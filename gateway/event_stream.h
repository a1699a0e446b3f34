#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace skein::gateway {

/// One server-sent event.
/// Source: HTML Living Standard, section 9.2.
struct ServerEvent {
  std::string id;   ///< where a client goes on after a break; "" for none
  std::string name; ///< "" is "message"
  std::string text; ///< any lines
};

std::string to_text(const ServerEvent& event);

/// Events on their way to one client, over a bounded queue.
///
///   open ──send()──► open
///    │ the queue is full, the client went or takes nothing for too long, close()
///    ▼
///   closed
///
/// Thread-safety: any thread; nothing here ever blocks.
class EventStream {
 public:
  virtual ~EventStream() = default;

  /// Whether it is in the queue. One that does not fit closes the stream: a client that misses
  /// nothing reconnects and says what it had last.
  virtual bool send(const ServerEvent& event) = 0;
  /// Bytes that the queue has room for; 0 once it is closed. Who sends only what fits is never
  /// refused.
  virtual std::size_t room() const = 0;
  virtual bool closed() const = 0;
  /// Ends the stream after what is in the queue.
  virtual void close() = 0;

  /// `call` hears each time that the queue has emptied, and once when the stream has closed; on the
  /// server's thread, where it must not block. At most one; it may be called at once.
  virtual void on_change(std::function<void()> call) = 0;
};

} // namespace skein::gateway
