#include "azexporter/base/protobuf_reader.h"

#include <string>

namespace azexporter::base::protobuf {

bool FieldReader::TakeVarint(std::uint64_t& value) {
  value = 0;
  constexpr int kMaxShift = 63;
  for (int shift = 0; shift <= kMaxShift; shift += 7) {
    if (at_ == end_) return Fail();
    const auto byte = static_cast<unsigned char>(*at_++);
    if (shift == kMaxShift && byte > 1) return Fail();  // more than 64 bits
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return Fail();
}

template <std::size_t kBytes>
bool FieldReader::TakeFixed(std::uint64_t& value) {
  if (static_cast<std::size_t>(end_ - at_) < kBytes) return Fail();
  value = 0;
  for (std::size_t i = 0; i < kBytes; ++i) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(at_[i])) << (8 * i);
  }
  at_ += kBytes;
  return true;
}

bool FieldReader::NextFixed64(std::uint64_t& value) { return at_ != end_ && TakeFixed<8>(value); }

bool FieldReader::Next(Field& field) {
  if (at_ == end_ || failed()) return false;
  std::uint64_t tag = 0;
  if (!TakeVarint(tag)) return false;
  constexpr std::uint64_t kMaxNumber = (1 << 29) - 1;
  if (tag >> 3 == 0 || tag >> 3 > kMaxNumber) return Fail(Fault::kNoSuchNumber);
  field = Field{.number = static_cast<std::uint32_t>(tag >> 3)};
  field.type = static_cast<WireType>(tag & 7);
  switch (field.type) {
    case WireType::kVarint:
      return TakeVarint(field.value);
    case WireType::kFixed64:
      return TakeFixed<8>(field.value);
    case WireType::kFixed32:
      return TakeFixed<4>(field.value);
    case WireType::kBytes: {
      std::uint64_t size = 0;
      if (!TakeVarint(size)) return false;
      if (size > static_cast<std::uint64_t>(end_ - at_)) return Fail();
      field.bytes = std::string_view(at_, static_cast<std::size_t>(size));
      at_ += size;
      return true;
    }
  }
  return Fail(Fault::kNoSuchType);
}

tl::unexpected<Error> Malformed(std::string_view message) {
  return BadData("malformed protobuf: " + std::string(message) +
                 " is cut short or has a field of the wrong type");
}

}  // namespace azexporter::base::protobuf
