#pragma once

// Reads gzip with zlib's own reader.

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace azexporter::test {

// The text of the one member that `packed` is; "?" and why where it is not.
inline std::string Unzip(const std::string& packed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);  // gzip, header and checksum read
  std::string in = packed;
  std::string text;
  char buffer[1 << 14];
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  int result = Z_OK;
  while (result == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof buffer;
    result = inflate(&stream, Z_NO_FLUSH);
    text.append(buffer, sizeof buffer - stream.avail_out);
  }
  const uInt left = stream.avail_in;
  inflateEnd(&stream);
  if (result != Z_STREAM_END) return "? zlib says " + std::to_string(result);
  if (left > 0) return "? " + std::to_string(left) + " bytes behind the member";
  return text;
}

}  // namespace azexporter::test
