#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "node/node.h"
#include "schemas/yaml.h"

/// What the benchmark programs that run flows share. They end the process on any error.
namespace skein::bench {

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", to_string(result.error()).c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(*result);
  }
}

inline std::unique_ptr<node::Node> open(const std::filesystem::path& data,
                                        std::size_t effects_in_flight = 256, bool recover = false) {
  node::Settings settings;
  settings.data = data;
  settings.recover = recover;
  settings.effects_in_flight = effects_in_flight;
  return must(node::Node::open(settings));
}

/// What `PROGRAM [DIRECTORY] [RUNS]` was asked for; the directory is made anew.
struct Asked {
  Asked(int count, char** words, std::size_t usual)
      : root(count > 1 ? std::filesystem::path(words[1])
                       : std::filesystem::temp_directory_path() / "skein-bench"),
        runs(count > 2 ? std::strtoul(words[2], nullptr, 10) : usual) {
    std::filesystem::remove_all(root);
    std::filesystem::create_directories(root);
  }
  std::filesystem::path root;
  std::size_t runs;
};

/// Applies the flow of that name whose spec is given.
inline flow::DefinitionPtr apply(node::Node& node, const std::string& name,
                                 const std::string& spec) {
  const std::string text =
      "apiVersion: skein.dev/v1\nkind: Flow\nmetadata: { name: " + name + " }\nspec:\n" + spec;
  const auto documents = must(schemas::read_yaml(text, name + ".yaml"));
  return must(node::apply_flow(node.store(), documents.front(), Instant{1}, &node.tools()));
}

inline RunId run_of(const flow::Definition& flow, std::size_t number) {
  return RunId(flow.name + "-" + std::to_string(number));
}

/// Starts so many runs from many threads, so that their entries share synced writes.
inline void start_all(node::Node& node, const flow::DefinitionPtr& flow, std::size_t runs) {
  constexpr std::size_t kThreads = 128;
  std::vector<std::jthread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < runs; i += kThreads) {
        must(node.start({flow, Value(), {}, run_of(*flow, i), 7}));
      }
    });
  }
}

} // namespace skein::bench
