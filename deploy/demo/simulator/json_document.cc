#include "simulator/json_document.h"

namespace azexporter::simulator {
namespace {

constexpr std::size_t kChunk = 256 * 1024;

}  // namespace

std::size_t JsonDocument::SizeHint() const {
  std::size_t size = head.size() + tail.size();
  for (const ObjectPtr& item : items) size += item.text().size() + 1;
  return size;
}

std::string JsonDocument::Text() const {
  std::string text;
  text.reserve(SizeHint() + 1);  // one more for the end of the line
  text += head;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text += ',';
    append_item(text, items[i]);
  }
  text += tail;
  return text;
}

bool JsonDocument::Write(BodyStream& out) const {
  std::string chunk = head;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) chunk += ',';
    append_item(chunk, items[i]);
    if (chunk.size() < kChunk) continue;
    if (!out.Write(chunk)) return false;
    chunk.clear();
  }
  return out.Write(chunk + tail + "\n");
}

}  // namespace azexporter::simulator
