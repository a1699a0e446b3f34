#include "cli/contexts.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "cli/input.h"
#include "cli/output.h"
#include "core/base/nearest.h"
#include "schemas/yaml.h"

namespace skein::cli {
namespace {

Error wrong(const Node& node, const std::string& what) {
  return Error{Code::resource_value_invalid,
               contexts_file().string() + ":" + std::to_string(node.mark.line) + ": " + what,
               "see `skein config get-contexts --help`"};
}

std::string text_of(const Node& node) {
  return node.scalar.is(Kind::string) ? std::string(node.scalar.as_string()) : "";
}

Result<NamedContext> read_one(const Node::Member& member) {
  NamedContext context{member.key, "", "", ""};
  for (const Node::Member& field : member.value.members) {
    std::string* into = field.key == "server"  ? &context.server
                        : field.key == "token" ? &context.token
                        : field.key == "data"  ? &context.data
                                               : nullptr;
    if (into == nullptr || !field.value.scalar.is(Kind::string)) {
      return wrong(field.value, "\"" + field.key + "\" is no text named server, token or data");
    }
    *into = text_of(field.value);
  }
  return context;
}

Result<Contexts> read(const Node& root) {
  Contexts contexts;
  for (const Node::Member& member : root.members) {
    if (member.key == "current") {
      contexts.current = text_of(member.value);
    } else if (member.key == "contexts") {
      for (const Node::Member& each : member.value.members) {
        auto one = read_one(each);
        if (!one) {
          return one.error();
        }
        contexts.all.push_back(std::move(*one));
      }
    } else {
      return wrong(member.value, "\"" + member.key + "\" is neither current nor contexts");
    }
  }
  return contexts;
}

Value value_of(const Contexts& contexts) {
  std::vector<MapEntry> all;
  for (const NamedContext& context : contexts.all) {
    std::vector<MapEntry> fields;
    for (const auto& [name, text] : {std::pair<const char*, std::string>{"data", context.data},
                                     {"server", context.server},
                                     {"token", context.token}}) {
      if (!text.empty()) {
        fields.emplace_back(name, text);
      }
    }
    all.emplace_back(context.name, Value::of_map(std::move(fields)));
  }
  return object({{"current", contexts.current}, {"contexts", Value::of_map(std::move(all))}});
}

Error unwritten(const std::filesystem::path& file) {
  return Error{Code::output_failed, "cannot write " + file.string() + ": " + std::strerror(errno),
               "check its owner and permissions"};
}

} // namespace

const NamedContext* Contexts::find(const std::string& name) const {
  const auto found = std::ranges::find(all, name, &NamedContext::name);
  return found == all.end() ? nullptr : &*found;
}

NamedContext& Contexts::at(const std::string& name) {
  const auto found = std::ranges::find(all, name, &NamedContext::name);
  return found != all.end() ? *found : all.emplace_back(NamedContext{name, "", "", ""});
}

std::filesystem::path contexts_file() {
  const char* given = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path config =
      given != nullptr && *given == '/'
          ? std::filesystem::path(given)
          : std::filesystem::path(home != nullptr ? home : ".") / ".config";
  return config / "skein" / "config.yaml";
}

Result<Contexts> read_contexts() {
  const auto file = contexts_file();
  if (::access(file.c_str(), F_OK) != 0) {
    return Contexts();
  }
  const auto text = read_file(file);
  const auto documents = text ? schemas::read_yaml(*text, file.string()) : text.error();
  if (!documents) {
    return documents.error();
  }
  return documents->empty() ? Contexts() : read(documents->front().root);
}

Result<void> write_contexts(const Contexts& contexts) {
  const auto file = contexts_file();
  const std::filesystem::path part = file.string() + ".part";
  std::error_code ignored;
  std::filesystem::create_directories(file.parent_path(), ignored);
  const std::string text = to_yaml(value_of(contexts));
  const int out = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (out < 0) {
    return unwritten(file);
  }
  const bool written = ::write(out, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool closed = ::close(out) == 0;
  return written && closed && ::rename(part.c_str(), file.c_str()) == 0 ? Result<void>()
                                                                        : unwritten(file);
}

Result<NamedContext> context_named(const Contexts& contexts, const std::string& name) {
  if (const NamedContext* found = contexts.find(name)) {
    return *found;
  }
  std::vector<std::string_view> names;
  for (const NamedContext& context : contexts.all) {
    names.push_back(context.name);
  }
  return Error{Code::context_unknown,
               "there is no context \"" + name + "\"" + did_you_mean(name, names),
               "make it with `skein config set-context " + name + " --server URL --token TOKEN`"};
}

} // namespace skein::cli
