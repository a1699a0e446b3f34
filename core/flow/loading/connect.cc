#include <algorithm>

#include "core/base/nearest.h"
#include "core/flow/loading/draft.h"

namespace skein::flow::loading {
namespace {

class Connect {
 public:
  Connect(Reader& reader, Draft& draft) : reader_(reader), draft_(draft) {
    const std::size_t count = steps().size();
    needs_.resize(count);
    chosen_by_.resize(count);
    gotos_.resize(count);
  }

  void run() {
    for (Step& step : steps()) {
      read_gotos(step);
    }
    for (const Block& block : draft_.definition.blocks) {
      for (std::size_t i = 0; i < block.steps.size(); ++i) {
        read_needs(block, i);
      }
    }
    for (Step& step : steps()) {
      for (const StepIndex source : needs_[step.index]) {
        add_edge(source, step.index, Edge::On::done);
      }
      for (const StepIndex target : gotos_[step.index]) {
        add_edge(step.index, target, Edge::On::chosen);
      }
    }
    for (const Block& block : draft_.definition.blocks) {
      sort(block);
    }
    if (sound_) {
      find_unreachable();
      order();
    }
  }

 private:
  std::vector<Step>& steps() { return draft_.definition.steps; }

  std::optional<StepIndex> target(const Step& step, const At& at) {
    const auto id = reader_.text(at);
    if (!id) {
      return std::nullopt;
    }
    const Step* found = draft_.definition.find(*id);
    if (found == nullptr) {
      std::vector<std::string_view> ids;
      for (const Step& known : steps()) {
        ids.push_back(known.id);
      }
      reader_.complain(at, Code::flow_step_unknown,
                       "there is no step \"" + *id + "\"" + did_you_mean(*id, ids),
                       listed("steps of this flow", *id, ids));
      sound_ = false;
      return std::nullopt;
    }
    if (found->block != step.block) {
      reader_.complain(
          at, Code::flow_graph_invalid,
          "step \"" + *id + "\" is not in the same list of steps as \"" + step.id + "\"",
          "a branch or an item is left only by reaching its end");
      sound_ = false;
      return std::nullopt;
    }
    return found->index;
  }

  void add_goto(const Step& step, const At& at) {
    if (const auto to = at ? target(step, at) : std::nullopt) {
      auto& all = gotos_[step.index];
      if (std::find(all.begin(), all.end(), *to) == all.end()) {
        all.push_back(*to);
        chosen_by_[*to].push_back(step.index);
      }
    }
  }

  void read_gotos(const Step& step) {
    const At& node = draft_.nodes[step.index];
    const At choice = Reader::member(node, "switch");
    if (choice) {
      const bool short_form = choice.node->shape == Node::Shape::list;
      const At cases = short_form ? choice : Reader::member(choice, "cases");
      for (std::size_t i = 0; cases && i < cases.node->items.size(); ++i) {
        add_goto(step, Reader::member(Reader::item(cases, i), "goto"));
      }
      add_goto(step, Reader::member(choice, "default"));
    }
    const At rules = Reader::member(node, "on_error");
    for (std::size_t i = 0; rules && i < rules.node->items.size(); ++i) {
      add_goto(step, Reader::member(Reader::item(rules, i), "goto"));
    }
  }

  void read_needs(const Block& block, std::size_t position) {
    const Step& step = steps()[block.steps[position]];
    const At needs = Reader::member(draft_.nodes[step.index], "needs");
    if (!needs) {
      if (position > 0 && chosen_by_[step.index].empty()) {
        needs_[step.index].push_back(block.steps[position - 1]);
      }
      return;
    }
    if (!reader_.is_list(needs)) {
      return;
    }
    for (std::size_t i = 0; i < needs.node->items.size(); ++i) {
      const auto source = target(step, Reader::item(needs, i));
      auto& all = needs_[step.index];
      if (source && std::find(all.begin(), all.end(), *source) == all.end()) {
        all.push_back(*source);
      }
    }
  }

  void add_edge(StepIndex from, StepIndex to, Edge::On on) {
    steps()[from].out.push_back({to, on});
    ++steps()[to].in;
  }

