#include "azexporter/base/gzip.h"

#include <zlib.h>

#include <new>
#include <utility>

#include "azexporter/base/check.h"

namespace azexporter::base {
namespace {

constexpr int kRawWindow = -15;  // negative: no header and no checksum around the blocks
constexpr int kMemoryLevel = 8;
constexpr int kLevel = 1;  // an answer is compressed for each who asks

// zlib's interface is not const-correct; it never writes to its input.
Bytef* InputOf(std::string_view text) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

void AppendLittleEndian(std::string& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>((value >> shift) & 0xff);
}

}  // namespace

DeflatedPart Deflate(std::string_view text) {
  DeflatedPart part{.size = text.size()};
  if (text.empty()) return part;
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kRawWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::bad_alloc();
  }
  constexpr std::size_t kFlushBytes = 16;  // more than the flush adds to the bound of a stream
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())) + kFlushBytes, '\0');
  stream.next_in = InputOf(text);
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FULL_FLUSH);
  deflateEnd(&stream);
  AZX_CHECK(result == Z_OK && stream.avail_in == 0 && stream.avail_out > 0,
            "the bound is enough for all of it");
  part.bytes.assign(out, 0, stream.total_out);
  part.crc = static_cast<std::uint32_t>(crc32_z(0, InputOf(text), text.size()));
  return part;
}

bool AppendInflated(const DeflatedPart& part, std::string& out) {
  if (part.size == 0) return true;
  z_stream stream{};
  if (inflateInit2(&stream, kRawWindow) != Z_OK) throw std::bad_alloc();
  const std::size_t before = out.size();
  out.resize(before + part.size);
  stream.next_in = InputOf(part.bytes);
  stream.avail_in = static_cast<uInt>(part.bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
  stream.avail_out = static_cast<uInt>(part.size);
  inflate(&stream, Z_SYNC_FLUSH);
  const bool whole = stream.avail_out == 0;
  inflateEnd(&stream);
  if (!whole) out.resize(before);
  return whole;
}

GzipJoiner::GzipJoiner() {
  constexpr std::string_view kHeader("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);  // deflate, no name
  out_ = kHeader;
}

void GzipJoiner::Flush() {
  if (waiting_.empty()) return;
  const DeflatedPart part = Deflate(std::exchange(waiting_, {}));
  Add(part);
}

void GzipJoiner::Add(const DeflatedPart& part) {
  Flush();
  out_ += part.bytes;
  crc_ = static_cast<std::uint32_t>(crc32_combine(crc_, part.crc, static_cast<z_off_t>(part.size)));
  size_ += part.size;
}

std::string GzipJoiner::Finish() {
  Flush();
  constexpr std::string_view kFinalBlock("\x03\0", 2);  // of no bytes
  out_ += kFinalBlock;
  AppendLittleEndian(out_, crc_);
  AppendLittleEndian(out_, static_cast<std::uint32_t>(size_));
  std::string whole = std::move(out_);
  *this = GzipJoiner();
  return whole;
}

std::string Gzip(std::string_view text) {
  GzipJoiner joiner;
  joiner.Add(Deflate(text));
  return joiner.Finish();
}

}  // namespace azexporter::base
