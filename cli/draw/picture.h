#pragma once

#include <string>
#include <vector>

#include "core/flow/definition.h"
#include "core/resources/document.h"

/// A flow as a drawing: what stands where, with the words of its file.
namespace skein::cli {

enum class Shape { work, decision, group, wait, person, end };

struct Arrow {
  std::string from;
  std::string to;
  std::string label; ///< the condition, or ""
  bool plain = true; ///< taken when its source is done; else when its source chose it
};

struct Picture;

/// What a step holds: a branch of a parallel, or the body of a for_each.
struct Inside {
  std::string title;
  std::vector<Picture> steps;
};

struct Picture {
  std::string id;
  std::string label; ///< "tool shell", "for_each service in input.services, 2 at a time"
  std::string when;  ///< the condition of the step itself, or ""
  Shape shape = Shape::work;
  std::vector<Arrow> in;
  std::vector<Arrow> choices; ///< of a switch, in order; those of on_error after them
  std::vector<Inside> inside;
};

struct FlowPicture {
  std::string name;
  std::vector<Picture> steps;
};

/// REQUIRES: the definition was loaded from this document.
FlowPicture picture_of(const flow::Definition& definition, const Document& document);

/// An outline: steps from top to bottom, what they hold indented, arrows where the order is not
/// that of the lines. ASCII only.
std::string to_ascii(const FlowPicture& picture);
/// For Graphviz.
std::string to_dot(const FlowPicture& picture);
/// For Mermaid.
std::string to_mermaid(const FlowPicture& picture);

} // namespace skein::cli
