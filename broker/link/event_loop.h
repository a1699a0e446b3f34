#pragma once

#include <nats/nats.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace skein::broker {

/// Lets more come together while one thing follows the other at once: each would else pay a system
/// call and several changes of threads for itself. The first ones of a row never wait.
class Pace {
 public:
  void before(); ///< rests, where it is one of a long row
  void after() { last_ = std::chrono::steady_clock::now(); }

 private:
  std::chrono::steady_clock::time_point last_{};
  unsigned row_ = 0;
};

/// Reads and writes the socket of one connection at a time on a thread of its own.
///
/// The library's own threads would hold its lock while a full socket blocks, so that neither a
/// deadline nor a ping gets through to a server that stopped reading; and they wait a millisecond
/// before they send. Here a message leaves as soon as the socket takes it, together with whatever
/// else was published meanwhile; while many follow each other, a fraction of a millisecond apart.
class EventLoop {
 public:
  EventLoop();
  /// REQUIRES: the connection is closed.
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Connections that are made with these options are served here. REQUIRES: one at a time.
  natsStatus serve(natsOptions* options);
  /// Returns once no call into a connection that was closed is under way: then it may be destroyed.
  void settle();

 private:
  static natsStatus on_attach(void** user, void* loop, natsConnection* connection, natsSock socket);
  static natsStatus on_read(void* user, bool add);
  static natsStatus on_write(void* user, bool add);
  static natsStatus on_detach(void* user);

  void run();
  void handle(unsigned events);
  natsStatus want(unsigned events, bool on);
  natsConnection* enter();
  void leave();

  int poll_ = -1;
  int stop_ = -1;
  /// Never held while the library is called: it calls back with its own lock held.
  std::mutex mutex_;
  std::condition_variable left_;
  bool entered_ = false; ///< the library is being called
  natsConnection* connection_ = nullptr;
  int socket_ = -1;
  unsigned wanted_ = 0; ///< 0: the socket is not being polled
  Pace reads_;
  Pace writes_;
  std::thread thread_;
};

} // namespace skein::broker
