#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/flow/loading/draft.h"
#include "core/flow/loading/names.h"

namespace skein::flow::loading {

/// Reads what a flow says besides its graph into the draft. What cannot be read becomes a finding
/// and is left as it was: with a finding there is no definition.
///
/// REQUIRES: the draft has its steps and edges.
class Fill {
 public:
  Fill(Reader& reader, const LoadOptions& options, Draft& draft)
      : reader_(reader), options_(options), draft_(draft), names_(reader, draft, options) {}

  void spec(const At& spec);

 private:
  // fill.cc: the flow, and what steps of every kind have.
  void input_schema(const At& at);
  void check_variables(const At& map);
  void fill_step(Step& step);
  static constexpr std::array<std::string_view, 2> kOfTools{"effect", "in_doubt"};
  void refuse_keys(const At& step, std::span<const std::string_view> keys, const char* why);
  void on_error(const At& rules, Step& step);
  ErrorHandler handler(const At& rule, const Step& step);
  RetryPolicy retry(const At& at);
  void retry_on(const At& at, RetryPolicy& policy);

  // Members of a map, each of which may be absent.
  std::optional<Template> value(const At& map, std::string_view key, const Step& step);
  std::optional<Program> condition(const At& map, std::string_view key, const Step& step);
  std::optional<Millis> duration(const At& map, std::string_view key);
  std::optional<Millis> timeout(const At& map);
  void integer(const At& map, std::string_view key, std::int64_t most, std::uint32_t& into);
  /// `Choice`: an enum, or a bool, whose values stand in the order of the choices.
  template <typename Choice>
  void choice(const At& map, std::string_view key, std::span<const std::string_view> choices,
              Choice& into) {
    const At at = Reader::member(map, key);
    if (const auto chosen = at ? reader_.choice(at, choices) : std::nullopt) {
      into = static_cast<Choice>(*chosen);
    }
  }

  // step_kinds.cc: `at` is what stands behind the name of the kind.
  void fill_kind(Step& step, std::string_view kind);
  void tool(const At& at, Step& step);
  void flow(const At& at, Step& step);
  Placement placement(const At& at);
  void check_input(const ToolStep& kind, const At& with);
  void set(const At& at, Step& step);
  SetStep::Assignment assignment(const At& at, const Step& step);
  void choose(const At& at, Step& step);
  std::optional<SwitchStep::Case> switch_case(const At& at, bool last, const Step& step);
  void parallel(const At& at, Step& step);
  void join(const At& at, ParallelStep& kind);
  void for_each(const At& at, Step& step);
  void wait(const At& at, Step& step);
  void check_constants(const At& at, const WaitStep& kind);
  void approval(const At& at, Step& step);
  void emit(const At& at, Step& step);
  void respond(const At& at, Step& step);
  void fail(const At& at, Step& step);
  StepIndex target(const At& at) const;

  Reader& reader_;
  const LoadOptions& options_;
  Draft& draft_;
  Names names_;
  RetryPolicy default_retry_;
};

} // namespace skein::flow::loading
