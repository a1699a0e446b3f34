#include <algorithm>
#include <array>

#include "core/base/nearest.h"
#include "core/flow/loading/draft.h"

namespace skein::flow::loading {
namespace {

constexpr std::size_t kMaxBlocks = 4'000;

constexpr std::array<std::string_view, 11> kKinds{"tool",     "flow",     "set",  "switch",
                                                  "parallel", "for_each", "wait", "approval",
                                                  "emit",     "respond",  "fail"};
constexpr std::array<std::string_view, 4> kLaterKinds{"agent", "fleet", "loop", "run"};
constexpr std::array<std::string_view, 2> kLaterKeys{"compensate", "output_schema"};
constexpr std::array<std::string_view, 22> kStepKeys{
    "id",     "name",     "needs", "when",    "timeout", "retry",    "on_error", "in_doubt",
    "effect", "with",     "tool",  "flow",    "set",     "switch",   "parallel", "for_each",
    "wait",   "approval", "emit",  "respond", "fail",    "placement"};

template <std::size_t N>
bool holds(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class Outline {
 public:
  Outline(Reader& reader, Draft& draft) : reader_(reader), draft_(draft) {}

  BlockIndex block(const At& list, std::optional<StepIndex> owner, std::uint16_t branch,
                   std::uint16_t scope, std::size_t depth) {
    auto& blocks = draft_.definition.blocks;
    const auto index = static_cast<BlockIndex>(blocks.size());
    blocks.push_back({owner, branch, {}});
    if (!list || !reader_.is_list(list)) {
      return index;
    }
    if (list.node->items.empty()) {
      reader_.complain(list, Code::resource_value_invalid, "must have at least one step");
    }
    for (std::size_t i = 0; i < list.node->items.size() && !full(Reader::item(list, i)); ++i) {
      step(Reader::item(list, i), index, scope, depth);
    }
    return index;
  }

 private:
  // Indices are of 16 bits, and the order of all steps is a square table. Said once.
  bool full(const At& at) {
    const Definition& definition = draft_.definition;
    const bool now = definition.steps.size() >= kMaxSteps || definition.blocks.size() >= kMaxBlocks;
    if (now && !full_) {
      reader_.complain(at, Code::resource_value_invalid,
                       "a flow has at most " + std::to_string(kMaxSteps) + " steps and " +
                           std::to_string(kMaxBlocks) + " lists of steps",
                       "move a part of it into a flow of its own");
    }
    full_ = full_ || now;
    return now;
  }

  void step(const At& at, BlockIndex block, std::uint16_t scope, std::size_t depth) {
    if (!reader_.is_map(at)) {
      return;
    }
    Definition& definition = draft_.definition;
    const auto index = static_cast<StepIndex>(definition.steps.size());
    const auto local = static_cast<std::uint16_t>(definition.scopes[scope].steps.size());
    Step shape;
    shape.index = index;
    shape.block = block;
    shape.local = local;
    shape.mark = at.node->mark;
    shape.id = id_of(at);
    definition.steps.push_back(std::move(shape));
    definition.scope_of_step.push_back(scope);
    definition.scopes[scope].steps.push_back(index);
    definition.blocks[block].steps.push_back(index);
    draft_.nodes.push_back(at);
    draft_.kinds.push_back(kind_of(at));
    if (draft_.kinds[index] == "parallel") {
      parallel(at, index, scope, depth);
    } else if (draft_.kinds[index] == "for_each") {
      for_each(at, index, depth);
    }
  }

  std::string id_of(const At& at) {
    const At id = Reader::member(at, "id");
    if (!id) {
      reader_.complain(at, Code::resource_value_invalid, "a step needs an id");
      return {};
    }
    auto text = reader_.text(id);
    if (text && !is_id(*text)) {
      reader_.complain(id, Code::resource_value_invalid, "\"" + *text + "\" is no step id",
                       kIdHint);
    } else if (text && draft_.definition.find(*text) != nullptr) {
      reader_.complain(id, Code::flow_graph_invalid, "step id \"" + *text + "\" is used twice");
    }
    return text.value_or("");
  }

  std::string kind_of(const At& at) {
    static const std::vector<std::string_view> kLater = [] {
      std::vector<std::string_view> all(kLaterKinds.begin(), kLaterKinds.end());
      all.insert(all.end(), kLaterKeys.begin(), kLaterKeys.end());
      return all;
    }();
    reader_.map_of(at, kStepKeys, kLater);
    std::string found;
    for (const Node::Member& member : at.node->members) {
      const At part = Reader::member(at, member.key);
      const bool later_kind = holds(kLaterKinds, member.key);
      if (later_kind || holds(kLaterKeys, member.key)) {
        reader_.complain(
            part, Code::resource_value_invalid,
            "this version does not run `" + member.key + "` yet",
            "use a step of another kind (tool, flow, set, switch, parallel, for_each, "
            "wait, approval, emit, respond, fail), or a newer version: `skein version` "
            "tells yours");
      }
      if (!later_kind && !holds(kKinds, member.key)) {
        continue;
      }
      if (!found.empty()) {
        reader_.complain(
            part, Code::resource_value_invalid,
            "a step has one kind, this one has `" + found + "` and `" + member.key + "`");
      } else {
        found = member.key;
      }
    }
    if (found.empty()) {
      reader_.complain(
          at, Code::resource_value_invalid,
          "a step needs one of tool, flow, set, switch, parallel, for_each, wait, approval, emit, "
          "respond, fail",
          "say what it does, such as `tool: log` with `with: { message: hello }`");
    }
    return found;
  }

  void parallel(const At& at, StepIndex index, std::uint16_t scope, std::size_t depth) {
    static constexpr std::array<std::string_view, 3> kKeys{"branches", "join", "on_branch_failure"};
    const At parallel = Reader::member(at, "parallel");
    if (!reader_.map_of(parallel, kKeys)) {
      return;
    }
    const At branches = Reader::member(parallel, "branches");
    if (!branches || branches.node->shape != Node::Shape::map || branches.node->members.empty()) {
      reader_.complain(branches ? branches : parallel, Code::resource_value_invalid,
                       "needs `branches`: a map of names to lists of steps");
      return;
    }
    ParallelStep kind;
    for (const Node::Member& member : branches.node->members) {
      const At branch = Reader::member(branches, member.key);
      if (full(branch)) {
        break;
      }
      if (!is_id(member.key)) {
        reader_.complain(branch, Code::resource_value_invalid,
                         "\"" + member.key + "\" is no name of a branch", kIdHint);
      }
      const auto number = static_cast<std::uint16_t>(kind.branches.size());
      kind.branches.push_back({member.key, block(branch, index, number, scope, depth)});
    }
    draft_.definition.steps[index].kind = std::move(kind);
  }

  void for_each(const At& at, StepIndex index, std::size_t depth) {
    static constexpr std::array<std::string_view, 7> kKeys{
        "in", "as", "index", "max_parallel", "max_items", "steps", "on_item_failure"};
    const At each = Reader::member(at, "for_each");
    if (!reader_.map_of(each, kKeys)) {
      return;
    }
    if (depth >= kMaxNesting) {
      reader_.complain(each, Code::flow_graph_invalid,
                       "for_each is nested deeper than " + std::to_string(kMaxNesting));
      return;
    }
    read_item_names(each);
    const At steps = Reader::member(each, "steps");
    if (!steps) {
      reader_.complain(each, Code::resource_value_invalid, "needs `steps`");
      return;
    }
    if (full(steps)) {
      return;
    }
    const auto scope = static_cast<std::uint16_t>(draft_.definition.scopes.size());
    draft_.definition.scopes.push_back({index, {}});
    ForEachStep kind;
    kind.body = block(steps, index, 0, scope, depth + 1);
    draft_.definition.steps[index].kind = std::move(kind);
  }

  void read_item_names(const At& each) {
    static constexpr std::array<std::string_view, 7> kTaken{"input",   "vars",  "steps", "run",
                                                            "context", "event", "error"};
    for (const char* key : {"as", "index"}) {
      const At at = Reader::member(each, key);
      const auto name = at ? reader_.text(at) : std::nullopt;
      if (name && (!is_id(*name) || name->find('-') != std::string::npos)) {
        reader_.complain(at, Code::resource_value_invalid,
                         "\"" + *name + "\" is no name of a variable",
                         "use letters, digits and '_', with a letter first");
      } else if (name && holds(kTaken, *name)) {
        reader_.complain(at, Code::resource_value_invalid,
                         "\"" + *name + "\" would hide the variable of that name");
      }
    }
    if (name_of_item(each) == name_of_index(each)) {
      reader_.complain(each, Code::resource_value_invalid,
                       "`as` and `index` are both \"" + name_of_item(each) + "\"");
    }
  }

  Reader& reader_;
  Draft& draft_;
  bool full_ = false;
};

} // namespace

bool is_id(std::string_view id) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !id.empty() && id.size() <= 64 && !(id[0] >= '0' && id[0] <= '9') && id[0] != '-' &&
         std::all_of(id.begin(), id.end(), good);
}

void outline(Reader& reader, const At& spec, Draft& draft) {
  draft.definition.scopes.push_back({});
  const At steps = Reader::member(spec, "steps");
  if (!steps) {
    reader.complain(spec, Code::resource_value_invalid, "needs `steps`");
    return;
  }
  Outline(reader, draft).block(steps, std::nullopt, 0, 0, 0);
}

} // namespace skein::flow::loading
