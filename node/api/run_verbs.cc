#include <algorithm>

#include "node/api/asked.h"
#include "node/api/service.h"
#include "node/api/shapes.h"
#include "node/fork.h"
#include "node/replay.h"
#include "node/retry.h"
#include "node/system_clock.h"

namespace skein::node {
namespace {

using gateway::Method;
using gateway::Request;
using gateway::Response;

Instant now() { return SystemClock().now(); }

/// What a verb is given: who asks, and the run that is there.
struct Asked {
  Service& service;
  RunRecord record;
  Value fields;
  std::string by;
};

Response shown(Service& service, const RunId& run) {
  const Store& store = service.node.store();
  const auto record = record_of(store, run.get());
  const auto now_is = record ? caught_up(store, *record) : record;
  const auto value = now_is ? to_value(store, *now_is) : now_is.error();
  return value ? gateway::answer(*value) : gateway::refuse(value.error());
}

Response tell(const Asked& asked, flow::Event event) {
  const auto told = asked.service.node.tell(asked.record.id, std::move(event));
  return told ? shown(asked.service, asked.record.id) : gateway::refuse(told.error());
}

// "step": "count[3]", or "place": its number and the items around it.
Result<flow::Place> place_in(const Asked& asked) {
  const Value* numbers = asked.fields.find("place");
  if (numbers == nullptr) {
    const auto step = text_of(asked.fields, "step");
    const auto machine =
        step ? machine_at(asked.service.node.store(), asked.record.id) : step.error();
    return machine ? machine->place_of(*step) : machine.error();
  }
  flow::Place place;
  const auto items = numbers->is(Kind::list) ? numbers->as_list() : std::span<const Value>();
  const bool whole = std::ranges::all_of(items, [](const Value& item) {
    return item.is(Kind::integer) && item.as_int() >= 0 && item.as_int() <= UINT32_MAX;
  });
  const auto definition = definition_of(asked.service.node.store(), asked.record.revision);
  if (!definition) {
    return definition.error();
  }
  if (!whole || items.empty() || items.size() > flow::kMaxNesting + 1 ||
      static_cast<std::size_t>(items[0].as_int()) >= (*definition)->steps.size()) {
    return Error{Code::request_invalid, "\"place\" is no list of a step's number and its items"};
  }
  place.step = static_cast<flow::StepIndex>(items[0].as_int());
  place.depth = static_cast<std::uint8_t>(items.size() - 1);
  for (std::size_t i = 1; i < items.size(); ++i) {
    place.items[i - 1] = static_cast<std::uint32_t>(items[i].as_int());
  }
  return place;
}

Response pause(const Asked& asked) {
  const auto reason = text_of(asked.fields, "reason");
  return reason ? tell(asked, flow::PauseAsked{now(), asked.by, *reason})
                : gateway::refuse(reason.error());
}

Response cancel(const Asked& asked) {
  const auto reason = text_of(asked.fields, "reason");
  return reason ? tell(asked, flow::CancelAsked{now(), asked.by, *reason})
                : gateway::refuse(reason.error());
}

Response wake(const Asked& asked) {
  const auto woken = asked.service.node.resume(asked.record.id);
  return woken ? shown(asked.service, asked.record.id) : gateway::refuse(woken.error());
}

Response resume(const Asked& asked) {
  return asked.record.state == RunState::paused ? tell(asked, flow::ResumeAsked{now(), asked.by})
                                                : wake(asked);
}

Response signal(const Asked& asked) {
  const auto name = text_of(asked.fields, "name");
  const auto id = text_of(asked.fields, "id");
  return name && id
             ? tell(asked, flow::Signalled{now(), *id, *name, value_of(asked.fields, "payload")})
             : gateway::refuse(name ? id.error() : name.error());
}

Response answer_step(const Asked& asked, bool approved) {
  const auto place = place_in(asked);
  const auto comment = text_of(asked.fields, "comment");
  return place && comment ? tell(asked, flow::Answered{now(), *place, approved, asked.by, *comment})
                          : gateway::refuse(place ? comment.error() : place.error());
}

Response settle(const Asked& asked) {
  using How = flow::Settled::How;
  const auto place = place_in(asked);
  const auto how = text_of(asked.fields, "how");
  if (!place || !how) {
    return gateway::refuse(place ? how.error() : place.error());
  }
  if (*how != "retry" && *how != "succeed" && *how != "fail") {
    return gateway::refuse(Error{Code::request_invalid, "\"how\" is not retry, succeed or fail"});
  }
  return tell(asked, flow::Settled{now(), *place,
                                   *how == "retry"     ? How::retry
                                   : *how == "succeed" ? How::succeed
                                                       : How::fail,
                                   value_of(asked.fields, "output"), asked.by});
}

Response make(const Asked& asked, Seq at, bool only_recorded) {
  const auto id = text_of(asked.fields, "id");
  if (!id) {
    return gateway::refuse(id.error());
  }
  ForkRequest request{
      asked.record.id, at, {}, value_of(asked.fields, "vars"), value_of(asked.fields, "input")};
  if (!id->empty()) {
    request.id = RunId(*id);
  }
  const auto run = asked.service.node.fork(request);
  if (!run) {
    return gateway::refuse(run.error());
  }
  if (!only_recorded) {
    if (auto woken = asked.service.node.resume(*run); !woken) {
      return gateway::refuse(woken.error());
    }
  }
  Response response = shown(asked.service, *run);
  response.status = response.status == 200 ? 201 : response.status;
  return response;
}

Response fork(const Asked& asked) {
  const auto at = number_of(asked.fields, "at");
  const auto hold = asked.fields.find("hold");
  return at ? make(asked, Seq(at->value_or(0)), hold != nullptr && *hold == Value(true))
            : gateway::refuse(at.error());
}

Response retry(const Asked& asked) {
  if (asked.record.state != RunState::failed) {
    return gateway::refuse(Error{Code::run_state_conflict,
                                 "run " + asked.record.id.get() + " is " +
                                     std::string(name_of(asked.record.state)) +
                                     ": only a failed run is tried again",
                                 "settle a step in doubt with POST /v1/runs/{run}/settle"});
  }
  const auto at = before_failure(asked.service.node.store(), asked.record);
  return at ? make(asked, *at, false) : gateway::refuse(at.error());
}

using Verb = Response (*)(const Asked&);

struct VerbRow {
  const char* name;
  const char* operation;
  const char* summary;
  const char* fields; ///< properties of its JSON Schema, besides "by"
  Verb act;
};

constexpr const char* kPlace =
    R"("step": {"type": "string", "description": "STEP or STEP[ITEM]"},
       "place": {"type": "array", "items": {"type": "integer"},
                 "description": "instead of step: its number in the flow, then the items"})";
constexpr const char* kReason = R"("reason": {"type": "string"})";

Response approve(const Asked& asked) { return answer_step(asked, true); }
Response reject(const Asked& asked) { return answer_step(asked, false); }

const std::vector<VerbRow>& verbs() {
  static const std::string answer_fields =
      std::string(kPlace) + R"(, "comment": {"type": "string"})";
  static const std::string settle_fields =
      std::string(kPlace) +
      R"(, "how": {"type": "string", "enum": ["retry", "succeed", "fail"]}, "output": {})";
  static const std::vector<VerbRow> rows{
      {"pause", "pause_run", "Start nothing new until it is resumed", kReason, pause},
      {"resume", "resume_run", "Go on with a run that was paused or cut off", "", resume},
      {"wake", "wake_run", "Go on with a run that was cut off", "", wake},
      {"cancel", "cancel_run", "End a run", kReason, cancel},
      {"signal", "signal_run", "Send a signal to a run",
       R"("name": {"type": "string"}, "payload": {},
          "id": {"type": "string", "description": "repeats of the same id are dropped"})",
       signal},
      {"approve", "approve_step", "Agree to an approval step", answer_fields.c_str(), approve},
      {"reject", "reject_step", "Refuse an approval step", answer_fields.c_str(), reject},
      {"settle", "settle_step", "Say what became of a step in doubt", settle_fields.c_str(),
       settle},
      {"retry", "retry_run", "A new run that tries the failed step of this one again",
       R"("id": {"type": "string"})", retry},
      {"fork", "fork_run", "A new run from an entry of this one",
       R"("at": {"type": "integer", "description": "the last entry to keep"},
          "vars": {"type": "object"}, "input": {"type": "object"}, "id": {"type": "string"},
          "hold": {"type": "boolean", "description": "record it, and do not go on with it"})",
       fork}};
  return rows;
}

Response act(Service& service, const Request& request, Verb verb) {
  const auto fields =
      fields_of(request, {"by", "reason", "name", "payload", "id", "step", "place", "comment",
                          "how", "output", "at", "vars", "input", "hold"});
  const auto record = record_of(service.node.store(), request.parameter("run"));
  const auto by = fields ? text_of(*fields, "by") : fields.error();
  if (!by || !record) {
    return gateway::refuse(by ? record.error() : by.error());
  }
  return verb(Asked{service, *record, *fields, by->empty() ? "api" : *by});
}

} // namespace

void add_run_verbs(gateway::Routes& routes, Service& service) {
  for (const VerbRow& row : verbs()) {
    const std::string fields(row.fields);
    routes.add({.method = Method::post,
                .path = "/v1/runs/{run}/" + std::string(row.name),
                .name = row.operation,
                .summary = row.summary,
                .body = R"({"type": "object", "properties": {"by": {"type": "string",
                            "description": "who asks"})" +
                        (fields.empty() ? "" : ", " + fields) + "}}",
                .answers = "the run; of fork and retry the new one, with status 201",
                .handle = [&service, verb = row.act](const Request& request) {
                  return act(service, request, verb);
                }});
  }
}

} // namespace skein::node
