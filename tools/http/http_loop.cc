#include "tools/http/http_loop.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>

namespace skein::tools {
namespace {

constexpr long kConnectMillis = 10'000;
constexpr std::size_t kMaxHeaderBytes = 64u << 10;
constexpr int kIdleMillis = 60'000; // a wish wakes the thread up earlier

void once_initialise() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  return text;
}

} // namespace

bool is_named(const Header& header, std::string_view name) { return lower(header.first) == name; }

bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" ||
         method == "DELETE";
}

struct HttpLoop::Exchange {
  Id id = 0;
  HttpRequest request;
  HttpDone done;
  const AddressRules* rules = nullptr;
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  HttpResponse response;
  std::size_t header_bytes = 0;
  std::string blocked; // the address that was refused
  bool too_large = false;
  char problem[CURL_ERROR_SIZE] = {};

  ~Exchange() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
  }

  template <class T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(easy, option, value);
  }

  static std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* self);
  static std::size_t on_header(char* bytes, std::size_t, std::size_t size, void* self);
  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int before_request(void* self, char* peer, char* local, int peer_port, int local_port);

  void prepare();
  void prepare_method();
  Error error_of(CURLcode code) const;
};

std::size_t HttpLoop::Exchange::on_body(char* bytes, std::size_t, std::size_t size, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  if (size > exchange.request.max_response - exchange.response.body.size()) {
    exchange.too_large = true;
    return size + 1; // anything but `size` ends the transfer
  }
  exchange.response.body.append(bytes, size);
  return size;
}

std::size_t HttpLoop::Exchange::on_header(char* bytes, std::size_t, std::size_t size, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const std::string_view line(bytes, size);
  exchange.header_bytes += size;
  if (exchange.header_bytes > kMaxHeaderBytes) {
    exchange.too_large = true;
    return size + 1;
  }
  if (line.starts_with("HTTP/")) {
    exchange.response.headers.clear(); // those before were of an interim answer
    return size;
  }
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos) {
    exchange.response.headers.emplace_back(lower(line.substr(0, colon)),
                                           trimmed(line.substr(colon + 1)));
  }
  return size;
}

curl_socket_t HttpLoop::Exchange::open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& exchange = *static_cast<Exchange*>(self);
  const auto peer = address_of(&address->addr);
  if (!peer || !exchange.rules->allows(exchange.request.host, exchange.request.port, *peer)) {
    exchange.blocked = peer ? to_string(*peer) : "that is no IP address";
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// A name with one public and one private address is refused whichever of the two answers first.
int HttpLoop::Exchange::before_request(void* self, char*, char*, int, int) {
  return static_cast<Exchange*>(self)->blocked.empty() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

void HttpLoop::Exchange::prepare_method() {
  if (request.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else {
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  if (request.has_body) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.c_str());
  } else if (request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
    set(CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t{0});
    set(CURLOPT_POSTFIELDS, "");
  }
  for (const auto& [name, value] : request.headers) {
    // A header without a value ends with a semicolon for libcurl.
    const std::string line = value.empty() ? name + ";" : name + ": " + value;
    headers = curl_slist_append(headers, line.c_str());
  }
  headers = curl_slist_append(headers, "Expect:");
  set(CURLOPT_HTTPHEADER, headers);
}

void HttpLoop::Exchange::prepare() {
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOPROXY, "*");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_ACCEPT_ENCODING, "");
  set(CURLOPT_USERAGENT, "skein");
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count));
  set(CURLOPT_CONNECTTIMEOUT_MS, kConnectMillis);
  set(CURLOPT_FRESH_CONNECT, is_idempotent(request.method) ? 0L : 1L);
  set(CURLOPT_ERRORBUFFER, problem);
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_PREREQFUNCTION, &before_request);
  set(CURLOPT_PREREQDATA, this);
  prepare_method();
}

