#include "cli/input.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>

#include "core/value/json.h"
#include "core/value/utf8.h"
#include "schemas/yaml.h"

namespace skein::cli {
namespace {

constexpr std::size_t kLargest = 64u << 20;

Error unreadable(const std::string& file, const std::string& why, std::string hint) {
  return Error{Code::file_unreadable, "cannot read " + file + ": " + why, std::move(hint)};
}

Error unreadable(const std::string& file, int why) {
  return unreadable(file, std::strerror(why),
                    why == ENOENT || why == ENOTDIR
                        ? "name a file that is there, or - for standard input"
                        : "check its owner and permissions: ls -l " + file);
}

Result<Value> json_of(const std::string& text, const std::string& source) {
  auto value = parse_json(text);
  if (value) {
    return value;
  }
  Error error = value.error();
  error.detail = source + ": " + error.detail;
  if (error.hint.empty()) {
    error.hint = "write JSON, such as {\"n\":1}, or one NAME=VALUE for each field: -i n=1";
  }
  return error;
}

bool is_resource_file(const std::filesystem::path& path) {
  const std::string extension = path.extension();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

Result<std::vector<std::string>> files_of(const std::vector<std::string>& names) {
  std::vector<std::string> files;
  for (const std::string& name : names) {
    std::error_code failure;
    if (!std::filesystem::is_directory(name, failure)) {
      files.push_back(name);
      continue;
    }
    std::vector<std::string> inside;
    for (std::filesystem::directory_iterator at(name, failure), end; !failure && at != end;
         at.increment(failure)) {
      if (is_resource_file(at->path())) {
        inside.push_back(at->path());
      }
    }
    if (failure || inside.empty()) {
      return unreadable(name, failure ? failure.message() : "no YAML or JSON file is in it",
                        "name a file, or a folder with .yaml, .yml or .json files");
    }
    std::sort(inside.begin(), inside.end());
    files.insert(files.end(), inside.begin(), inside.end());
  }
  return files;
}

} // namespace

Result<Value> value_of(const std::string& word, const std::string& source) {
  auto json = parse_json(word);
  if (json || word.empty() || word.find_first_of("{[\"") != 0) {
    return json ? std::move(json) : Result<Value>(Value(word));
  }
  return Error{
      Code::usage_invalid, source + " is neither JSON nor a text: " + json.error().detail,
      "close what is open; a text that begins so is JSON in quotes: " + to_json(Value("[a] b"))};
}

Result<Value> fields_of(const std::vector<std::string>& words) {
  std::vector<MapEntry> entries;
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error{Code::usage_invalid, "\"" + word + "\" is not NAME=VALUE",
                   "put the value behind an equals sign, such as n=1"};
    }
    if (!valid_utf8(word)) {
      return Error{Code::usage_invalid, "the text of " + word.substr(0, equals) + " is not UTF-8",
                   "keep bytes in a file and give its path as the input"};
    }
    auto value = value_of(word.substr(equals + 1), word.substr(0, equals));
    if (!value) {
      return value.error();
    }
    if (std::any_of(entries.begin(), entries.end(), [&](const MapEntry& e) {
          return e.first.as_string() == word.substr(0, equals);
        })) {
      return Error{Code::usage_invalid, word.substr(0, equals) + " is given twice",
                   "give each name once; a list is JSON: " + word.substr(0, equals) + "=[1,2]"};
    }
    entries.emplace_back(word.substr(0, equals), std::move(*value));
  }
  return Value::of_map(std::move(entries));
}

Result<Value> input_of(const std::vector<std::string>& words, const std::string& file) {
  if (!file.empty()) {
    const auto text = read_file(file);
    return text ? json_of(*text, file) : text.error();
  }
  if (words.size() == 1 && !words[0].empty() && words[0].find_first_of("{[\"") == 0) {
    return json_of(words[0], "the input");
  }
  return fields_of(words);
}

Result<std::string> read_file(const std::string& file) {
  std::error_code ignored;
  if (file != "-" && std::filesystem::is_directory(file, ignored)) {
    return unreadable(file, "it is a directory", "name a file that is in it");
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> opened(
      file == "-" ? nullptr : std::fopen(file.c_str(), "rbe"),
      [](std::FILE* f) { return f != nullptr ? std::fclose(f) : 0; });
  std::FILE* in = file == "-" ? stdin : opened.get();
  if (in == nullptr) {
    return unreadable(file, errno);
  }
  std::string text;
  char part[1 << 14];
  for (std::size_t n = 0; (n = std::fread(part, 1, sizeof part, in)) > 0;) {
    text.append(part, n);
    if (text.size() > kLargest) {
      return unreadable(file, "it is larger than 64MiB",
                        "keep it in a file and give its path as the input");
    }
  }
  return std::ferror(in) != 0 ? Result<std::string>(unreadable(file, errno))
                              : Result<std::string>(std::move(text));
}

Result<std::vector<Document>> documents_of(const std::vector<std::string>& names) {
  const auto files = files_of(names);
  if (!files) {
    return files.error();
  }
  std::vector<Document> all;
  for (const std::string& file : *files) {
    const auto text = read_file(file);
    if (!text) {
      return text.error();
    }
    auto documents = schemas::read_yaml(*text, file);
    if (!documents) {
      return documents.error();
    }
    std::move(documents->begin(), documents->end(), std::back_inserter(all));
  }
  if (all.empty()) {
    return Error{Code::yaml_invalid, "there is no resource in " + files->front(),
                 "a resource has apiVersion, kind, metadata and spec: see `skein api-resources`"};
  }
  return all;
}

bool names_a_file(const std::string& word) {
  return word == "-" || word.find('/') != std::string::npos || is_resource_file(word);
}

Result<Document> document_of(const std::string& file) {
  auto documents = documents_of({file});
  if (!documents) {
    return documents.error();
  }
  if (documents->size() != 1) {
    return Error{Code::usage_invalid,
                 file + " has " + std::to_string(documents->size()) + " documents, not one flow",
                 "apply it with `skein apply -f " + file + "` and run one by its name"};
  }
  return std::move(documents->front());
}

} // namespace skein::cli
