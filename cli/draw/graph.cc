#include <cctype>
#include <map>

#include "cli/draw/picture.h"

namespace skein::cli {
namespace {

std::string replaced(std::string_view text, const std::map<char, std::string>& by) {
  std::string out;
  for (const char c : text) {
    const auto found = by.find(c);
    out += found != by.end() ? found->second : std::string(1, c);
  }
  return out;
}

std::string for_dot(std::string_view text) {
  return "\"" + replaced(text, {{'"', "\\\""}, {'\\', "\\\\"}, {'\n', " "}}) + "\"";
}

std::string for_mermaid(std::string_view text) {
  return "\"" + replaced(text, {{'"', "#quot;"}, {'<', "#lt;"}, {'>', "#gt;"}, {'\n', " "}}) + "\"";
}

// Each arrow once, with the label that its source has for it.
std::vector<Arrow> arrows_into(const Picture& step, const std::map<std::string, Picture>& all) {
  std::vector<Arrow> arrows;
  for (const Arrow& arrow : step.in) {
    const auto source = all.find(arrow.from);
    bool labelled = false;
    for (const Arrow& choice : source->second.choices) {
      if (!arrow.plain && choice.to == step.id) {
        arrows.push_back(choice);
        labelled = true;
      }
    }
    if (!labelled) {
      arrows.push_back(arrow);
    }
  }
  return arrows;
}

void index(const std::vector<Picture>& steps, std::map<std::string, Picture>& all) {
  for (const Picture& step : steps) {
    Picture outline = step;
    outline.inside.clear();
    all.emplace(step.id, std::move(outline));
    for (const Inside& inside : step.inside) {
      index(inside.steps, all);
    }
  }
}

/// What the two languages do differently.
struct Language {
  bool mermaid = false;

  std::string node(const Picture& step) const {
    return mermaid ? name(step.id) + mermaid_shape(step.shape, mermaid_label(step))
                   : name(step.id) + " [shape=" + dot_shape(step.shape) +
                         ", label=" + dot_label(step) + "];";
  }
  std::string arrow(const Arrow& arrow) const {
    if (mermaid) {
      return name(arrow.from) + (arrow.plain ? " --> " : " -.-> ") +
             (arrow.label.empty() ? "" : "|" + for_mermaid(arrow.label) + "| ") + name(arrow.to);
    }
    std::string more = arrow.label.empty() ? "" : "label=" + for_dot(arrow.label);
    more += arrow.plain ? "" : std::string(more.empty() ? "" : ", ") + "style=dashed";
    return name(arrow.from) + " -> " + name(arrow.to) + (more.empty() ? "" : " [" + more + "]") +
           ";";
  }
  std::string begin(const std::string& id, const std::string& title) const {
    return mermaid ? "subgraph " + name("in " + id) + "[" + for_mermaid(title) + "]"
                   : "subgraph " + name("cluster_" + id) + " { label=" + for_dot(title) + ";";
  }
  std::string end() const { return mermaid ? "end" : "}"; }

  // Mermaid takes only simple words for names, and some of them are its own.
  std::string name(const std::string& id) const {
    if (!mermaid) {
      return for_dot(id);
    }
    std::string simple = "s_";
    for (const char c : id) {
      simple += (std::isalnum(static_cast<unsigned char>(c)) != 0) ? c : '_';
    }
    return simple;
  }

 private:
  static std::string dot_label(const Picture& step) {
    const std::string first = for_dot(step.id);
    const std::string second = for_dot(step.label);
    const std::string third = step.when.empty() ? "" : for_dot("when " + step.when);
    return first.substr(0, first.size() - 1) + "\\n" + second.substr(1, second.size() - 2) +
           (third.empty() ? "\"" : "\\n" + third.substr(1));
  }
  static std::string dot_shape(Shape shape) {
    switch (shape) {
      case Shape::decision:
        return "diamond";
      case Shape::group:
        return "folder";
      case Shape::wait:
        return "octagon";
      case Shape::person:
        return "house";
      case Shape::end:
        return "oval";
      default:
        return "box";
    }
  }
  static std::string mermaid_label(const Picture& step) {
    const std::string first = for_mermaid(step.id);
    const std::string rest =
        for_mermaid(step.label + (step.when.empty() ? "" : ", when " + step.when));
    return first.substr(0, first.size() - 1) + "<br>" + rest.substr(1);
  }
  static std::string mermaid_shape(Shape shape, const std::string& label) {
    switch (shape) {
      case Shape::decision:
        return "{" + label + "}";
      case Shape::group:
        return "[[" + label + "]]";
      case Shape::wait:
        return "([" + label + "])";
      case Shape::person:
        return "[/" + label + "/]";
      case Shape::end:
        return "((" + label + "))";
      default:
        return "[" + label + "]";
    }
  }
};

void draw(std::string& out, const std::vector<Picture>& steps, const Language& language,
          const std::map<std::string, Picture>& all, const std::string& pad) {
  for (const Picture& step : steps) {
    out += pad + language.node(step) + "\n";
    for (const Inside& inside : step.inside) {
      const std::string title = inside.title.empty() ? "each of " + step.id : inside.title;
      out += pad + language.begin(step.id + " " + title, title) + "\n";
      draw(out, inside.steps, language, all, pad + "  ");
      out += pad + language.end() + "\n";
      for (const Picture& first : inside.steps) {
        if (first.in.empty()) {
          out += pad + language.arrow({step.id, first.id, "", false}) + "\n";
        }
      }
    }
    for (const Arrow& arrow : arrows_into(step, all)) {
      out += pad + language.arrow(arrow) + "\n";
    }
  }
}

std::string graph(const FlowPicture& picture, const Language& language) {
  std::map<std::string, Picture> all;
  index(picture.steps, all);
  std::string out =
      language.mermaid ? "flowchart TD\n" : "digraph " + for_dot(picture.name) + " {\n";
  draw(out, picture.steps, language, all, "  ");
  return language.mermaid ? out : out + "}\n";
}

} // namespace

std::string to_dot(const FlowPicture& picture) { return graph(picture, Language{false}); }

std::string to_mermaid(const FlowPicture& picture) { return graph(picture, Language{true}); }

} // namespace skein::cli
