#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <sstream>
#include <string>
#include <vector>

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

std::vector<std::string> corpus_of(const char* directory) {
  std::vector<std::string> corpus;
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    corpus.push_back(bytes_of(file.path()));
  }
  return corpus;
}

/// Changes, removes or copies a few bytes, from the same corpus where it copies.
std::string mutated(const std::vector<std::string>& corpus, std::mt19937_64& random) {
  std::string bytes = corpus[random() % corpus.size()];
  for (std::uint64_t n = 1 + random() % 8; n > 0 && !bytes.empty(); --n) {
    const std::size_t at = random() % bytes.size();
    const std::string& other = corpus[random() % corpus.size()];
    switch (random() % 4) {
      case 0:
        bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes.erase(at, 1 + random() % 8);
        break;
      case 2:
        bytes.insert(at, bytes, random() % bytes.size(), random() % 16);
        break;
      default:
        bytes.insert(at, other, random() % (other.size() + 1), random() % 16);
    }
  }
  return bytes;
}

} // namespace

/// fuzz_NAME DIRECTORY ROUNDS SEED: feeds every file of the directory, then as many mutations of
/// them.
int main(int count, char** arguments) {
  if (count != 4) {
    std::cerr << "usage: " << arguments[0] << " DIRECTORY ROUNDS SEED\n";
    return 2;
  }
  const std::vector<std::string> corpus = corpus_of(arguments[1]);
  for (const std::string& bytes : corpus) {
    feed(bytes);
  }
  const std::uint64_t rounds = std::stoull(arguments[2]);
  std::mt19937_64 random(std::stoull(arguments[3]));
  for (std::uint64_t round = 0; round < rounds && !corpus.empty(); ++round) {
    feed(mutated(corpus, random));
  }
  std::cout << corpus.size() << " files and " << rounds << " mutations read\n";
  return corpus.empty() ? 1 : 0;
}
