#include "cli/draw/picture.h"

#include <map>

#include "core/value/json.h"

namespace skein::cli {
namespace {

using flow::Definition;
using flow::Step;
using flow::StepIndex;

// Steps of the file by their id: the words of templates are only there.
void collect(const Node& node, std::map<std::string, const Node*>& steps) {
  if (const Node* id = node.find("id"); id != nullptr && id->scalar.is(Kind::string)) {
    steps.emplace(std::string(id->scalar.as_string()), &node);
  }
  for (const Node& item : node.items) {
    collect(item, steps);
  }
  for (const Node::Member& member : node.members) {
    collect(member.value, steps);
  }
}

std::string text_of(const Node* node) {
  if (node == nullptr) {
    return "";
  }
  const Value value = node->to_value();
  return value.is(Kind::string) ? std::string(value.as_string()) : to_json(value);
}

std::string text_at(const Node* node, std::string_view first, std::string_view second) {
  const Node* outer = node != nullptr ? node->find(first) : nullptr;
  return outer != nullptr ? text_of(outer->find(second)) : "";
}

/// The words of one step.
struct Labels {
  const Definition& definition;
  const Node* words; ///< of the step in the file; null where it is not found

  std::string operator()(const flow::ToolStep& step) const { return "tool " + step.tool; }
  std::string operator()(const flow::FlowStep& step) const { return "flow " + step.flow; }
  std::string operator()(const flow::SetStep& step) const {
    std::string names;
    for (const auto& assignment : step.assignments) {
      names += (names.empty() ? "set " : ", ") + assignment.name;
    }
    return names;
  }
  std::string operator()(const flow::SwitchStep&) const { return "switch"; }
  std::string operator()(const flow::ParallelStep& step) const {
    const std::string all = std::to_string(step.branches.size());
    return "parallel, " +
           (step.join == 0 ? "all " + all : std::to_string(step.join) + " of " + all) +
           " branches" + (step.run_to_end ? ", all run to their end" : "");
  }
  std::string operator()(const flow::ForEachStep& step) const {
    const std::string as = text_at(words, "for_each", "as");
    return "for_each " + (as.empty() ? "item" : as) + " in " + text_at(words, "for_each", "in") +
           ", " + std::to_string(step.max_parallel) + " at a time" +
           (step.tolerate ? ", failures allowed" : "");
  }
  std::string operator()(const flow::WaitStep& step) const {
    const std::string what = step.duration ? "wait " + text_at(words, "wait", "duration")
                             : step.until  ? "wait until " + text_at(words, "wait", "until")
                                           : "wait for signal " + text_at(words, "wait", "signal");
    return step.timeout ? what + ", at most " + to_string(*step.timeout) : what;
  }
  std::string operator()(const flow::ApprovalStep& step) const {
    std::string who;
    for (const std::string& approver : step.approvers) {
      who += (who.empty() ? " by " : ", ") + approver;
    }
    return "approval" + who +
           (step.required > 1 ? ", " + std::to_string(step.required) + " needed" : "") +
           (step.timeout ? ", within " + to_string(*step.timeout) : "");
  }
  std::string operator()(const flow::EmitStep&) const {
    return "emit " + text_at(words, "emit", "type");
  }
  std::string operator()(const flow::RespondStep&) const { return "respond"; }
  std::string operator()(const flow::FailStep&) const { return "fail"; }
};

Shape shape_of(const flow::StepKind& kind) {
  if (std::holds_alternative<flow::SwitchStep>(kind)) {
    return Shape::decision;
  }
  if (std::holds_alternative<flow::ParallelStep>(kind) ||
      std::holds_alternative<flow::ForEachStep>(kind)) {
    return Shape::group;
  }
  if (std::holds_alternative<flow::WaitStep>(kind)) {
    return Shape::wait;
  }
  if (std::holds_alternative<flow::ApprovalStep>(kind)) {
    return Shape::person;
  }
  return std::holds_alternative<flow::RespondStep>(kind) ||
                 std::holds_alternative<flow::FailStep>(kind)
             ? Shape::end
             : Shape::work;
}

class Drawing {
 public:
  Drawing(const Definition& definition, const Document& document) : definition_(definition) {
    collect(document.root, words_);
  }

  std::vector<Picture> block(flow::BlockIndex index) const {
    std::vector<Picture> steps;
    for (const StepIndex step : definition_.blocks[index].steps) {
      steps.push_back(picture(definition_.steps[step]));
    }
    return steps;
  }

 private:
  const std::string& id(StepIndex step) const { return definition_.steps[step].id; }

  Picture picture(const Step& step) const {
    Picture picture;
    const auto words = words_.find(step.id);
    picture.id = step.id;
    picture.label =
        std::visit(Labels{definition_, words != words_.end() ? words->second : nullptr}, step.kind);
    if (step.retry.max_attempts > 1) {
      picture.label += ", up to " + std::to_string(step.retry.max_attempts) + " attempts";
    }
    picture.when = step.when ? std::string(step.when->text()) : "";
    picture.shape = shape_of(step.kind);
    picture.choices = choices(step);
    for (const Step& source : definition_.steps) {
      for (const flow::Edge& edge : source.out) {
        if (edge.to == step.index) {
          picture.in.push_back({source.id, step.id, "", edge.on == flow::Edge::On::done});
        }
      }
    }
    if (const auto* parallel = std::get_if<flow::ParallelStep>(&step.kind)) {
      for (const auto& branch : parallel->branches) {
        picture.inside.push_back({branch.name, block(branch.block)});
      }
    } else if (const auto* each = std::get_if<flow::ForEachStep>(&step.kind)) {
      picture.inside.push_back({"", block(each->body)});
    }
    return picture;
  }

  std::vector<Arrow> choices(const Step& step) const {
    std::vector<Arrow> arrows;
    if (const auto* cases = std::get_if<flow::SwitchStep>(&step.kind)) {
      for (const auto& one : cases->cases) {
        arrows.push_back({step.id, id(one.go_to),
                          one.when ? std::string(one.when->text()) : "otherwise", false});
      }
    }
    for (const auto& handler : step.on_error) {
      if (handler.go_to) {
        arrows.push_back(
            {step.id, id(*handler.go_to),
             handler.when ? "on error, " + std::string(handler.when->text()) : "on error", false});
      }
    }
    return arrows;
  }

  const Definition& definition_;
  std::map<std::string, const Node*> words_;
};

} // namespace

FlowPicture picture_of(const flow::Definition& definition, const Document& document) {
  return {definition.name, Drawing(definition, document).block(flow::kRootBlock)};
}

} // namespace skein::cli
