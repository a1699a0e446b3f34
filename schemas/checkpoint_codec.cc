#include <cassert>
#include <utility>
#include <vector>

#include "core/value/utf8.h"
#include "schemas/codec.h"
#include "schemas/reader.h"
#include "schemas/value_text.h"
#include "schemas/wire/checkpoint_generated.h"
#include "schemas/writer.h"

namespace skein::schemas {
namespace {

constexpr Format kFormat{"SKCP", "checkpoint", 512u << 20};
constexpr std::uint16_t kVersion = 1;

constexpr std::uint8_t kTagged = 1;
constexpr std::uint8_t kBlob = 2;

struct Cells {
  std::vector<TextOffset> names;
  std::vector<std::uint8_t> forms;
  std::vector<TextOffset> texts;
  std::vector<wire::Hash> blobs;
};

void write_cell(Writer& w, const Value& value, const BlobSink& blobs, Cells& cells) {
  std::string text;
  std::uint8_t form = append_value(text, value) ? kTagged : 0;
  if (text.size() <= kInlineLimit) {
    cells.texts.push_back(w.required_text(text));
  } else {
    text = valid_utf8(text) ? std::move(text) : clean_utf8(text);
    const ContentHash hash = content_hash(text);
    blobs(hash, text);
    cells.blobs.push_back(to_wire(hash));
    form |= kBlob;
  }
  cells.forms.push_back(form);
}

Cells write_cells(Writer& w, const Value& value, const BlobSink& blobs) {
  Cells cells;
  for (const auto& [name, cell] : value.as_map()) {
    assert(name.is(Kind::string));
    cells.names.push_back(w.required_text(name.as_string()));
    write_cell(w, cell, blobs, cells);
  }
  return cells;
}

template <class V>
std::size_t size_of(const V* vector) {
  return vector == nullptr ? 0 : vector->size();
}

/// Walks the parallel vectors.
class CellReader {
 public:
  CellReader(const wire::Checkpoint& kept, Reader& read) : kept_(kept), read_(read) {}

  Value all() {
    const std::size_t count = size_of(kept_.names());
    if (size_of(kept_.forms()) != count) {
      read_.fail("not every cell has a form");
      return {};
    }
    std::vector<MapEntry> cells;
    cells.reserve(count);
    for (std::size_t i = 0; i < count && !read_.error(); ++i) {
      cells.emplace_back(name(i), next(kept_.forms()->Get(static_cast<std::uint32_t>(i))));
    }
    return read_.error() ? Value() : Value::of_map(std::move(cells));
  }

 private:
  /// Names ascend, as a map keeps them, so none is there twice.
  std::string name(std::size_t i) {
    std::string name = read_.text(kept_.names()->Get(static_cast<std::uint32_t>(i)));
    if (i > 0 && name <= last_) {
      read_.fail("the names of its cells are not in order");
    }
    last_ = name;
    return name;
  }

  Value next(std::uint8_t form) {
    const bool tagged = (form & kTagged) != 0;
    if (form > (kTagged | kBlob)) {
      read_.fail("a cell has an unknown form");
      return {};
    }
    if ((form & kBlob) == 0 && texts_ < size_of(kept_.texts())) {
      const auto* text = kept_.texts()->Get(texts_++);
      return read_.value({text->c_str(), text->size()}, tagged);
    }
    if ((form & kBlob) != 0 && read_.has(kept_.blobs()) && blobs_ < size_of(kept_.blobs())) {
      const std::string text = read_.blob(from_wire(kept_.blobs()->Get(blobs_++)));
      return read_.error() ? Value() : read_.value(text, tagged);
    }
    read_.fail("a cell has no value");
    return {};
  }

  const wire::Checkpoint& kept_;
  Reader& read_;
  std::string last_;
  std::uint32_t texts_ = 0;
  std::uint32_t blobs_ = 0;
};

Result<const wire::Checkpoint*> open_checkpoint(const Frame& frame) {
  auto opened = open<wire::Checkpoint>(frame, kFormat);
  if (opened && (*opened)->schema_version() > kVersion) {
    return too_new(kFormat, (*opened)->schema_version());
  }
  return opened;
}

CheckpointMark mark_of(const wire::Checkpoint& kept) {
  const auto* state = kept.state();
  return {Seq{kept.sequence()}, state != nullptr ? Digest{state->low(), state->high()} : Digest()};
}

} // namespace

Result<CheckpointMark> decode_checkpoint_mark(std::string_view bytes) {
  const Frame frame(bytes);
  const auto opened = open_checkpoint(frame);
  return opened ? Result<CheckpointMark>(mark_of(**opened)) : opened.error();
}

std::string encode_checkpoint(const Checkpoint& checkpoint, const BlobSink& blobs) {
  assert(checkpoint.cells.is_null() || checkpoint.cells.is(Kind::map));
  Writer w(&blobs);
  Builder& out = w.out();
  const TextOffset run = w.required_text(checkpoint.run.get());
  const wire::Digest state(checkpoint.state.low, checkpoint.state.high);
  const std::uint64_t seq = checkpoint.seq.get();
  if (checkpoint.cells.is_null()) {
    return w.finish(wire::CreateCheckpoint(out, run, seq, &state), wire::CheckpointIdentifier());
  }
  const Cells cells = write_cells(w, checkpoint.cells, blobs);
  const auto names = out.CreateVector(cells.names);
  const auto forms = out.CreateVector(cells.forms);
  const auto texts = out.CreateVector(cells.texts);
  const auto hashes = out.CreateVectorOfStructs(cells.blobs);
  return w.finish(wire::CreateCheckpoint(out, run, seq, &state, names, forms, texts, hashes),
                  wire::CheckpointIdentifier());
}

Result<Checkpoint> decode_checkpoint(std::string_view bytes, const BlobSource& blobs) {
  const Frame frame(bytes);
  const auto opened = open_checkpoint(frame);
  if (!opened) {
    return opened.error();
  }
  const wire::Checkpoint& kept = **opened;
  Reader read(kFormat, &blobs);
  const CheckpointMark mark = mark_of(kept);
  Checkpoint checkpoint{read.run(kept.run_id()), mark.seq, mark.state, Value()};
  if (kept.names() != nullptr) {
    checkpoint.cells = CellReader(kept, read).all();
  }
  if (read.error()) {
    return *read.error();
  }
  return checkpoint;
}

} // namespace skein::schemas
