#include "core/base/code.h"

#include <algorithm>
#include <array>

#include "core/base/result.h"

namespace skein {
namespace {

constexpr std::array kRows{
    CodeRow{Code::json_invalid, "json_invalid", false},
    CodeRow{Code::json_limit, "json_limit", false},
    CodeRow{Code::expression_syntax, "expression_syntax", false},
    CodeRow{Code::expression_type, "expression_type", false},
    CodeRow{Code::expression_evaluation, "expression_evaluation", false},
    CodeRow{Code::expression_limit, "expression_limit", false},
    CodeRow{Code::yaml_invalid, "yaml_invalid", false},
    CodeRow{Code::yaml_limit, "yaml_limit", false},
    CodeRow{Code::resource_kind_unknown, "resource_kind_unknown", false},
    CodeRow{Code::resource_key_unknown, "resource_key_unknown", false},
    CodeRow{Code::resource_value_invalid, "resource_value_invalid", false},
    CodeRow{Code::flow_step_unknown, "flow_step_unknown", false},
    CodeRow{Code::flow_graph_invalid, "flow_graph_invalid", false},
    CodeRow{Code::schema_violation, "schema_violation", false},
    CodeRow{Code::schema_invalid, "schema_invalid", false},
    CodeRow{Code::schema_limit, "schema_limit", false},
    CodeRow{Code::run_state_conflict, "run_state_conflict", false},
    CodeRow{Code::run_limit, "run_limit", false},
    CodeRow{Code::step_timeout, "step_timeout", true},
    CodeRow{Code::step_cancelled, "step_cancelled", false},
    CodeRow{Code::approval_rejected, "approval_rejected", false},
    CodeRow{Code::wait_timeout, "wait_timeout", false},
    CodeRow{Code::run_timeout, "run_timeout", false},
    CodeRow{Code::flow_failed, "flow_failed", false},
    CodeRow{Code::step_in_doubt, "step_in_doubt", false},
    CodeRow{Code::replay_mismatch, "replay_mismatch", false},
    CodeRow{Code::run_depth, "run_depth", false},
    CodeRow{Code::child_cancelled, "child_cancelled", false},
    CodeRow{Code::placement_unmet, "placement_unmet", true},
    CodeRow{Code::wire_invalid, "wire_invalid", false},
    CodeRow{Code::wire_limit, "wire_limit", false},
    CodeRow{Code::wire_version, "wire_version", false},
    CodeRow{Code::hash_mismatch, "hash_mismatch", false},
    CodeRow{Code::storage_in_use, "storage_in_use", true},
    CodeRow{Code::storage_unreadable, "storage_unreadable", false},
    CodeRow{Code::storage_corrupt, "storage_corrupt", false},
    CodeRow{Code::storage_full, "storage_full", true},
    CodeRow{Code::storage_io, "storage_io", false},
    CodeRow{Code::run_unknown, "run_unknown", false},
    CodeRow{Code::resource_unknown, "resource_unknown", false},
    CodeRow{Code::blob_missing, "blob_missing", false},
    CodeRow{Code::run_exists, "run_exists", false},
    CodeRow{Code::broker_unreachable, "broker_unreachable", true},
    CodeRow{Code::broker_timeout, "broker_timeout", true},
    CodeRow{Code::broker_refused, "broker_refused", false},
    CodeRow{Code::broker_full, "broker_full", true},
    CodeRow{Code::subject_invalid, "subject_invalid", false},
    CodeRow{Code::message_too_large, "message_too_large", false},
    CodeRow{Code::stream_unknown, "stream_unknown", false},
    CodeRow{Code::no_responder, "no_responder", true},
    CodeRow{Code::broker_unfit, "broker_unfit", false},
    CodeRow{Code::nats_server_failed, "nats_server_failed", false},
    CodeRow{Code::not_leader, "not_leader", true},
    CodeRow{Code::log_diverged, "log_diverged", false},
    CodeRow{Code::node_duplicate, "node_duplicate", false},
    CodeRow{Code::cluster_data, "cluster_data", false},
    CodeRow{Code::worker_lost, "worker_lost", true},
    CodeRow{Code::worker_refused, "worker_refused", true},
    CodeRow{Code::event_invalid, "event_invalid", false},
    CodeRow{Code::event_limit, "event_limit", false},
    CodeRow{Code::schedule_invalid, "schedule_invalid", false},
    CodeRow{Code::tool_unknown, "tool_unknown", false},
    CodeRow{Code::tool_input_invalid, "tool_input_invalid", false},
    CodeRow{Code::tool_failed, "tool_failed", true},
    CodeRow{Code::tool_unavailable, "tool_unavailable", true},
    CodeRow{Code::tool_timeout, "tool_timeout", true},
    CodeRow{Code::tool_denied, "tool_denied", false},
    CodeRow{Code::tool_output_limit, "tool_output_limit", false},
    CodeRow{Code::http_status, "http_status", true},
    CodeRow{Code::http_transport, "http_transport", true},
    CodeRow{Code::http_blocked, "http_blocked", false},
    CodeRow{Code::http_client_error, "http_client_error", false},
    CodeRow{Code::file_missing, "file_missing", false},
    CodeRow{Code::usage_invalid, "usage_invalid", false},
    CodeRow{Code::file_unreadable, "file_unreadable", false},
    CodeRow{Code::interrupted, "interrupted", false},
    CodeRow{Code::output_failed, "output_failed", false},
    CodeRow{Code::node_busy, "node_busy", true},
    CodeRow{Code::node_unreachable, "node_unreachable", true},
    CodeRow{Code::unauthorized, "unauthorized", false},
    CodeRow{Code::request_invalid, "request_invalid", false},
    CodeRow{Code::route_unknown, "route_unknown", false},
    CodeRow{Code::request_too_large, "request_too_large", false},
    CodeRow{Code::context_unknown, "context_unknown", false},
};

const CodeRow* row_of(Code code) {
  const auto* row = std::lower_bound(kRows.begin(), kRows.end(), code,
                                     [](const CodeRow& r, Code c) { return r.code < c; });
  return row != kRows.end() && row->code == code ? row : nullptr;
}

} // namespace

std::span<const CodeRow> all_codes() { return kRows; }

std::string to_string(Code code) { return "SK" + std::to_string(static_cast<unsigned>(code)); }

std::string_view name_of(Code code) {
  const CodeRow* row = row_of(code);
  return row != nullptr ? row->name : "unknown";
}

bool is_retryable(Code code) {
  const CodeRow* row = row_of(code);
  return row != nullptr && row->retryable;
}

std::string to_string(const Error& error) {
  std::string text = to_string(error.code) + ": " + error.detail;
  if (!error.hint.empty()) {
    text += "\n  hint: " + error.hint;
  }
  return text;
}

} // namespace skein
