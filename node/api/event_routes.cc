#include <algorithm>
#include <charconv>
#include <thread>

#include "core/event/message.h"
#include "core/value/json.h"
#include "gateway/event_stream.h"
#include "node/api/asked.h"
#include "node/api/service.h"
#include "node/events/shapes.h"
#include "node/system_clock.h"

namespace skein::node {
namespace {

using gateway::Method;
using gateway::Request;
using gateway::Response;

constexpr std::uint64_t kMostListed = 1'000;

using Handle = Response (*)(Events&, const Request&);

gateway::Handler with(Service& service, Handle handle) {
  return [&service, handle](const Request& request) {
    const auto events = service.bus != nullptr ? service.bus->events() : nullptr;
    return events ? handle(*events, request)
                  : gateway::refuse(Error{Code::node_busy, "this node takes no events now",
                                          "ask again once it is ready"});
  };
}

// A body that is no CloudEvent is the data of one that the query names.
Result<std::vector<event::CloudEvent>> read_events(Events& events, const Request& request,
                                                   Instant now) {
  std::vector<Header> headers;
  for (const auto& [name, value] : request.headers) {
    headers.push_back({name, value});
  }
  event::Bare bare;
  if (const auto type = request.asked("type")) {
    bare.type = *type;
    bare.source = request.asked("source").value_or("/skein/api");
    bare.id = request.asked("id").value_or("");
    bare.id = bare.id.empty() ? std::string(request.header("idempotency-key")) : bare.id;
    bare.id = bare.id.empty() ? events.new_id() : bare.id;
    bare.time = to_string(now);
  }
  return event::read(headers, request.body, bare);
}

Response publish(Events& events, const Request& request) {
  const auto read = read_events(events, request, SystemClock().now());
  if (!read) {
    return gateway::refuse(read.error());
  }
  if (const auto published = events.publish_all(*read); !published) {
    return gateway::refuse(published.error());
  }
  std::vector<Value> names;
  for (const event::CloudEvent& event : *read) {
    names.push_back(object({{"id", event.id}, {"source", event.source}, {"type", event.type}}));
  }
  return gateway::answer(object({{"events", Value::of_list(std::move(names))}}));
}

template <class Items, class Make>
Response list_of(const Items& items, Make make) {
  std::vector<Value> values;
  for (const auto& item : items) {
    values.push_back(make(item));
  }
  return gateway::answer(object({{"items", Value::of_list(std::move(values))}}));
}

Response list(Events& events, const Request& request) {
  const auto from = number_in(request, "from", 0);
  const auto limit = number_in(request, "limit", 100);
  if (!from || !limit) {
    return gateway::refuse(from ? limit.error() : from.error());
  }
  const auto all = events.list(*from, std::min(*limit, kMostListed));
  return all ? list_of(*all, [](const StoredEvent& stored) { return to_value(stored); })
             : gateway::refuse(all.error());
}

Response status(Events& events, const Request&) {
  return gateway::answer(to_value(events.status()));
}

Response letters(Events& events, const Request&) {
  return list_of(events.dead(), [](const Letter& letter) { return to_value(letter); });
}

Result<std::uint64_t> letter_in(const Request& request) {
  const std::string& text = request.parameter("letter");
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Error{Code::request_invalid, "\"" + text + "\" is no number of a dead letter"};
  }
  return number;
}

Response done(const Result<void>& result) {
  return result ? gateway::answer(object({})) : gateway::refuse(result.error());
}

Response retry(Events& events, const Request& request) {
  const auto number = letter_in(request);
  return done(number ? events.retry(*number) : number.error());
}

Response drop(Events& events, const Request& request) {
  const auto number = letter_in(request);
  return done(number ? events.drop(*number) : number.error());
}

// For as long as the client reads: the stream closes when it does not.
Response tail(Service& service) {
  Response response;
  response.type = "text/event-stream";
  response.events = [&service](const std::shared_ptr<gateway::EventStream>& stream) {
    const auto events = service.bus != nullptr ? service.bus->events() : nullptr;
    auto subscription = events ? events->tail([stream](StoredEvent&& stored) {
      stream->send({std::to_string(stored.sequence), "event", to_json(to_value(stored))});
    })
                               : Error{Code::node_busy, "this node takes no events now"};
    if (!subscription) {
      stream->send({"", "error", to_string(subscription.error())});
      stream->close();
      return;
    }
    // Let go of on another thread than the broker's and the server's: it waits for calls under way.
    stream->on_change([stream = std::weak_ptr(stream), held = std::move(*subscription)]() mutable {
      const auto still = stream.lock();
      if (!still || still->closed()) {
        std::thread([gone = std::move(held)]() mutable { gone.reset(); }).detach();
      }
    });
  };
  return response;
}

void add_letter_routes(gateway::Routes& routes, Service& service) {
  routes.add({.path = "/v1/letters",
              .name = "list_dead_letters",
              .summary = "What no trigger could use, oldest first, with the reasons",
              .answers = "`items`",
              .handle = with(service, letters)});
  routes.add({.method = Method::post,
              .path = "/v1/letters/{letter}/retry",
              .name = "retry_dead_letter",
              .summary = "Give it to its trigger, or publish it, again",
              .answers = "nothing",
              .handle = with(service, retry)});
  routes.add({.method = Method::remove,
              .path = "/v1/letters/{letter}",
              .name = "drop_dead_letter",
              .summary = "It is not wanted any more",
              .answers = "nothing",
              .handle = with(service, drop)});
}

} // namespace

void add_event_routes(gateway::Routes& routes, Service& service) {
  routes.add(
      {.method = Method::post,
       .path = "/v1/events",
       .name = "publish_events",
       .summary = "Publish a CloudEvent: structured, binary, a batch, or any JSON with `type`",
       .query = {{"type", "of an event that the body is the data of"},
                 {"source", "the same; default /skein/api"},
                 {"id", "the same; default Idempotency-Key, or a new one"}},
       .body = R"({"description": "a CloudEvent, a list of them, or data"})",
       .answers = "`events`: id, source and type of each, which are stored",
       .handle = with(service, publish)});
  routes.add({.path = "/v1/events",
              .name = "list_events",
              .summary = "The newest events, oldest first",
              .query = {{"from", "a sequence; those before it are left out", "integer"},
                        {"limit", "how many at most; default 100", "integer"}},
              .answers = "`items`",
              .handle = with(service, list)});
  routes.add({.path = "/v1/events/tail",
              .name = "tail_events",
              .summary = "Events from now on",
              .answers = "server-sent events named `event`",
              .type = "text/event-stream",
              .handle = [&service](const Request&) { return tail(service); }});
  routes.add({.path = "/v1/events/status",
              .name = "get_event_status",
              .summary = "How far events have come since the node started",
              .answers = "counters and the stream",
              .handle = with(service, status)});
  add_letter_routes(routes, service);
}

} // namespace skein::node
