#include "cli/run/scene.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "cli/output.h"

namespace skein::cli {
namespace {

constexpr std::size_t kItemsShown = 8;

bool ended(const std::string& status) {
  return status == "succeeded" || status == "failed" || status == "skipped" ||
         status == "cancelled";
}

class Staging {
 public:
  Staging(const Story& story, Instant now, Scene& scene)
      : story_(story), definition_(story.machine()->definition()), now_(now), scene_(scene) {
    for (auto& view : story.machine()->view()) {
      const flow::Place place = view.place;
      views_.emplace(place, std::move(view));
    }
  }

  void block(flow::BlockIndex index, const flow::Place& inside, std::size_t depth) {
    for (const flow::StepIndex step : definition_.blocks[index].steps) {
      flow::Place place = inside;
      place.step = step;
      add(place, depth);
    }
  }

 private:
  void add(const flow::Place& place, std::size_t depth) {
    const flow::Step& step = definition_.steps[place.step];
    const auto view = views_.find(place);
    SceneStep shown;
    shown.depth = depth;
    shown.name = step.id;
    shown.status = view != views_.end() ? view->second.status : "idle";
    shown.attempt = view != views_.end() ? view->second.attempt : 0;
    shown.took = took(place, shown.status);
    if (view != views_.end() && view->second.failure) {
      shown.note = view->second.failure->code + ": " + view->second.failure->message;
    }
    scene_.steps.push_back(shown);
    if (const auto* parallel = std::get_if<flow::ParallelStep>(&step.kind)) {
      for (const auto& branch : parallel->branches) {
        scene_.steps.push_back({depth + 1, branch.name, "", 0, {}, ""});
        block(branch.block, place, depth + 2);
      }
    } else if (const auto* each = std::get_if<flow::ForEachStep>(&step.kind)) {
      items(place, each->body, scene_.steps.size() - 1, depth);
    }
  }

  // Items that are under way have a state; those that were begun and have none are done.
  void items(const flow::Place& each, flow::BlockIndex body, std::size_t at, std::size_t depth) {
    const auto belongs = [&](const flow::Place& place) {
      return place.depth > each.depth &&
             std::equal(each.items.begin(), each.items.begin() + each.depth, place.items.begin()) &&
             within(place.step, body);
    };
    std::set<std::uint32_t> begun;
    std::set<std::uint32_t> under_way;
    for (const auto& [place, attempt] : story_.attempts()) {
      if (belongs(place)) {
        begun.insert(place.items[each.depth]);
      }
    }
    for (const auto& [place, view] : views_) {
      if (belongs(place)) {
        under_way.insert(place.items[each.depth]);
      }
    }
    for (const std::uint32_t item : under_way) {
      begun.erase(item);
    }
    if (!begun.empty() || !under_way.empty()) {
      scene_.steps[at].note = std::to_string(begun.size()) + " items done, " +
                              std::to_string(under_way.size()) + " under way";
    }
    std::size_t shown = 0;
    for (const std::uint32_t item : under_way) {
      if (++shown <= kItemsShown) {
        scene_.steps.push_back({depth + 1, "[" + std::to_string(item) + "]", "", 0, {}, ""});
        block(body, flow::inside(each, item), depth + 2);
      }
    }
  }

  // Whether the step stands in this block or in one that a step of it holds.
  bool within(flow::StepIndex step, flow::BlockIndex block) const {
    flow::BlockIndex at = definition_.steps[step].block;
    while (at != block) {
      const auto& owner = definition_.blocks[at].owner;
      if (!owner) {
        return false;
      }
      at = definition_.steps[*owner].block;
    }
    return true;
  }

  std::optional<Millis> took(const flow::Place& place, const std::string& status) const {
    const auto attempt = story_.attempts().find(place);
    if (attempt == story_.attempts().end() || !attempt->second.begun) {
      return std::nullopt;
    }
    const Instant begun = *attempt->second.begun;
    if (attempt->second.ended) {
      return *attempt->second.ended - begun;
    }
    return status == "running" ? std::optional(now_ - begun) : std::nullopt;
  }

