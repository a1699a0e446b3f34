#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tools/http/address_rules.h"
#include "tools/http/exchange.h"

namespace skein::tools {

/// Talks HTTP: one thread and one libcurl multi handle for all requests, made with the first.
///
/// Every connection is checked where it is made, by the address of its peer, so that no trick with
/// names gets past the rules. Environment proxies, .netrc, cookies, Alt-Svc and every scheme but
/// http and https are off. A request that is not idempotent gets a connection of its own, for
/// libcurl would repeat it on one that it finds dead.
/// Thread-safety: any thread. `done` is called once for each start, on the loop's thread.
class HttpLoop {
 public:
  using Id = std::uint64_t;

  HttpLoop(AddressRules rules, std::size_t max_parallel);
  ~HttpLoop(); ///< as close()
  HttpLoop(const HttpLoop&) = delete;
  HttpLoop& operator=(const HttpLoop&) = delete;

  /// Errors (in done): http_blocked, http_transport, tool_timeout, tool_output_limit,
  /// step_cancelled.
  Id start(HttpRequest request, HttpDone done);
  /// Nothing where the request has ended already.
  void cancel(Id id);
  /// Reports what runs as cancelled, and joins. REQUIRES: not from `done`.
  void close();

 private:
  struct Exchange;
  struct Wish {
    Id id;
    HttpRequest request;
    HttpDone done; ///< null: cancel
  };

  void run();
  bool take_wishes(); ///< false once the end has begun
  void begin(Wish wish);
  void collect();
  void end(Id id, Result<HttpResponse> result);

  AddressRules rules_;
  std::size_t max_parallel_;
  std::mutex mutex_;
  std::vector<Wish> wishes_; ///< guarded by mutex_
  Id last_id_ = 0;           ///< guarded by mutex_
  bool closing_ = false;     ///< guarded by mutex_
  void* multi_ = nullptr;    ///< CURLM
  std::thread thread_;
  std::map<Id, std::unique_ptr<Exchange>> exchanges_; ///< on the loop's thread
};

} // namespace skein::tools
