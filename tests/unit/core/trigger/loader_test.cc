#include "core/trigger/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "core/flow/loader.h"
#include "core/schema/schema.h"
#include "core/trigger/match.h"
#include "core/value/json.h"
#include "schemas/yaml.h"

namespace skein::trigger {
namespace {

using testing::ElementsAre;

std::string file_of(const std::string& spec) {
  return "apiVersion: skein.dev/v1\nkind: Trigger\nmetadata: { name: t }\nspec:\n" + spec;
}

Loaded load_text(const std::string& text) {
  const auto documents = schemas::read_yaml(text, "t.yaml");
  EXPECT_TRUE(documents) << to_string(documents.error());
  return load(documents->front());
}

std::vector<std::string> findings(const std::string& spec) {
  std::vector<std::string> all;
  for (const flow::Finding& finding : load_text(file_of(spec)).findings) {
    all.push_back(to_string(finding.error.code) + " " + finding.error.detail);
  }
  return all;
}

DefinitionPtr made(const std::string& spec) {
  const Loaded loaded = load_text(file_of(spec));
  for (const flow::Finding& finding : loaded.findings) {
    ADD_FAILURE() << to_string(finding.error);
  }
  return loaded.definition;
}

const std::string kEverything = R"(
  description: Pages whoever is on call.
  flow: page
  event:
    source: /monitoring/*
    type: alert.*
    when: "event.data.severity == 'critical'"
    input: { alert: "${ event.data }" }
  debounce: { quiet: 10s, max: 1m, key: event.subject }
  rate: { limit: 5, per: 1m, key: event.source, on_excess: delay }
)";

TEST(trigger_loader, everything_that_a_trigger_says_is_read) {
  const auto trigger = made(kEverything.substr(1));
  ASSERT_TRUE(trigger);
  EXPECT_EQ(trigger->name, "t");
  EXPECT_EQ(trigger->flow, "page");
  EXPECT_TRUE(trigger->event->type.matches("alert.fired"));
  EXPECT_FALSE(trigger->event->type.matches("alerts"));
  EXPECT_TRUE(trigger->event->source->matches("/monitoring/eu"));
  EXPECT_EQ(trigger->gather.quiet, Millis{10'000});
  EXPECT_EQ(trigger->gather.within, Millis{60'000});
  EXPECT_EQ(trigger->rate.limit, 5u);
  EXPECT_TRUE(trigger->rate.delay);
  EXPECT_FALSE(trigger->is_plain());
}

TEST(trigger_loader, a_schedule_is_read_with_its_zone_and_what_becomes_of_missed_firings) {
  const auto trigger = made(
      "  flow: report\n  schedule: { cron: 0 9 * * 1-5, timezone: Europe/Berlin, missed: one "
      "}\n");
  ASSERT_TRUE(trigger);
  EXPECT_EQ(trigger->schedule->missed(), schedule::Missed::one);
  EXPECT_EQ(to_string(*trigger->schedule->next(*parse_instant("2026-11-21T00:00:00Z"))),
            "2026-11-23T08:00:00.000Z");
}

TEST(trigger_loader, what_is_wrong_is_found_at_its_place) {
  EXPECT_THAT(findings("  event: { type: a }\n  flwo: x\n"),
              ElementsAre("SK1205 t.yaml:5:3: spec: needs the name of a flow in `flow`",
                          "SK1204 t.yaml:6:3: spec.flwo: unknown key \"flwo\" (did you mean "
                          "\"flow\"?)"));
  EXPECT_THAT(findings("  flow: x\n"),
              ElementsAre("SK1205 t.yaml:5:3: spec: needs exactly one of event, schedule"));
  EXPECT_THAT(findings("  flow: x\n  event: { typ: a, when: event.data. }\n"),
              ElementsAre("SK1205 t.yaml:6:10: spec.event: needs a `type`",
                          "SK1204 t.yaml:6:12: spec.event.typ: unknown key \"typ\" (did you mean "
                          "\"type\"?)",
                          testing::StartsWith("SK1101 t.yaml:6:26: spec.event.when: ")));
  EXPECT_THAT(findings("  flow: x\n  event: { type: a, when: event.type + 1 == 2 }\n"),
              ElementsAre(testing::StartsWith("SK1102 t.yaml:6:27: spec.event.when: ")));
  EXPECT_THAT(findings("  flow: x\n  event: { type: a, input: '${ evnt.data }' }\n"),
              ElementsAre(testing::HasSubstr("did you mean")));
  EXPECT_THAT(findings("  flow: x\n  schedule: { cron: '61 * * * *', timezone: Mars }\n"),
              ElementsAre("SK4203 t.yaml:6:21: spec.schedule.cron: minute: \"61\" is not a number "
                          "from 0 to 59"));
  EXPECT_THAT(findings("  flow: x\n  schedule: { cron: '1 * * * *', timezone: Mars }\n"),
              ElementsAre(testing::StartsWith(
                  "SK4203 t.yaml:6:44: spec.schedule.timezone: there is no time zone \"Mars\"")));
  EXPECT_THAT(findings("  flow: x\n  event: { type: a }\n  debounce: { quiet: 1m, max: 1s }\n"
                       "  batch: { size: 0, within: 25h }\n"),
              ElementsAre("SK1205 t.yaml:7:31: spec.debounce.max: must not be shorter than quiet",
                          "SK1205 t.yaml:8:10: spec.batch: does not go with debounce",
                          testing::StartsWith("SK1205 t.yaml:8:18: spec.batch.size: "),
                          "SK1205 t.yaml:8:29: spec.batch.within: must be more than 0s and at "
                          "most 24h"));
}

TEST(trigger_loader, on_of_a_flow_is_the_same_and_named_after_the_flow) {
  const std::string text =
      "apiVersion: skein.dev/v1\nkind: Flow\nmetadata: { name: f }\nspec:\n"
      "  on:\n"
      "    - event: { type: alert.fired }\n"
      "    - name: nightly\n      schedule: { cron: '@daily' }\n"
      "  steps: [ { id: a, tool: log } ]\n";
  const auto documents = schemas::read_yaml(text, "f.yaml");
  ASSERT_TRUE(documents);
  const auto loaded = flow::load(documents->front());
  EXPECT_TRUE(loaded.definition) << to_string(loaded.findings.front().error);
  const auto triggers = triggers_of(documents->front());
  ASSERT_EQ(triggers.size(), 2u);
  EXPECT_EQ(triggers[0]->name, "f.0");
  EXPECT_EQ(triggers[1]->name, "f.nightly");
  EXPECT_EQ(triggers[1]->flow, "f");

  auto bad = schemas::read_yaml(text + "  output: 1\n", "f.yaml");
  std::string broken = text;
  broken.replace(broken.find("type: alert"), 4, "tipe");
  bad = schemas::read_yaml(broken, "f.yaml");
  const auto refused = flow::load(bad->front());
  EXPECT_FALSE(refused.definition);
  EXPECT_EQ(refused.findings.size(), 2u);
}

TEST(trigger_loader, what_loads_is_what_the_schema_describes) {
  std::ifstream file(SKEIN_TRIGGER_SCHEMA);
  const auto json = parse_json(std::string{std::istreambuf_iterator<char>(file), {}});
  ASSERT_TRUE(json) << to_string(json.error());
  const auto schema = schema::Schema::compile(*json);
  ASSERT_TRUE(schema) << to_string(schema.error());
  const auto fits = [&](const std::string& spec) {
    const auto documents = schemas::read_yaml(file_of(spec), "t.yaml");
    const auto checked = schema->check(documents->front().root.to_value());
    return checked ? std::string() : to_string(checked.error());
  };
  EXPECT_EQ(fits(kEverything.substr(1)), "");
  EXPECT_EQ(fits("  flow: x\n  schedule: { cron: '@daily', timezone: UTC, missed: all }\n"), "");
  EXPECT_NE(fits("  flow: x\n  event: { typ: a }\n"), "");
  EXPECT_NE(fits("  flow: x\n"), "");
  EXPECT_NE(fits("  flow: x\n  event: { type: a }\n  schedule: { cron: '@daily' }\n"), "");
}

event::CloudEvent event_of(const std::string& type, Value data) {
  event::CloudEvent event;
  event.id = "1";
  event.source = "/monitoring/eu";
  event.type = type;
  event.data = std::move(data);
  return event;
}

TEST(trigger_match, a_trigger_takes_what_its_type_source_and_condition_say) {
  const auto trigger = made(kEverything.substr(1));
  const auto takes_it = [&](const event::CloudEvent& event) {
    return takes(*trigger, event, event::to_value(event));
  };
  EXPECT_TRUE(takes_it(event_of("alert.fired", object({{"severity", "critical"}}))));
  EXPECT_FALSE(takes_it(event_of("alert.fired", object({{"severity", "minor"}}))));
  EXPECT_FALSE(takes_it(event_of("alert.fired", object({})))) << "what fails takes nothing";
  EXPECT_FALSE(takes_it(event_of("order.paid", object({{"severity", "critical"}}))));
  auto elsewhere = event_of("alert.fired", object({{"severity", "critical"}}));
  elsewhere.source = "/other";
  EXPECT_FALSE(takes_it(elsewhere));
}

TEST(trigger_match, triggers_are_found_by_the_type_of_the_event) {
  const auto exact = made("  flow: x\n  event: { type: alert.fired }\n");
  const auto prefix = made("  flow: x\n  event: { type: 'alert.*' }\n");
  const auto paused = made("  flow: x\n  event: { type: '*' }\n  paused: true\n");
  const Triggers triggers({exact, prefix, paused});
  const auto count = [&](const std::string& type) {
    const auto event = event_of(type, {});
    return triggers.matching(event, event::to_value(event)).size();
  };
  EXPECT_EQ(count("alert.fired"), 2u);
  EXPECT_EQ(count("alert.gone"), 1u);
  EXPECT_EQ(count("other"), 0u);
}

TEST(trigger_match, what_a_node_says_itself_is_taken_only_by_those_who_name_it) {
  const auto all = made("  flow: x\n  event: { type: '*' }\n");
  const auto named = made("  flow: x\n  event: { type: skein.run.* }\n");
  const auto event = event_of("skein.run.failed", {});
  EXPECT_FALSE(takes(*all, event, event::to_value(event)));
  EXPECT_TRUE(takes(*named, event, event::to_value(event)));
}

TEST(trigger_match, a_run_is_named_after_the_trigger_and_the_event_and_nothing_else) {
  const auto trigger = made("  flow: incident-triage\n  event: { type: a }\n");
  const RunId id = run_of(*trigger, "/s", "1");
  EXPECT_EQ(id, run_of(*trigger, "/s", "1"));
  EXPECT_EQ(id.get(), "incident-triage-aq4qodflgivpgkszxwwu") << "must never change";
  EXPECT_NE(id, run_of(*trigger, "/s", "2"));
  EXPECT_NE(id, run_of(*trigger, "/t", "1"));
  EXPECT_NE(run_of(*trigger, Instant{0}), run_of(*trigger, Instant{60'000}));
  const auto longest = made("  flow: " + std::string(63, 'x') + "\n  event: { type: a }\n");
  EXPECT_EQ(run_of(*longest, "/s", "1").get().size(), 63u);
}

TEST(trigger_match, the_input_is_the_data_unless_the_trigger_says_otherwise) {
  const Value event = event::to_value(event_of("alert.fired", object({{"severity", "critical"}})));
  const auto json = [](const Result<Value>& value) { return value ? to_json(*value) : "failed"; };
  const auto plain = made("  flow: x\n  event: { type: a }\n");
  EXPECT_EQ(json(input_of(*plain, {&event, 1})), R"({"severity":"critical"})");
  EXPECT_EQ(json(input_of(*made(kEverything.substr(1)), {&event, 1})),
            R"({"alert":{"severity":"critical"}})");
  const auto batch = made("  flow: x\n  event: { type: a }\n  batch: { size: 2, within: 1s }\n");
  const std::vector<Value> two{event, event};
  EXPECT_EQ(json(input_of(*batch, two)), R"([{"severity":"critical"},{"severity":"critical"}])");
  EXPECT_EQ(key_of(made(kEverything.substr(1))->rate.key, event), "/monitoring/eu");
}

} // namespace
} // namespace skein::trigger