  const Story& story_;
  const flow::Definition& definition_;
  Instant now_;
  Scene& scene_;
  std::map<flow::Place, flow::Machine::StepView> views_;
};

struct Sign {
  const char* status;
  const char* unicode;
  const char* ascii;
  const char* colour;
};

constexpr std::array<Sign, 10> kSigns{{{"succeeded", "✓", "+", "\x1b[32m"},
                                       {"failed", "✗", "x", "\x1b[31m"},
                                       {"skipped", "-", "-", "\x1b[2m"},
                                       {"cancelled", "⊘", "/", "\x1b[2m"},
                                       {"retrying", "↻", "r", "\x1b[33m"},
                                       {"waiting", "…", "w", "\x1b[33m"},
                                       {"paused", "‖", "=", "\x1b[33m"},
                                       {"in_doubt", "?", "?", "\x1b[35m"},
                                       {"pending", "○", ".", ""},
                                       {"idle", "○", ".", "\x1b[2m"}}};

std::string sign_of(const std::string& status, const Style& style) {
  constexpr std::array<const char*, 8> kTurning{"⠋", "⠙", "⠸", "⠴", "⠦", "⠇", "⠏", "⠹"};
  constexpr std::array<const char*, 4> kTurningAscii{"|", "/", "-", "\\"};
  const auto found = std::find_if(kSigns.begin(), kSigns.end(),
                                  [&](const Sign& sign) { return status == sign.status; });
  std::string sign = style.unicode ? kTurning[style.frame % kTurning.size()]
                                   : kTurningAscii[style.frame % kTurningAscii.size()];
  std::string colour = "\x1b[36m";
  if (found != kSigns.end()) {
    sign = style.unicode ? found->unicode : found->ascii;
    colour = found->colour;
  }
  return style.colour && !colour.empty() ? colour + sign + "\x1b[0m" : sign;
}

std::string rounded(Millis span) {
  if (span.count < 0) {
    return "0s";
  }
  return span.count < 1'000 ? std::to_string(span.count) + "ms"
                            : to_string(Millis{span.count / 1'000 * 1'000});
}

// The sign takes one column, whatever it is coloured with.
std::string line_of(const std::string& pad, const std::string& sign, const std::string& text,
                    const Style& style) {
  const std::size_t used = pad.size() + 2;
  return used >= style.columns ? std::string()
                               : pad + sign + " " + shortened(text, style.columns - used);
}

std::string text_of(const SceneStep& step, std::size_t width) {
  const std::size_t used = 2 * step.depth + columns_of(step.name);
  std::string text = step.name + std::string(width > used ? width - used : 0, ' ') + "  ";
  text += step.status == "idle" ? "" : step.status;
  text += step.took ? "  " + rounded(*step.took) : "";
  text += step.attempt > 1 ? "  attempt " + std::to_string(step.attempt) : "";
  text += step.note.empty() ? "" : "  " + step.note;
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

} // namespace

Scene scene_of(const Story& story, Instant now) {
  const flow::Machine& machine = *story.machine();
  Scene scene;
  scene.run = machine.run().get();
  scene.flow = machine.definition().name;
  scene.state = machine.state();
  scene.note = machine.waiting_for().empty() ? machine.reason() : "for " + machine.waiting_for();
  const Instant until = is_final(scene.state) ? story.last_at() : now;
  scene.elapsed = until - story.first_at();
  Staging(story, now, scene).block(flow::kRootBlock, {}, 0);
  return scene;
}

std::vector<std::string> draw(const Scene& scene, const Style& style) {
  std::string head = scene.run + "  " + std::string(name_of(scene.state)) + "  " +
                     rounded(scene.elapsed) + (scene.note.empty() ? "" : "  " + scene.note);
  std::vector<std::string> lines{
      line_of("", sign_of(std::string(name_of(scene.state)), style), head, style)};
  std::size_t width = 0;
  for (const SceneStep& step : scene.steps) {
    width = std::max(width, 2 * step.depth + columns_of(step.name));
  }
  for (std::size_t i = 0; i < scene.steps.size(); ++i) {
    const SceneStep& step = scene.steps[i];
    if (lines.size() + 1 >= style.rows && i + 1 < scene.steps.size()) {
      lines.push_back(line_of(
          "  ", " ", "and " + std::to_string(scene.steps.size() - i) + " more lines", style));
      break;
    }
    const std::string sign = step.status.empty() ? " " : sign_of(step.status, style);
    lines.push_back(
        line_of(std::string(2 + 2 * step.depth, ' '), sign, text_of(step, width), style));
  }
  return lines;
}

std::string draw_line(const Scene& scene, const Style& style) {
  std::size_t all = 0;
  std::size_t done = 0;
  std::string running;
  for (const SceneStep& step : scene.steps) {
    all += step.status.empty() ? 0 : 1;
    done += ended(step.status) ? 1 : 0;
    if (step.status == "running" || step.status == "retrying") {
      running += (running.empty() ? ": " : ", ") + step.name;
    }
  }
  return line_of("", sign_of("running", style),
                 scene.run + "  " + std::to_string(done) + " of " + std::to_string(all) +
                     " steps  " + rounded(scene.elapsed) + running,
                 style);
}

} // namespace skein::cli
