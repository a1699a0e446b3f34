#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

namespace {

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (path.extension() != ".hex") {
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string bytes;
  for (unsigned byte = 0; in >> std::hex >> byte;) {
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

void feed(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

} // namespace

/// Feeds every file of the given directories, whole and cut in half.
int main(int count, char** arguments) {
  std::size_t files = 0;
  for (int i = 1; i < count; ++i) {
    for (const auto& file : std::filesystem::directory_iterator(arguments[i])) {
      const std::string bytes = bytes_of(file.path());
      feed(bytes);
      feed(bytes.substr(0, bytes.size() / 2));
      ++files;
    }
  }
  std::cout << files << " files read\n";
  return files == 0 ? 1 : 0;
}
