#include "property/flow/random_flow.h"

#include <algorithm>

namespace skein::property {
namespace {

constexpr std::size_t kFlags = 6;
constexpr std::size_t kMaxSteps = 30;
constexpr std::size_t kMaxDepth = 3;

class Author {
 public:
  Author(Chance& chance, RandomFlow& flow) : chance_(chance), flow_(flow) {}

  void write() {
    for (std::size_t i = 0; i < kFlags; ++i) {
      flow_.flags.push_back(chance_.percent(60));
    }
    line(0, "apiVersion: skein.dev/v1");
    line(0, "kind: Flow");
    line(0, "metadata: { name: random }");
    line(0, "spec:");
    line(1, "vars: { total: 0, seen: [], map: {} }");
    if (chance_.percent(10)) {
      line(1, "timeout: 40s");
    }
    if (chance_.percent(15)) {
      line(1, "retry: { max_attempts: 2, initial: 1s, jitter: 0.5 }");
    }
    if (chance_.percent(25)) {
      line(1, "output: { total: \"${ vars.total }\", seen: \"${ vars.seen }\" }");
    }
    line(1, "steps:");
    block(2, 0, 0);
  }

 private:
  void line(std::size_t indent, const std::string& text) {
    flow_.yaml += std::string(2 * indent, ' ') + text + "\n";
  }

  std::string new_id() { return "s" + std::to_string(++ids_); }

  struct Sibling {
    std::string id;
    bool target = false; ///< of a goto
  };

  void block(std::size_t indent, std::size_t depth, std::size_t eaches) {
    std::vector<Sibling> steps(depth == 0 ? 3 + chance_.below(6) : 1 + chance_.below(4));
    for (Sibling& step : steps) {
      step.id = new_id();
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
      step(indent, depth, eaches, steps, i);
    }
  }

  void step(std::size_t indent, std::size_t depth, std::size_t eaches,
            std::vector<Sibling>& siblings, std::size_t i) {
    const std::string& id = siblings[i].id;
    line(indent, "- id: " + id);
    const std::size_t inner = indent + 1;
    std::vector<std::string> before; // what has ended for sure when this one begins
    if (i > 0 && chance_.percent(40)) {
      for (std::size_t k = 0; k < i; ++k) {
        if (chance_.percent(40)) {
          before.push_back(siblings[k].id);
        }
      }
      std::string needs;
      for (const std::string& one : before) {
        needs += (needs.empty() ? "" : ", ") + one;
      }
      line(inner, "needs: [" + needs + "]");
    } else if (i > 0 && !siblings[i].target) {
      before.push_back(siblings[i - 1].id);
    }
    const bool conditional = chance_.percent(25);
    if (conditional) {
      flow_.when[id] = condition(before, eaches);
      line(inner, "when: " + text_of(flow_.when[id]));
    }
    const bool leaf = kind(inner, depth, eaches, siblings, i, conditional);
    if (chance_.percent(20)) {
      on_error(inner, siblings, i, leaf);
    }
  }

  Condition condition(const std::vector<std::string>& before, std::size_t eaches) {
    if (chance_.percent(3)) {
      return {Condition::What::broken, 0, {}};
    }
    if (!before.empty() && chance_.percent(30)) {
      return {Condition::What::status, 0, chance_.one_of(before)};
    }
    if (eaches > 0 && chance_.percent(50)) {
      return {Condition::What::parity, 0, {}};
    }
    return {Condition::What::flag, chance_.below(kFlags), {}};
  }

  static std::string text_of(const Condition& condition) {
    switch (condition.what) {
      case Condition::What::flag:
        return "input.f[" + std::to_string(condition.number) + "]";
      case Condition::What::parity:
        return "index % 2 == 0";
      case Condition::What::status:
        return "steps." + condition.step + ".status == 'skipped'";
      case Condition::What::broken:
        return "input.missing > 1";
      case Condition::What::always:
        break;
    }
    return "true";
  }

  /// Whether it has no steps of its own.
  bool kind(std::size_t indent, std::size_t depth, std::size_t eaches,
            std::vector<Sibling>& siblings, std::size_t i, bool conditional) {
    const std::string& id = siblings[i].id;
    const std::size_t drawn = chance_.below(100);
    const bool room = depth < kMaxDepth && ids_ < kMaxSteps;
    if (drawn < 12 && room) {
      parallel(indent, depth, eaches);
      return false;
    }
    if (drawn < 24 && room) {
      for_each(indent, depth, eaches, id);
      return false;
    }
    if (drawn < 32 && i + 1 < siblings.size()) {
      choose(indent, siblings, i, eaches);
    } else if (drawn < 40) {
      line(indent, "set: { total: { sum: 1 }, seen: { append: " + id + " }, map: { merge: { " + id +
                       ": 1.0 } }, last: " + id + " }");
    } else if (drawn < 50) {
      wait(indent);
    } else if (drawn < 57) {
      approval(indent, id);
    } else if (drawn < 61) {
      line(indent, "emit: { type: thing.done, subject: " + id + ", data: { n: 1.5 } }");
    } else if (drawn < 64) {
      line(indent, "respond: { from: " + id + ", n: 2.0 }");
    } else if (drawn < 67 && conditional) {
      line(indent, "fail: { code: E1, message: \"stop at " + id + "\" }");
    } else {
      tool(indent);
    }
    return true;
  }

