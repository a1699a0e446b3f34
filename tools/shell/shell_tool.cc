#include "tools/shell/shell_tool.h"

#include <unistd.h>

#include <algorithm>

#include "core/base/nearest.h"
#include "core/ports/failpoint.h"
#include "tools/arguments.h"
#include "tools/shell/command.h"

namespace skein::tools {
namespace {

constexpr Card kCard{"shell", "Runs a command or a script in a sandbox", EffectClass::unsafe,
                     R"({
      "type": "object",
      "properties": {
        "command": {"type": "array", "minItems": 1,
                    "items": {"type": ["string", "number", "boolean"]},
                    "description": "program and arguments, passed as they are"},
        "script": {"type": "string", "description": "text for /bin/sh"},
        "cwd": {"type": "string"},
        "env": {"type": "object", "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
                "additionalProperties": {"type": ["string", "number", "boolean"]}},
        "stdin": {"type": "string"},
        "timeout": {"type": "string", "description": "such as 30s"},
        "network": {"type": "boolean"},
        "sandbox": {"enum": ["bubblewrap", "none"]},
        "max_output": {"type": ["integer", "string"]},
        "parse": {"enum": ["json", "lines"]},
        "ok_exit_codes": {"type": "array", "items": {"type": "integer"}}
      },
      "oneOf": [{"required": ["command"]}, {"required": ["script"]}],
      "additionalProperties": false
    })",
                     R"({
      "type": "object",
      "properties": {
        "exit_code": {"type": "integer"}, "stdout": {"type": "string"},
        "stderr": {"type": "string"}, "truncated": {"type": "boolean"},
        "duration_ms": {"type": "integer"}, "parsed": true
      },
      "required": ["exit_code", "stdout", "stderr", "truncated", "duration_ms"],
      "additionalProperties": false
    })"};

constexpr const char* kNoSandboxHint =
    "install bubblewrap and allow user namespaces, or set `sandbox: none` to run commands directly";

} // namespace

/// One call, from the wait for the first look at the sandbox to its end.
class ShellCall {
 public:
  void started(const std::shared_ptr<ProcessLoop>& loop, ProcessLoop::Id id) {
    const std::lock_guard lock(mutex_);
    loop_ = loop;
    id_ = id;
    if (cancelled_) {
      loop->cancel(id);
    }
  }

  void cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    if (const auto loop = loop_.lock()) {
      loop->cancel(id_);
    }
  }

 private:
  std::mutex mutex_;
  std::weak_ptr<ProcessLoop> loop_;
  ProcessLoop::Id id_ = 0;
  bool cancelled_ = false;
};

namespace {

constexpr const char* kSetLimit = "/usr/bin/prlimit"; // of util-linux, an essential package

class ShellHandle : public ToolHandle {
 public:
  explicit ShellHandle(std::shared_ptr<ShellCall> call) : call_(std::move(call)) {}
  void cancel() override { call_->cancel(); }

 private:
  std::shared_ptr<ShellCall> call_;
};

/// The limit of processes is set inside the sandbox, where only its own count: set outside, those
/// of the whole user would count and starting the sandbox would fail on a busy desktop. The kernel
/// does not hold root to it, so the loop counts.
void add_process_limit(ChildSpec& spec, rlim_t most) {
  if (most == 0) {
    return;
  }
  if (::geteuid() == 0) {
    spec.max_processes = most;
    return;
  }
  const std::string limit = "--nproc=" + std::to_string(most) + ":" + std::to_string(most);
  spec.argv.insert(spec.argv.begin(), {kSetLimit, limit, "--"});
}

void add_limits(ChildSpec& spec, const ShellSettings& settings) {
  add_process_limit(spec, settings.max_processes);
  const ResourceLimit limits[] = {{RLIMIT_CPU, settings.max_cpu_seconds},
                                  {RLIMIT_AS, settings.max_memory},
                                  {RLIMIT_FSIZE, settings.max_file_size},
                                  {RLIMIT_NOFILE, settings.max_open_files}};
  for (const ResourceLimit& limit : limits) {
    if (limit.value != 0) {
      spec.limits.push_back(limit);
    }
  }
  spec.limits.push_back({RLIMIT_CORE, 0});
}

/// Variables that make another program, or more than that program, of a name on the list.
bool decides_what_runs(std::string_view variable) {
  return variable == "PATH" || variable.starts_with("LD_") || variable == "GCONV_PATH";
}

/// Whether a call keeps to the list of the operator. Everything does where there is none.
Result<void> check_listed(const Value& input, const std::vector<std::string>& allowed) {
  if (allowed.empty()) {
    return {};
  }
  const Value* command = input.find("command");
  const std::string name = command != nullptr ? plain_text(command->as_list()[0]) : "sh";
  if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
    const std::vector<std::string_view> names(allowed.begin(), allowed.end());
    return Error{Code::tool_denied,
                 (command != nullptr ? "the command \"" + name + "\"" : "a script (\"sh\")") +
                     " is not in SKEIN_SHELL_COMMANDS" + did_you_mean(name, names),
                 "use a command of the list, or let the operator of the node add it"};
  }
  if (const Value* own = input.find("env")) {
    for (const auto& [variable, value] : own->as_map()) {
      if (decides_what_runs(variable.as_string())) {
        return Error{Code::tool_denied,
                     "at /env/" + std::string(variable.as_string()) +
                         ": decides what runs, and this node runs only listed commands"};
      }
    }
  }
  return {};
}

} // namespace

