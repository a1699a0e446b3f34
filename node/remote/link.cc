#include "node/remote/link.h"

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/value/json.h"
#include "node/api/frames.h"
#include "node/remote/event_reader.h"

namespace skein::node {
namespace {

constexpr long kConnectTime = 3'000;
constexpr long kCallTime = 120'000;
constexpr int kBetweenAsks = 50;
/// A node gives a sign of life every 15 seconds.
constexpr std::chrono::seconds kSilence{45};
constexpr std::size_t kLargestAnswer = 256u << 20;

struct Fields {
  curl_slist* list = nullptr;
  ~Fields() { curl_slist_free_all(list); }
  void add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

std::size_t append(char* bytes, std::size_t one, std::size_t count, void* to) {
  auto& text = *static_cast<std::string*>(to);
  if (text.size() + count > kLargestAnswer) {
    return 0;
  }
  text.append(bytes, one * count);
  return one * count;
}

Error unreachable(const Endpoint& endpoint, const std::string& why) {
  return Error{Code::node_unreachable, "the node at " + endpoint.url + " does not answer: " + why,
               "see `skein node status`, or start it with `skein serve`"};
}

Code code_of(std::string_view text) {
  for (const CodeRow& row : all_codes()) {
    if (to_string(row.code) == text) {
      return row.code;
    }
  }
  return Code::node_unreachable;
}

std::string text_at(const Value& fields, std::string_view name) {
  const Value* field = fields.find(name);
  return field != nullptr && field->is(Kind::string) ? std::string(field->as_string()) : "";
}

// What the node said; one that is no Skein has another body.
Error refusal(const Endpoint& endpoint, long status, const std::string& body) {
  const auto value = parse_json(body);
  const Value* error = value ? value->find("error") : nullptr;
  if (error == nullptr || text_at(*error, "code").empty()) {
    return unreachable(endpoint, "HTTP status " + std::to_string(status));
  }
  if (code_of(text_at(*error, "code")) == Code::interrupted) {
    return unreachable(endpoint, text_at(*error, "message"));
  }
  return Error{code_of(text_at(*error, "code")), text_at(*error, "message"),
               text_at(*error, "hint")};
}

} // namespace

/// A connection that is kept for the next request.
struct Link::Handle {
  CURL* curl = curl_easy_init();
  Handle() = default;
  ~Handle() { curl_easy_cleanup(curl); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  void prepare(const Endpoint& endpoint, const Call& call, Fields& fields) {
    curl_easy_reset(curl);
    fields.add("Authorization: Bearer " + endpoint.token);
    fields.add("Expect:");
    fields.add("Accept: " + std::string(call.frames ? kFrames : "application/json"));
    if (!call.body.empty()) {
      fields.add("Content-Type: application/json");
    }
    curl_easy_setopt(curl, CURLOPT_URL, (endpoint.url + call.path).c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields.list);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call.method.c_str());
    if (call.method == "POST") {
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(call.body.size()));
      curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, call.body.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectTime);
  }
};

Link::Link(Endpoint endpoint) : endpoint_(std::move(endpoint)) {
  static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)once;
}

Link::~Link() = default;

std::unique_ptr<Link::Handle> Link::take() {
  const std::lock_guard lock(mutex_);
  if (spare_.empty()) {
    return std::make_unique<Handle>();
  }
  auto handle = std::move(spare_.back());
  spare_.pop_back();
  return handle;
}

void Link::give_back(std::unique_ptr<Handle> handle) {
  const std::lock_guard lock(mutex_);
  spare_.push_back(std::move(handle));
}

Endpoint Link::endpoint() const {
  const std::lock_guard lock(mutex_);
  return endpoint_;
}

bool Link::find_again() {
  const Endpoint before = endpoint();
  const auto found = before.data.empty() ? std::nullopt : find_endpoint(before.data);
  if (!found || (found->pid == before.pid && found->url == before.url)) {
    return false;
  }
  const std::lock_guard lock(mutex_);
  endpoint_ = *found;
  return true;
}