  void tool(std::size_t indent) {
    static const std::vector<std::string> kClasses{"pure", "idempotent", "keyed", "verify",
                                                   "unsafe"};
    line(indent, "tool: shell");
    line(indent, "with: { command: [\"${ run.id }\", 1.0] }");
    line(indent, "effect: " + chance_.one_of(kClasses));
    if (chance_.percent(40)) {
      static const std::vector<std::string> kDoubt{"ask", "retry", "fail"};
      line(indent, "in_doubt: " + chance_.one_of(kDoubt));
    }
    if (chance_.percent(40)) {
      static const std::vector<std::string> kRest{
          "", ", retry_on: [timeout]", ", backoff: constant, jitter: 0",
          ", backoff: linear, max: 3s, retry_on: [SK5003, timeout]"};
      line(indent, "retry: { max_attempts: " + std::to_string(1 + chance_.below(4)) +
                       ", initial: 2s" + chance_.one_of(kRest) + " }");
    }
    if (chance_.percent(10)) {
      line(indent, "timeout: 5s");
    }
  }

  void parallel(std::size_t indent, std::size_t depth, std::size_t eaches) {
    const std::size_t branches = 1 + chance_.below(4);
    static const std::vector<std::string> kJoins{"all", "all", "any", "majority"};
    line(indent, "parallel:");
    line(indent + 1, "join: " + (chance_.percent(20)
                                     ? "{ n: " + std::to_string(1 + chance_.below(branches)) + " }"
                                     : chance_.one_of(kJoins)));
    if (chance_.percent(30)) {
      line(indent + 1, "on_branch_failure: continue");
    }
    line(indent + 1, "branches:");
    for (std::size_t branch = 0; branch < branches; ++branch) {
      line(indent + 2, "b" + std::to_string(branch) + ":");
      block(indent + 3, depth + 1, eaches);
    }
  }

  void for_each(std::size_t indent, std::size_t depth, std::size_t eaches, const std::string& id) {
    const std::size_t count = chance_.below(5);
    std::string items;
    for (std::size_t i = 0; i < count; ++i) {
      items += (items.empty() ? "" : ", ") + std::to_string(10 * i);
    }
    flow_.items[id] = count;
    line(indent, "for_each:");
    line(indent + 1, "in: [" + items + "]");
    if (chance_.percent(60)) {
      line(indent + 1, "max_parallel: " + std::to_string(1 + chance_.below(4)));
    }
    if (chance_.percent(30)) {
      line(indent + 1, "on_item_failure: continue");
    }
    line(indent + 1, "steps:");
    block(indent + 2, depth + 1, eaches + 1);
  }

  void choose(std::size_t indent, std::vector<Sibling>& siblings, std::size_t i,
              std::size_t eaches) {
    const std::string& id = siblings[i].id;
    line(indent, "switch:");
    line(indent + 1, "cases:");
    const std::size_t cases = 1 + chance_.below(3);
    for (std::size_t n = 0; n < cases; ++n) {
      const Condition when = condition({}, eaches);
      flow_.cases[id].push_back(when);
      line(indent + 2, "- { when: \"" + text_of(when) + "\", goto: " + later(siblings, i) + " }");
    }
    if (chance_.percent(40)) {
      flow_.cases[id].push_back({});
      line(indent + 1, "default: " + later(siblings, i));
    }
  }

  std::string later(std::vector<Sibling>& siblings, std::size_t i) {
    Sibling& target = siblings[i + 1 + chance_.below(siblings.size() - i - 1)];
    target.target = true;
    return target.id;
  }

  void wait(std::size_t indent) {
    static const std::vector<std::string> kWaits{
        "{ duration: 5s }",
        "{ duration: 0s }",
        "{ until: \"1970-01-01T00:00:20Z\" }",
        "{ signal: go }",
        "{ signal: stop }",
        "{ signal: go, timeout: 8s }",
        "{ signal: stop, timeout: 8s, on_timeout: continue }"};
    line(indent, "wait: " + chance_.one_of(kWaits));
  }

  void approval(std::size_t indent, const std::string& id) {
    std::string text = "message: \"may ${ run.flow } go on?\"";
    if (chance_.percent(40)) {
      text += ", approvers: [ann, bob, eve]";
    }
    if (chance_.percent(40)) {
      text += ", required: 2";
    }
    if (chance_.percent(50)) {
      static const std::vector<std::string> kLate{"fail", "approve", "reject"};
      text += ", timeout: 9s, on_timeout: " + chance_.one_of(kLate);
    }
    if (chance_.percent(20)) {
      const std::size_t flag = chance_.below(kFlags);
      flow_.auto_approved[id] = flow_.flags[flag];
      text += ", auto_approve: \"input.f[" + std::to_string(flag) + "]\"";
    }
    line(indent, "approval: { " + text + " }");
  }

  void on_error(std::size_t indent, std::vector<Sibling>& siblings, std::size_t i, bool leaf) {
    if (i + 1 < siblings.size() && chance_.percent(40)) {
      line(indent, "on_error: [ { goto: " + later(siblings, i) + " } ]");
    } else if (!leaf || chance_.percent(50)) {
      line(indent, "on_error: [ { continue: true, output: { was: \"${ error.code }\" } } ]");
    } else {
      line(indent, "on_error: [ { when: \"error.code == 'E1'\", continue: true } ]");
    }
  }

  Chance& chance_;
  RandomFlow& flow_;
  std::size_t ids_ = 0;
};

} // namespace

RandomFlow random_flow(Chance& chance) {
  RandomFlow flow;
  Author(chance, flow).write();
  return flow;
}

} // namespace skein::property
