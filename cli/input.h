#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/resources/document.h"
#include "core/value/value.h"

/// What the command reads: words of the command line and files.
namespace skein::cli {

/// JSON where it reads as JSON, otherwise text; what only begins as JSON is a mistake in `source`.
/// Errors: usage_invalid.
Result<Value> value_of(const std::string& word, const std::string& source);
/// "a=1", "b=x": each as value_of, into one map.
/// Errors: usage_invalid, also where a name comes twice.
Result<Value> fields_of(const std::vector<std::string>& words);
/// -i JSON, -i k=v …, or the file that --input-file names.
/// Errors: usage_invalid, json_invalid, file_unreadable.
Result<Value> input_of(const std::vector<std::string>& words, const std::string& file);

/// A whole file, "-" for standard input; at most 64 MiB. Errors: file_unreadable.
Result<std::string> read_file(const std::string& file);

/// Documents of files as named; of a directory its YAML and JSON files, by name.
/// Errors: file_unreadable, yaml_*.
Result<std::vector<Document>> documents_of(const std::vector<std::string>& names);
/// Whether a word of the command line means a file rather than the name of something applied.
bool names_a_file(const std::string& word);
/// The one document of a file. Errors: as documents_of, usage_invalid where there are more.
Result<Document> document_of(const std::string& file);

} // namespace skein::cli