  // Kahn's algorithm; what it cannot remove lies on a cycle or behind one.
  void sort(const Block& block) {
    std::vector<std::uint16_t> open(steps().size());
    std::vector<StepIndex> ready;
    for (const StepIndex index : block.steps) {
      open[index] = steps()[index].in;
      if (open[index] == 0) {
        ready.push_back(index);
      }
    }
    std::size_t removed = 0;
    while (!ready.empty()) {
      const StepIndex index = ready.back();
      ready.pop_back();
      ++removed;
      topological_.push_back(index);
      for (const Edge& edge : steps()[index].out) {
        if (--open[edge.to] == 0) {
          ready.push_back(edge.to);
        }
      }
    }
    if (removed == block.steps.size()) {
      return;
    }
    sound_ = false;
    const auto stuck = std::find_if(block.steps.begin(), block.steps.end(),
                                    [&](StepIndex index) { return open[index] > 0; });
    reader_.complain(draft_.nodes[*stuck], Code::flow_graph_invalid,
                     "the steps wait for each other in a circle: " + circle_from(*stuck, open),
                     "this version has no way back to an earlier step");
  }

  std::string circle_from(StepIndex start, const std::vector<std::uint16_t>& open) {
    std::vector<StepIndex> trail;
    StepIndex at = start;
    while (std::find(trail.begin(), trail.end(), at) == trail.end()) {
      trail.push_back(at);
      // Against the edges: each stuck step has a stuck source.
      for (const Step& source : steps()) {
        const bool leads = std::any_of(source.out.begin(), source.out.end(),
                                       [&](const Edge& edge) { return edge.to == at; });
        if (leads && source.block == steps()[at].block && (open[source.index] > 0)) {
          at = source.index;
          break;
        }
      }
    }
    std::string text;
    for (auto step = std::find(trail.begin(), trail.end(), at); step != trail.end(); ++step) {
      text = steps()[*step].id + (text.empty() ? "" : " -> " + text);
    }
    return text + " -> " + text.substr(0, text.find(' '));
  }

  // before[a] = everything that has ended when a begins: its sources and what was before them, the
  // insides of sources, and what was before the step around it.
  void order() {
    const std::size_t count = steps().size();
    auto& before = draft_.before;
    before.assign(count, StepSet());
    insides_.resize(count);
    for (const Step& step : steps()) {
      for (auto owner = owner_of(step); owner; owner = owner_of(steps()[*owner])) {
        insides_[*owner].set(step.index);
      }
    }
    for (std::size_t block = 0; block < draft_.definition.blocks.size(); ++block) {
      order_block(static_cast<BlockIndex>(block));
    }
  }

  void order_block(BlockIndex block) {
    auto& before = draft_.before;
    const auto& owner = draft_.definition.blocks[block].owner;
    for (const StepIndex index : topological_) {
      if (steps()[index].block != block) {
        continue;
      }
      if (owner) {
        before[index] |= before[*owner];
      }
      for (const Edge& edge : steps()[index].out) {
        before[edge.to] |= before[index] | insides_[index];
        before[edge.to].set(index);
      }
    }
  }

  std::optional<StepIndex> owner_of(const Step& step) {
    return draft_.definition.blocks[step.block].owner;
  }

  // A step is unreachable where all that lead to it always fail, or are unreachable themselves.
  void find_unreachable() {
    std::vector<bool> reached(steps().size(), false);
    for (const StepIndex index : topological_) {
      reached[index] = reached[index] || steps()[index].in == 0;
      for (const Edge& edge : steps()[index].out) {
        reached[edge.to] =
            reached[edge.to] ||
            (reached[index] && (edge.on == Edge::On::chosen || !always_fails(index)));
      }
    }
    for (const Step& step : steps()) {
      if (!reached[step.index]) {
        reader_.complain(
            draft_.nodes[step.index], Code::flow_graph_invalid,
            "step \"" + step.id + "\" is never reached: what comes before it always fails",
            "name what it follows in `needs`, or remove it");
      }
    }
  }

  bool always_fails(StepIndex index) {
    const std::string& kind = draft_.kinds[index];
    const At& node = draft_.nodes[index];
    return kind == "fail" && !Reader::member(node, "when") && !Reader::member(node, "on_error");
  }

  Reader& reader_;
  Draft& draft_;
  std::vector<std::vector<StepIndex>> needs_;
  std::vector<std::vector<StepIndex>> chosen_by_;
  std::vector<std::vector<StepIndex>> gotos_;
  std::vector<StepIndex> topological_;
  std::vector<StepSet> insides_; ///< by StepIndex: the steps of its branches or body
  bool sound_ = true;
};

} // namespace

void connect(Reader& reader, Draft& draft) { Connect(reader, draft).run(); }

} // namespace skein::flow::loading
