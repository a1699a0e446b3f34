#include "node/api/frames.h"

#include <limits>
#include <optional>

#include "schemas/codec.h"

namespace skein::node {
namespace {

constexpr char kBlob = 'b';
constexpr char kRecord = 'r';
constexpr char kEntry = 'e';
constexpr char kCheckpoint = 'c';
constexpr char kResource = 's';
constexpr char kNumber = 'n';

void append_number(std::string& out, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    out.push_back(static_cast<char>((number >> (8 * i)) & 0xff));
  }
}

std::uint64_t number_of(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    number |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return number;
}

template <class T>
Result<Framed> framed(Result<T> decoded) {
  return decoded ? Result<Framed>(Framed(std::move(*decoded))) : decoded.error();
}

Error cut() { return Error{Code::wire_invalid, "what the node sent ends in the middle of a part"}; }

/// Parts one by one; keeps the payloads that later ones refer to.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool done() const { return rest_.empty(); }

  /// Nothing where the part was a payload.
  Result<std::optional<Framed>> next() {
    constexpr std::size_t kHead = 5;
    if (rest_.size() < kHead) {
      return cut();
    }
    const char letter = rest_[0];
    const std::uint64_t size = number_of(rest_.substr(1, 4));
    rest_.remove_prefix(kHead);
    if (rest_.size() < size) {
      return cut();
    }
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    if (letter == kBlob) {
      return keep(bytes);
    }
    auto decoded = decode(letter, bytes);
    return decoded ? Result<std::optional<Framed>>(std::optional(std::move(*decoded)))
                   : decoded.error();
  }

 private:
  Result<std::optional<Framed>> keep(std::string_view bytes) {
    ContentHash hash;
    if (bytes.size() < hash.bytes.size()) {
      return cut();
    }
    for (std::size_t i = 0; i < hash.bytes.size(); ++i) {
      hash.bytes[i] = static_cast<std::uint8_t>(bytes[i]);
    }
    blobs_.emplace(hash, bytes.substr(hash.bytes.size()));
    return std::optional<Framed>();
  }

  Result<Framed> decode(char letter, std::string_view bytes) const {
    const schemas::BlobSource source = [this](const ContentHash& hash) -> Result<std::string> {
      const auto found = blobs_.find(hash);
      if (found == blobs_.end()) {
        return Error{Code::blob_missing, "the node did not send " + to_string(hash)};
      }
      return std::string(found->second);
    };
    switch (letter) {
      case kRecord:
        return framed(schemas::decode_record(bytes, source));
      case kEntry:
        return framed(schemas::decode_entry(bytes, source));
      case kCheckpoint:
        return framed(schemas::decode_checkpoint(bytes, source));
      case kResource:
        return framed(schemas::decode_resource(bytes));
      case kNumber:
        return Framed(Seq(number_of(bytes.substr(0, 8))));
      default:
        return Error{Code::wire_version, "the node sent a part that this command does not know",
                     "use the command of the node's version"};
    }
  }

  std::string_view rest_;
  std::map<ContentHash, std::string_view> blobs_;
};

} // namespace

void FrameWriter::part(char letter, std::string_view bytes) {
  out_.push_back(letter);
  append_number(out_, bytes.size(), 4);
  out_ += bytes;
}

void FrameWriter::blob(const ContentHash& hash, std::string_view bytes) {
  if (sent_.emplace(hash, true).second) {
    std::string named(hash.bytes.begin(), hash.bytes.end());
    named += bytes;
    part(kBlob, named);
  }
}

void FrameWriter::add(const RunRecord& record) {
  part(kRecord,
       schemas::encode_record(
           record, [this](const ContentHash& hash, std::string_view bytes) { blob(hash, bytes); }));
}

void FrameWriter::add(const Entry& entry) {
  part(kEntry, schemas::encode_entry(entry, [this](const ContentHash& hash,
                                                   std::string_view bytes) { blob(hash, bytes); }));
}

void FrameWriter::add(const Checkpoint& checkpoint) {
  part(kCheckpoint, schemas::encode_checkpoint(
                        checkpoint, [this](const ContentHash& hash, std::string_view bytes) {
                          blob(hash, bytes);
                        }));
}

void FrameWriter::add(const ResourceRow& row) { part(kResource, schemas::encode_resource(row)); }

void FrameWriter::add(Seq number) {
  std::string bytes;
  append_number(bytes, number.get(), 8);
  part(kNumber, bytes);
}

Result<void> read_frames(std::string_view bytes, const std::function<bool(Framed&&)>& visit) {
  Reader reader(bytes);
  while (!reader.done()) {
    auto part = reader.next();
    if (!part) {
      return part.error();
    }
    if (*part && !visit(std::move(**part))) {
      return {};
    }
  }
  return {};
}

} // namespace skein::node