Error HttpLoop::Exchange::error_of(CURLcode code) const {
  const bool v6 = request.host.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + request.host + "]" : request.host;
  const std::string where = host + ":" + std::to_string(request.port);
  if (!blocked.empty()) {
    return {Code::http_blocked, where + " leads to " + blocked + ", which requests may not reach",
            "let the operator allow it: SKEIN_HTTP_ALLOW=" + where +
                (request.port == 80 || request.port == 443
                     ? ""
                     : " (an entry without a port allows 80 and 443 only)")};
  }
  if (too_large) {
    return {Code::tool_output_limit,
            where + " answered more than " + std::to_string(request.max_response) + " bytes",
            "raise max_output, or ask for less"};
  }
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return {Code::tool_timeout, where + " did not answer within " + to_string(request.timeout)};
  }
  return {Code::http_transport,
          where + ": " + (problem[0] != '\0' ? std::string(problem) : curl_easy_strerror(code))};
}

HttpLoop::HttpLoop(AddressRules rules, std::size_t max_parallel)
    : rules_(std::move(rules)), max_parallel_(max_parallel) {}

HttpLoop::~HttpLoop() { close(); }

void HttpLoop::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    if (multi_ != nullptr) {
      curl_multi_wakeup(multi_);
    }
  }
  if (thread_.joinable()) {
    thread_.join();
    const std::lock_guard lock(mutex_);
    curl_multi_cleanup(std::exchange(multi_, nullptr));
  }
}

HttpLoop::Id HttpLoop::start(HttpRequest request, HttpDone done) {
  const std::lock_guard lock(mutex_);
  if (!thread_.joinable()) {
    once_initialise();
    multi_ = curl_multi_init();
    curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(max_parallel_));
    thread_ = std::thread([this] { run(); });
  }
  wishes_.push_back({++last_id_, std::move(request), std::move(done)});
  curl_multi_wakeup(multi_);
  return last_id_;
}

void HttpLoop::cancel(Id id) {
  const std::lock_guard lock(mutex_);
  if (multi_ != nullptr) {
    wishes_.push_back({id, {}, nullptr});
    curl_multi_wakeup(multi_);
  }
}

void HttpLoop::run() {
  while (take_wishes()) {
    int running = 0;
    curl_multi_perform(multi_, &running);
    collect();
    curl_multi_poll(multi_, nullptr, 0, kIdleMillis, nullptr);
  }
  // Callbacks may ask for more; it is refused the same way until nobody asks.
  const Error stopping{Code::step_cancelled, "the node is stopping"};
  do {
    while (!exchanges_.empty()) {
      end(exchanges_.begin()->first, stopping);
    }
    take_wishes();
  } while (!exchanges_.empty());
}

bool HttpLoop::take_wishes() {
  std::vector<Wish> taken;
  bool open = true;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(wishes_);
    open = !closing_;
  }
  for (Wish& wish : taken) {
    if (!wish.done) {
      if (exchanges_.contains(wish.id)) {
        end(wish.id, Error{Code::step_cancelled, "the request was cancelled"});
      }
    } else {
      begin(std::move(wish));
    }
  }
  return open;
}

void HttpLoop::begin(Wish wish) {
  auto exchange = std::make_unique<Exchange>();
  exchange->id = wish.id;
  exchange->request = std::move(wish.request);
  exchange->done = std::move(wish.done);
  exchange->rules = &rules_;
  exchange->easy = curl_easy_init();
  exchange->prepare();
  curl_multi_add_handle(multi_, exchange->easy);
  exchanges_.emplace(exchange->id, std::move(exchange));
}

void HttpLoop::collect() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) {
      continue;
    }
    const CURLcode code = message->data.result;
    void* self = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self);
    auto& exchange = *static_cast<Exchange*>(self);
    if (code != CURLE_OK) {
      end(exchange.id, exchange.error_of(code));
      continue;
    }
    long status = 0;
    curl_easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &status);
    exchange.response.status = static_cast<int>(status);
    end(exchange.id, std::move(exchange.response));
  }
}

void HttpLoop::end(Id id, Result<HttpResponse> result) {
  const auto node = exchanges_.extract(id);
  Exchange& exchange = *node.mapped();
  curl_multi_remove_handle(multi_, exchange.easy);
  exchange.done(std::move(result));
}

} // namespace skein::tools