ShellTool::ShellTool(const ToolSettings& settings)
    : DescribedTool(kCard), settings_(settings), loop_(std::make_shared<ProcessLoop>()) {}

bool ShellTool::wants_sandbox(const Value& input) const {
  const auto sandbox = text_at(input, "sandbox");
  return sandbox ? *sandbox == "bubblewrap" : settings_.shell.sandbox;
}

Result<void> ShellTool::check(const Value& input) const {
  if (const auto checked = DescribedTool::check(input); !checked) {
    return checked;
  }
  const ShellSettings& shell = settings_.shell;
  if (const auto listed = check_listed(input, shell.allowed_commands); !listed) {
    return listed;
  }
  if (!shell.allow_network && flag_at(input, "network", false)) {
    return Error{Code::tool_denied, "this node gives commands no network"};
  }
  if (!shell.allow_no_sandbox && !wants_sandbox(input)) {
    return Error{Code::tool_denied, "this node runs commands only in a sandbox"};
  }
  return {};
}

Result<ChildSpec> ShellTool::spec_of(const ToolCall& call, bool sandbox) const {
  const auto directory = directory_of(call.input, settings_);
  const auto time = time_for(call, settings_.shell.timeout);
  const auto max_output = size_at(call.input, "max_output", settings_.shell.max_output);
  const auto home = settings_.roots.empty() ? std::string("/tmp") : settings_.roots[0];
  auto environment = environment_of(call, settings_, home);
  if (!directory || !time || !max_output || !environment) {
    return !directory
               ? directory.error()
               : (!time ? time.error() : (!max_output ? max_output.error() : environment.error()));
  }
  ChildSpec spec;
  if (const Value* command = call.input.find("command")) {
    for (const Value& word : command->as_list()) {
      spec.argv.push_back(plain_text(word));
    }
  } else {
    spec.argv = {"/bin/sh", "-c", std::string(text_at(call.input, "script").value_or(""))};
  }
  const Sandbox rules{settings_.roots, settings_.shell.read_only, settings_.hidden,
                      settings_.shell.max_temporary, flag_at(call.input, "network", false)};
  auto path = find_command(spec.argv[0], *environment, *directory, sandbox ? &rules : nullptr);
  if (!path) {
    return path.error();
  }
  spec.argv[0] = std::move(*path);
  spec.environment = std::move(*environment);
  spec.directory = *directory;
  spec.input = text_at(call.input, "stdin").value_or("");
  spec.max_output = *max_output;
  spec.timeout = *time;
  spec.mark = "SKEIN_EFFECT_KEY=" + call.key;
  if (!sandbox) {
    return spec;
  }
  if (const auto holds = skein::tools::check(rules); !holds) {
    return holds.error();
  }
  add_limits(spec, settings_.shell);
  return sandboxed(std::move(spec), rules);
}

std::unique_ptr<ToolHandle> ShellTool::start(const ToolCall& call, ToolDone done) {
  const auto checked = check(call.input);
  const bool sandbox = checked.ok() && wants_sandbox(call.input);
  auto spec = checked ? spec_of(call, sandbox) : Result<ChildSpec>(checked.error());
  if (!spec) {
    report(done, spec.error());
    return std::make_unique<EndedCall>();
  }
  failpoint("tool.before_start");
  auto state = std::make_shared<ShellCall>();
  Waiting waiting{std::move(*spec),
                  [call, sandbox, done = std::move(done)](Result<ChildOutcome> outcome) {
                    report(done, outcome ? result_of(call, *outcome, sandbox) : outcome.error());
                  },
                  state};
  if (sandbox) {
    launch_sandboxed(std::move(waiting));
  } else {
    launch(std::move(waiting));
  }
  return std::make_unique<ShellHandle>(std::move(state));
}

void ShellTool::launch(Waiting waiting) {
  const auto id = loop_->start(std::move(waiting.spec), std::move(waiting.done));
  waiting.call->started(loop_, id);
}

void ShellTool::launch_sandboxed(Waiting waiting) {
  std::unique_lock lock(mutex_);
  if (sandboxes_ == Sandboxes::usable) {
    lock.unlock();
    return launch(std::move(waiting));
  }
  if (sandboxes_ == Sandboxes::refused) {
    const Error error{Code::tool_unavailable, "no sandbox can run here: " + refusal_,
                      kNoSandboxHint};
    lock.unlock();
    return waiting.done(error);
  }
  waiting_.push_back(std::move(waiting));
  if (sandboxes_ == Sandboxes::unknown) {
    sandboxes_ = Sandboxes::looking;
    loop_->start(sandbox_probe(), [this](Result<ChildOutcome> o) { on_probe(std::move(o)); });
  }
}

void ShellTool::on_probe(Result<ChildOutcome> outcome) {
  std::vector<Waiting> waiting;
  {
    const std::lock_guard lock(mutex_);
    if (!outcome) {
      refusal_ = outcome.error().detail;
    } else if (outcome->stopped != Stopped::no) {
      refusal_ = "the look at it was stopped";
    } else {
      refusal_ = outcome->err;
    }
    const bool usable = outcome.ok() && outcome->exit_code == 0 && outcome->stopped == Stopped::no;
    sandboxes_ = usable ? Sandboxes::usable : Sandboxes::refused;
    waiting.swap(waiting_);
  }
  for (Waiting& each : waiting) {
    launch_sandboxed(std::move(each));
  }
}

} // namespace skein::tools
