#include "schemas/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <charconv>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "core/value/utf8.h"
#include "schemas/yaml_scalar.h"

namespace skein::schemas {
namespace {

constexpr std::string_view kPlain = "?";
constexpr std::string_view kQuoted = "!";
constexpr std::string_view kListTag = "tag:yaml.org,2002:seq";
constexpr std::string_view kMapTag = "tag:yaml.org,2002:map";

/// Leaves the parser from inside an event; caught before the module's boundary.
struct Stop {
  Error error;
};

Mark mark_of(const YAML::Mark& mark) {
  return {static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
}

std::string place_text(std::string_view file, const Mark& mark) {
  return std::string(file) + ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column) +
         ": ";
}

/// Turns parser events into nodes and refuses what is not allowed as soon as it is seen, so nothing
/// that could expand is ever built.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view file, std::string_view text, const YamlLimits& limits)
      : file_(file), text_(text), limits_(limits) {}

  /// The root of the document that has just ended; nothing where it was empty.
  std::optional<Node> take() { return std::exchange(root_, std::nullopt); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnAlias(const YAML::Mark& at, YAML::anchor_t) override {
    refuse(mark_of(at), "aliases are not allowed", "write the value out where it is used");
  }
  void OnAnchor(const YAML::Mark& at, const std::string& name) override {
    refuse(mark_of(at), "the anchor &" + name + " is not allowed",
           "write the value out where it is used");
  }

  void OnNull(const YAML::Mark& at, YAML::anchor_t) override {
    const Mark mark = mark_of(at);
    count(mark);
    if (wants_key()) {
      refuse(mark, "a key is empty", "put it into quotes if it is meant as text");
    }
    add(scalar_node(mark, Value()));
  }

  void OnScalar(const YAML::Mark& at, const std::string& tag, YAML::anchor_t,
                const std::string& text) override {
    const Mark mark = mark_of(at);
    count(mark);
    // The parser turns \N and \_ into single bytes.
    if (!valid_utf8(text)) {
      refuse(mark, "an escape in the text stands for no character", "write it as \\uXXXX");
    }
    if (wants_key()) {
      take_key(mark, tag, text);
    } else {
      Node node = scalar_node(mark, typed(mark, tag, text));
      node.column = column_of_block(static_cast<std::size_t>(at.pos));
      add(std::move(node));
    }
  }

  void OnSequenceStart(const YAML::Mark& at, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    begin(Node::Shape::list, mark_of(at), tag, kListTag);
  }
  void OnSequenceEnd() override { end(); }

  void OnMapStart(const YAML::Mark& at, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    begin(Node::Shape::map, mark_of(at), tag, kMapTag);
  }
  void OnMapEnd() override { end(); }

 private:
  /// A list or map whose end has not come yet.
  struct Open {
    Node node;
    std::map<std::string, Mark, std::less<>> seen; ///< keys of a map
    bool has_key = false;                          ///< the last member's value is still to come
  };

  [[noreturn]] void refuse(const Mark& mark, const std::string& why, std::string hint = {},
                           Code code = Code::yaml_invalid) const {
    throw Stop{Error{code, place_text(file_, mark) + why, std::move(hint)}};
  }

  void count(const Mark& mark) {
    if (++nodes_ > limits_.max_nodes) {
      refuse(mark, "more than " + std::to_string(limits_.max_nodes) + " values and keys",
             "split the file", Code::yaml_limit);
    }
  }

  bool wants_key() const {
    return !open_.empty() && open_.back().node.shape == Node::Shape::map && !open_.back().has_key;
  }

  static Node scalar_node(const Mark& mark, Value value) {
    Node node;
    node.mark = mark;
    node.scalar = std::move(value);
    return node;
  }

  Value typed(const Mark& mark, std::string_view tag, const std::string& text) const {
    if (tag == kQuoted) {
      return Value(text);
    }
    auto value = tag == kPlain ? plain_scalar(text) : tagged_scalar(tag, text);
    if (!value) {
      refuse(mark, value.error().detail, value.error().hint);
    }
    return *std::move(value);
  }

  void take_key(const Mark& mark, std::string_view tag, const std::string& text) {
    if (tag == kPlain && text == "<<") {
      refuse(mark, "merge keys are not allowed", "write the members out");
    }
    if (tag != kPlain && tag != kQuoted) {
      typed(mark, tag, text);
    }
    Open& map = open_.back();
    const auto [first, is_new] = map.seen.emplace(text, mark);
    if (!is_new) {
      refuse(mark, "the key \"" + text + "\" is there twice; first in line " +
                       std::to_string(first->second.line));
    }
    map.node.members.push_back({text, mark, Node()});
    map.has_key = true;
  }

  void begin(Node::Shape shape, const Mark& mark, std::string_view tag, std::string_view core_tag) {
    count(mark);
    if (tag != kPlain && tag != core_tag && !tag.empty()) {
      refuse(mark, "the tag " + std::string(tag) + " is not allowed",
             "remove it; files hold plain data only");
    }
    if (wants_key()) {
      refuse(mark, "a key is not a scalar");
    }
    if (open_.size() >= limits_.max_depth) {
      refuse(mark, "nested deeper than " + std::to_string(limits_.max_depth),
             "move what is deep into a flow of its own, or into the input", Code::yaml_limit);
    }
    Open& opened = open_.emplace_back();
    opened.node.shape = shape;
    opened.node.mark = mark;
  }

  void end() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  void add(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.shape == Node::Shape::list) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    parent.node.members.back().value = std::move(node);
    parent.has_key = false;
  }

