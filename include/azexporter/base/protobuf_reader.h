#pragma once

// Takes protobuf messages apart, field by field, without generated code.
//
// Thread safety: one thread only.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "azexporter/base/result.h"

namespace azexporter::base::protobuf {

// Protobuf's wire types. Groups (3 and 4) are written by nobody and refused.
// Source: protobuf.dev/programming-guides/encoding.
enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct Field {
  std::uint32_t number = 0;
  WireType type = WireType::kVarint;
  std::uint64_t value = 0;  // of numbers
  std::string_view bytes;   // of kBytes
};

// Why a message cannot be read on.
enum class Fault : std::uint8_t { kNone, kCutShort, kNoSuchNumber, kNoSuchType };

// Takes a message apart, field by field. Next is false at its end and at the first fault, and
// failed() tells which.
class FieldReader {
 public:
  explicit FieldReader(std::string_view message)
      : at_(message.data()), end_(message.data() + message.size()) {}

  bool Next(Field& field);
  // The next number of a packed field, of which this reads the bytes.
  bool NextVarint(std::uint64_t& value) { return at_ != end_ && TakeVarint(value); }
  bool NextFixed64(std::uint64_t& value);
  bool failed() const { return fault_ != Fault::kNone; }
  Fault fault() const { return fault_; }
  // What is not read yet, from the tag of the next field on.
  std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

 private:
  bool Fail(Fault fault = Fault::kCutShort) {
    fault_ = fault;
    return false;
  }
  bool TakeVarint(std::uint64_t& value);
  template <std::size_t kBytes>
  bool TakeFixed(std::uint64_t& value);

  const char* at_;
  const char* end_;
  Fault fault_ = Fault::kNone;
};

// A number of type sint32 or sint64.
inline std::int64_t FromZigZag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// kBadData about the message of that name.
tl::unexpected<Error> Malformed(std::string_view message);

}  // namespace azexporter::base::protobuf
