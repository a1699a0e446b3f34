#include <algorithm>
#include <charconv>

#include "core/base/nearest.h"
#include "core/schema/compiler.h"
#include "core/schema/uri.h"

namespace skein::schema {
namespace {

const Value* step_into(const Value& value, const std::string& token) {
  if (value.is(Kind::map)) {
    return value.find(token);
  }
  if (!value.is(Kind::list)) {
    return nullptr;
  }
  std::size_t index = 0;
  const auto [end, problem] = std::from_chars(token.data(), token.data() + token.size(), index);
  const bool whole = problem == std::errc() && end == token.data() + token.size();
  return whole && index < value.as_list().size() ? &value.as_list()[index] : nullptr;
}

std::vector<std::string_view> anchors_of(const Resource& resource) {
  std::vector<std::string_view> names;
  for (const auto& [name, node] : resource.anchors) {
    names.push_back(name);
  }
  return names;
}

} // namespace

void Compiler::resolve(const Pending& pending) {
  const std::string& from = program_->nodes[pending.from].pointer;
  const auto resource = resource_of(pending);
  if (!resource) {
    return fail(from, "refers to \"" + pending.text +
                          "\", which is not in this document; nothing is ever fetched");
  }
  const auto fragment = fragment_of(pending.text);
  if (!fragment) {
    return fail(from, "refers to \"" + pending.text + "\", which has a broken % escape");
  }
  const NodeIndex target = target_of(pending, *resource, *fragment);
  Node& node = program_->nodes[pending.from];
  if (!pending.dynamic) {
    node.ref = target;
    return;
  }
  node.dynamic_ref = target;
  if (program_->resources[*resource].dynamic_anchors.contains(*fragment)) {
    node.dynamic_name = *fragment;
  }
}

std::optional<ResourceIndex> Compiler::resource_of(const Pending& pending) const {
  if (pending.text.empty() || pending.text.starts_with('#')) {
    return pending.resource;
  }
  const std::string uri = resolve_uri(program_->resources[pending.resource].uri, pending.text);
  for (ResourceIndex i = 0; i < program_->resources.size(); ++i) {
    if (program_->resources[i].uri == uri) {
      return i;
    }
  }
  return std::nullopt;
}

NodeIndex Compiler::target_of(const Pending& pending, ResourceIndex resource,
                              const std::string& fragment) {
  const Resource& in = program_->resources[resource];
  if (fragment.empty() || fragment.starts_with('/')) {
    const NodeIndex found = at_pointer(resource, in.pointer + fragment);
    if (found == kNoNode) {
      fail(program_->nodes[pending.from].pointer,
           "refers to \"" + pending.text + "\", and there is nothing at that place");
    }
    return found;
  }
  const auto anchor = in.anchors.find(fragment);
  if (anchor != in.anchors.end()) {
    return anchor->second;
  }
  fail(program_->nodes[pending.from].pointer, "refers to the anchor \"" + fragment +
                                                  "\", which does not exist" +
                                                  did_you_mean(fragment, anchors_of(in)));
  return kNoNode;
}

NodeIndex Compiler::at_pointer(ResourceIndex resource, const std::string& pointer) {
  if (const auto known = by_pointer_.find(pointer); known != by_pointer_.end()) {
    return known->second;
  }
  const Value* here = &document_;
  std::size_t depth = 0;
  for (std::size_t start = 1; start <= pointer.size() && here != nullptr; ++depth) {
    const std::size_t end = std::min(pointer.find('/', start), pointer.size());
    here = step_into(*here, unescape_token(pointer.substr(start, end - start)));
    start = end + 1;
  }
  return here == nullptr ? kNoNode : walk(*here, pointer, resource, depth);
}

} // namespace skein::schema