  // Of the first line that has something in it, below a plain "|", "|-" or "|+"; 0 where the text
  // at this offset is no such block.
  std::uint32_t column_of_block(std::size_t at) const {
    if (at >= text_.size() || text_[at] != '|') {
      return 0;
    }
    const std::size_t header = text_.find('\n', at);
    const std::size_t first = text_.find_first_not_of(" \n", header);
    if (first == std::string_view::npos || text_.find_first_of("123456789", at) < header) {
      return 0;
    }
    return static_cast<std::uint32_t>(first - text_.rfind('\n', first));
  }

  std::string_view file_;
  std::string_view text_;
  const YamlLimits& limits_;
  std::vector<Open> open_;
  std::optional<Node> root_;
  std::size_t nodes_ = 0;
};

bool is_allowed(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 ? byte != 0x7F : c == '\t' || c == '\n' || c == '\r';
}

std::string hex_of(char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return std::string("0x") + kHex[byte >> 4] + kHex[byte & 0xF];
}

/// Control characters also cover UTF-16 and UTF-32, which the parser would otherwise convert.
std::optional<Error> refuse_bytes(std::string_view text, std::string_view file) {
  Mark mark{1, 1};
  while (!text.empty()) {
    const std::size_t size = decode_utf8(text).size;
    if (size == 0) {
      return Error{Code::yaml_invalid,
                   place_text(file, mark) + "byte " + hex_of(text[0]) + " is not UTF-8",
                   "save the file as UTF-8"};
    }
    if (!is_allowed(text[0])) {
      return Error{Code::yaml_invalid, place_text(file, mark) + "a control character",
                   "files are UTF-8 text"};
    }
    mark = text[0] == '\n' ? Mark{mark.line + 1, 1} : Mark{mark.line, mark.column + 1};
    text.remove_prefix(size);
  }
  return std::nullopt;
}

bool looks_like_json(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

/// The number of a "\uXXXX" at `i`; 0 where there is none.
std::uint32_t escaped_unit(std::string_view text, std::size_t i) {
  std::uint32_t unit = 0;
  if (i + 6 > text.size() || text[i] != '\\' || text[i + 1] != 'u') {
    return 0;
  }
  const char* end = text.data() + i + 6;
  return std::from_chars(text.data() + i + 2, end, unit, 16).ptr == end ? unit : 0;
}

bool is_surrogate_pair(std::uint32_t high, std::uint32_t low) {
  return high >= 0xD800 && high <= 0xDBFF && low >= 0xDC00 && low <= 0xDFFF;
}

std::string escape(std::uint32_t code_point) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string text = "\\U";
  for (int shift = 28; shift >= 0; shift -= 4) {
    text += kHex[(code_point >> shift) & 0xF];
  }
  return text;
}

/// JSON writes characters beyond U+FFFF as two escapes, YAML as one.
std::string join_surrogates(std::string_view text) {
  std::string joined;
  joined.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::uint32_t high = escaped_unit(text, i);
    const std::uint32_t low = high != 0 ? escaped_unit(text, i + 6) : 0;
    if (is_surrogate_pair(high, low)) {
      joined += escape(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
      i += 12;
      continue;
    }
    const std::size_t length = text[i] == '\\' && i + 1 < text.size() ? 2 : 1;
    joined += text.substr(i, length);
    i += length;
  }
  return joined;
}

std::vector<Document> parse(const std::string& text, std::string_view file,
                            const YamlLimits& limits) {
  std::istringstream in(text);
  YAML::Parser parser(in);
  TreeBuilder builder(file, text, limits);
  std::vector<Document> documents;
  while (parser.HandleNextDocument(builder)) {
    auto root = builder.take();
    const bool empty = !root || (root->shape == Node::Shape::scalar && root->scalar.is_null());
    if (!empty) {
      documents.push_back({std::string(file), *std::move(root)});
    }
  }
  return documents;
}

} // namespace

Result<std::vector<Document>> read_yaml(std::string_view text, std::string_view file,
                                        const YamlLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return Error{Code::yaml_limit,
                 place_text(file, {1, 1}) + std::to_string(text.size()) +
                     " bytes are over the limit of " + std::to_string(limits.max_bytes),
                 "split the file, or keep large values out of it: give them as a run's input"};
  }
  if (auto refused = refuse_bytes(text, file)) {
    return *std::move(refused);
  }
  try {
    return parse(looks_like_json(text) ? join_surrogates(text) : std::string(text), file, limits);
  } catch (const Stop& stop) {
    return stop.error;
  } catch (const YAML::Exception& e) {
    return Error{Code::yaml_invalid, place_text(file, mark_of(e.mark)) + e.msg,
                 "look there and just before it for a bracket or quote that is not closed, a tab, "
                 "or a line that is indented differently from its neighbours"};
  } catch (const std::exception& e) {
    return Error{Code::yaml_invalid, place_text(file, {1, 1}) + e.what()};
  }
}

} // namespace skein::schemas