Result<std::string> Link::send(const Call& call) {
  for (;;) {
    const Endpoint to = endpoint();
    auto handle = take();
    Fields fields;
    std::string body;
    handle->prepare(to, call, fields);
    curl_easy_setopt(handle->curl, CURLOPT_TIMEOUT_MS, kCallTime);
    curl_easy_setopt(handle->curl, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(handle->curl, CURLOPT_WRITEDATA, &body);
    const CURLcode code = curl_easy_perform(handle->curl);
    long status = 0;
    curl_easy_getinfo(handle->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK) {
      give_back(std::move(handle));
      return status < 400 ? Result<std::string>(std::move(body)) : refusal(to, status, body);
    }
    if (code != CURLE_COULDNT_CONNECT || !find_again()) {
      return unreachable(to, curl_easy_strerror(code));
    }
  }
}

Result<Value> Link::ask(const Call& call) {
  const auto body = send(call);
  return body ? parse_json(*body) : body.error();
}

namespace {

/// What a stream's bytes go to.
struct Listening {
  EventReader reader;
  CURL* curl;
  std::string refused;
  std::chrono::steady_clock::time_point heard = std::chrono::steady_clock::now();
};

std::size_t hear(char* bytes, std::size_t one, std::size_t count, void* to) {
  auto& listening = *static_cast<Listening*>(to);
  listening.heard = std::chrono::steady_clock::now();
  long status = 0;
  curl_easy_getinfo(listening.curl, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) {
    return append(bytes, one, count, &listening.refused);
  }
  return listening.reader.take({bytes, one * count}) ? one * count : 0;
}

/// One transfer that is looked after between asks.
class Transfer {
 public:
  explicit Transfer(CURL* curl) : multi_(curl_multi_init()), curl_(curl) {
    curl_multi_add_handle(multi_, curl);
  }
  ~Transfer() {
    curl_multi_remove_handle(multi_, curl_);
    curl_multi_cleanup(multi_);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  /// What it ended with; nothing while it goes on.
  std::optional<CURLcode> perform() {
    int running = 0;
    curl_multi_perform(multi_, &running);
    int left = 0;
    const CURLMsg* message = curl_multi_info_read(multi_, &left);
    return message != nullptr && message->msg == CURLMSG_DONE ? std::optional(message->data.result)
                                                              : std::nullopt;
  }
  void wait() { curl_multi_poll(multi_, nullptr, 0, kBetweenAsks, nullptr); }

 private:
  CURLM* multi_;
  CURL* curl_;
};

} // namespace

Result<void> Link::listen(const Call& call, const OnEvent& on_event,
                          const std::function<bool()>& goes_on) {
  const Endpoint to = endpoint();
  const auto handle = take();
  Fields fields;
  handle->prepare(to, call, fields);
  Listening listening{EventReader(on_event), handle->curl, "", std::chrono::steady_clock::now()};
  curl_easy_setopt(handle->curl, CURLOPT_WRITEFUNCTION, hear);
  curl_easy_setopt(handle->curl, CURLOPT_WRITEDATA, &listening);
  Transfer transfer(handle->curl);
  for (;;) {
    if (const auto ended = transfer.perform()) {
      long status = 0;
      curl_easy_getinfo(handle->curl, CURLINFO_RESPONSE_CODE, &status);
      if (*ended != CURLE_OK) {
        return unreachable(to, curl_easy_strerror(*ended));
      }
      return status == 200 ? Result<void>() : refusal(to, status, listening.refused);
    }
    if (!goes_on()) {
      return {};
    }
    if (std::chrono::steady_clock::now() - listening.heard > kSilence) {
      return unreachable(to, "it has been silent for too long");
    }
    transfer.wait();
  }
}

} // namespace skein::node
