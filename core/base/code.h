#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace skein {

/// The public number of an error: what a user sees as SKnnnn, with a page in docs/errors/.
///
/// Areas: 1xxx core, 2xxx wire, 3xxx storage, 4xxx broker, 5xxx models and tools, 6xxx gateway and
/// command line. A number is never reused and never changes its meaning.
enum class Code : std::uint16_t {
  // 10xx values and JSON
  json_invalid = 1001,
  json_limit = 1002,
  // 11xx expressions
  expression_syntax = 1101,
  expression_type = 1102,
  expression_evaluation = 1103,
  expression_limit = 1104,
  // 12xx resources: files that users write
  yaml_invalid = 1201,
  yaml_limit = 1202,
  resource_kind_unknown = 1203,
  resource_key_unknown = 1204,
  resource_value_invalid = 1205,
  flow_step_unknown = 1206,
  flow_graph_invalid = 1207,
  schema_violation = 1208,
  schema_invalid = 1209,
  schema_limit = 1210,
  // 13xx runs
  run_state_conflict = 1301,
  run_limit = 1302,
  step_timeout = 1303,
  step_cancelled = 1304,
  approval_rejected = 1305,
  wait_timeout = 1306,
  run_timeout = 1307,
  flow_failed = 1308,
  step_in_doubt = 1310,
  replay_mismatch = 1311,
  run_depth = 1312,
  child_cancelled = 1313,
  placement_unmet = 1314,
  // 20xx envelopes, batches, journal entries
  wire_invalid = 2001,
  wire_limit = 2002,
  wire_version = 2003,
  hash_mismatch = 2004,
  // 30xx storage
  storage_in_use = 3001,
  storage_unreadable = 3002,
  storage_corrupt = 3003,
  storage_full = 3004,
  storage_io = 3005,
  run_unknown = 3006,
  resource_unknown = 3007,
  blob_missing = 3008,
  run_exists = 3009,
  // 40xx broker
  broker_unreachable = 4001,
  broker_timeout = 4002,
  broker_refused = 4003,
  broker_full = 4004,
  subject_invalid = 4005,
  message_too_large = 4006,
  stream_unknown = 4007,
  no_responder = 4008,
  broker_unfit = 4009,
  nats_server_failed = 4010,
  // 41xx partitions and nodes
  not_leader = 4101,
  log_diverged = 4102,
  node_duplicate = 4103,
  cluster_data = 4104,
  worker_lost = 4105,
  worker_refused = 4106,
  // 42xx events
  event_invalid = 4201,
  event_limit = 4202,
  schedule_invalid = 4203,
  // 50xx tools
  tool_unknown = 5001,
  tool_input_invalid = 5002,
  tool_failed = 5003,
  tool_unavailable = 5004,
  tool_timeout = 5005,
  tool_denied = 5006,
  tool_output_limit = 5007,
  http_status = 5008,
  http_transport = 5009,
  http_blocked = 5010,
  http_client_error = 5011,
  file_missing = 5012,
  // 60xx command line and gateway
  usage_invalid = 6001,
  file_unreadable = 6002,
  interrupted = 6003,
  output_failed = 6004,
  node_busy = 6005,
  node_unreachable = 6006,
  unauthorized = 6007,
  request_invalid = 6008,
  route_unknown = 6009,
  request_too_large = 6010,
  context_unknown = 6011,
};

/// One row of the table of codes.
struct CodeRow {
  Code code;
  std::string_view name; ///< snake_case, as the enumerator
  bool retryable;        ///< whether the same request may succeed later without a change
};

/// Every code, ascending. The lint checks each against docs/errors/ and the tests.
std::span<const CodeRow> all_codes();

/// "SK1101".
std::string to_string(Code code);

/// "expression_syntax".
std::string_view name_of(Code code);

/// Whether a retry policy may try again by default. Timeouts, unavailability and rate limits are; a
/// mistake is not.
bool is_retryable(Code code);

} // namespace skein
