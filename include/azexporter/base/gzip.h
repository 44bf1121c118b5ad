#pragma once

// Gzip for the bodies of HTTP answers: in one go, or of parts that were compressed each on its own,
// so that what did not change since the last answer is not compressed again. Compressed fast rather
// than small. Where zlib has no memory, std::bad_alloc is thrown as by `new`.

#include <cstdint>
#include <string>
#include <string_view>

namespace azexporter::base {

std::string Gzip(std::string_view text);

// A text as raw deflate blocks (RFC 1951) that end at a byte and refer to nothing before them, none
// of them the final one: parts can stand behind each other in any order.
struct DeflatedPart {
  std::string bytes;
  std::uint32_t crc = 0;   // of the text, as gzip counts it
  std::uint64_t size = 0;  // of the text
};

DeflatedPart Deflate(std::string_view text);

// Appends the text of `part` to `out`. False where the bytes are not what Deflate made.
bool AppendInflated(const DeflatedPart& part, std::string& out);

// One gzip member (RFC 1952) of parts: one, because not everybody reads a file of several.
//
// Thread safety: thread-compatible.
class GzipJoiner {
 public:
  GzipJoiner();
  void Add(const DeflatedPart& part);
  // Compressed together with the texts right before and behind it.
  void Add(std::string_view text) { waiting_ += text; }
  // The whole member; this is then empty.
  std::string Finish();

 private:
  void Flush();  // what waits

  std::string out_;
  std::string waiting_;
  std::uint32_t crc_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace azexporter::base
