#include <algorithm>

#include "cli/draw/picture.h"

namespace skein::cli {
namespace {

struct Line {
  std::string left;
  std::string right;
};

// Where a step comes from, unless that is the step above it.
std::string origin(const Picture& step, const Picture* above) {
  if (step.in.empty()) {
    return above == nullptr ? "" : "starts at once";
  }
  const bool follows = step.in.size() == 1 && step.in.front().plain && above != nullptr &&
                       step.in.front().from == above->id;
  std::string names;
  for (const Arrow& arrow : step.in) {
    names += (names.empty() ? "" : ", ") + arrow.from;
  }
  return follows ? "" : "<- " + names;
}

class Outline {
 public:
  void steps(const std::vector<Picture>& steps, const std::string& rail) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      step(steps[i], i > 0 ? &steps[i - 1] : nullptr, rail, i + 1 == steps.size());
    }
  }

  std::string text() const {
    std::size_t width = 0;
    for (const Line& line : lines_) {
      width = std::max(width, line.right.empty() ? 0 : line.left.size());
    }
    std::string out;
    for (const Line& line : lines_) {
      out += line.left;
      out += line.right.empty() ? "" : std::string(width - line.left.size() + 2, ' ') + line.right;
      out += "\n";
    }
    return out;
  }

 private:
  void step(const Picture& step, const Picture* above, const std::string& rail, bool last) {
    std::string right = step.label;
    const std::string from = origin(step, above);
    right += from.empty() ? "" : "  " + from;
    lines_.push_back({rail + mark(step.shape) + " " + step.id, right});
    const std::string below = rail + (last ? "  " : "| ");
    if (!step.when.empty()) {
      lines_.push_back({below + "  when " + step.when, ""});
    }
    for (const Arrow& choice : step.choices) {
      lines_.push_back({below + "  " + choice.label + " -> " + choice.to, ""});
    }
    for (const Inside& inside : step.inside) {
      if (inside.title.empty()) {
        steps(inside.steps, below + "  ");
      } else {
        lines_.push_back({below + "+-" + inside.title, ""});
        steps(inside.steps, below + (&inside == &step.inside.back() ? "    " : "|   "));
      }
    }
  }

  static std::string mark(Shape shape) {
    switch (shape) {
      case Shape::decision:
        return "?";
      case Shape::group:
        return "#";
      case Shape::wait:
        return "~";
      case Shape::person:
        return "@";
      case Shape::end:
        return "x";
      default:
        return "o";
    }
  }

  std::vector<Line> lines_;
};

} // namespace

std::string to_ascii(const FlowPicture& picture) {
  Outline outline;
  outline.steps(picture.steps, "  ");
  return "flow " + picture.name + "\n\n" + outline.text();
}

} // namespace skein::cli
