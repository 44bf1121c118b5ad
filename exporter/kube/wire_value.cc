#include "wire_value.h"

#include <string>

namespace azexporter::kube {
namespace {

using base::BadData;
using base::Result;
using Count = WireField::Count;
using Type = WireField::Type;

constexpr std::uint32_t kVarint = 0;
constexpr std::uint32_t kFixed64 = 1;
constexpr std::uint32_t kLengthDelimited = 2;
constexpr std::uint32_t kFixed32 = 5;

bool IsVarint(Type type) { return type == Type::kBool || type == Type::kInteger; }

// The records of a small message of three fields at most: a map's entry, a time, a quantity.
struct SmallMessage {
  std::optional<WireRecord> field[4];  // by number

  static Result<SmallMessage> Read(std::string_view bytes) {
    SmallMessage message;
    for (WireCursor cursor(bytes); !cursor.done();) {
      AZX_ASSIGN_OR_RETURN(const WireRecord record, cursor.Next());
      if (record.number < std::size(message.field)) message.field[record.number] = record;
    }
    return message;
  }
  std::uint64_t Varint(std::size_t number) const {
    return field[number] && field[number]->is_varint ? field[number]->varint : 0;
  }
  std::string_view Bytes(std::size_t number) const {
    return field[number] && !field[number]->is_varint ? field[number]->bytes : std::string_view();
  }
};

}  // namespace

bool WireCursor::TakeVarint(std::uint64_t& out) {
  out = 0;
  for (std::size_t i = 0; i < rest_.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(rest_[i]);
    out |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if ((byte & 0x80) == 0) {
      rest_.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

bool WireCursor::TakeBytes(std::uint64_t size, std::string_view& out) {
  if (size > rest_.size()) return false;
  out = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

Result<WireRecord> WireCursor::Next() {
  WireRecord record;
  std::uint64_t tag = 0;
  if (!TakeVarint(tag)) return BadData("protobuf cut short");
  constexpr std::uint64_t kMostNumber = (1u << 29) - 1;
  if (tag >> 3 == 0 || tag >> 3 > kMostNumber) return BadData("not protobuf: no such field number");
  record.number = static_cast<std::uint32_t>(tag >> 3);
  bool complete = false;
  switch (tag & 7) {
    case kVarint:
      record.is_varint = true;
      complete = TakeVarint(record.varint);
      break;
    case kLengthDelimited: {
      std::uint64_t size = 0;
      complete = TakeVarint(size) && TakeBytes(size, record.bytes);
      break;
    }
    case kFixed64:
      complete = TakeBytes(8, record.bytes);
      break;
    case kFixed32:
      complete = TakeBytes(4, record.bytes);
      break;
    default:
      return BadData("not protobuf: no such wire type");
  }
  if (!complete) return BadData("protobuf cut short");
  return record;
}

Result<WireValue> WireValue::Single(const WireField& field, const WireRecord& record) {
  if (IsVarint(field.type) != record.is_varint) {
    return BadData(std::string(field.name) + ": not of the type expected");
  }
  WireValue value;
  value.type_ = field.type;
  value.message_ = field.message;
  value.bytes_ = record.bytes;
  value.varint_ = record.varint;
  return value;
}

Result<WireValue> WireValue::SingleOrEmpty(const WireField& field,
                                           const std::optional<WireRecord>& record) {
  WireRecord empty;
  empty.is_varint = IsVarint(field.type);
  return Single(field, record.value_or(empty));
}

Result<void> WireValue::ForEachField(FieldVisit visit) const {
  if (count_ == Count::kMap) {
    for (WireCursor cursor(bytes_); !cursor.done();) {
      AZX_ASSIGN_OR_RETURN(const WireRecord record, cursor.Next());
      if (record.number != field_->number) continue;
      AZX_ASSIGN_OR_RETURN(const SmallMessage entry, SmallMessage::Read(record.bytes));
      AZX_ASSIGN_OR_RETURN(const WireValue value, SingleOrEmpty(*field_, entry.field[2]));
      AZX_RETURN_IF_ERROR(visit(entry.Bytes(1), value));
    }
    return {};
  }
  if (type_ != Type::kMessage || count_ != Count::kOne) return BadData("not a message");
  std::uint64_t seen = 0;  // fields there are many of, by their place in the table
  for (WireCursor cursor(bytes_); !cursor.done();) {
    const std::string_view from_here = cursor.rest();
    AZX_ASSIGN_OR_RETURN(const WireRecord record, cursor.Next());
    const WireField* field = message_->Find(record.number);
    if (field == nullptr) continue;
    if (field->count == Count::kOne) {
      AZX_ASSIGN_OR_RETURN(WireValue value, Single(*field, record));
      if (field->type == Type::kInline) {
        value.type_ = Type::kMessage;
        AZX_RETURN_IF_ERROR(value.ForEachField(visit));
        continue;
      }
      AZX_RETURN_IF_ERROR(visit(field->name, value));
      continue;
    }
    const std::uint64_t bit = std::uint64_t{1} << (field - message_->fields.data());
    if ((seen & bit) != 0) continue;
    seen |= bit;
    WireValue value;
    value.type_ = field->type;
    value.count_ = field->count;
    value.field_ = field;
    value.bytes_ = from_here;
    AZX_RETURN_IF_ERROR(visit(field->name, value));
  }
  return {};
}

Result<void> WireValue::ForEachItem(ItemVisit visit) const {
  if (count_ != Count::kMany) return BadData("not a list");
  for (WireCursor cursor(bytes_); !cursor.done();) {
    AZX_ASSIGN_OR_RETURN(const WireRecord record, cursor.Next());
    if (record.number != field_->number) continue;
    AZX_ASSIGN_OR_RETURN(const WireValue item, Single(*field_, record));
    AZX_RETURN_IF_ERROR(visit(item));
  }
  return {};
}

Result<std::string_view> WireValue::Text() const {
  if (count_ != Count::kOne) return BadData("not a text");
  if (type_ == Type::kText) return bytes_;
  if (type_ != Type::kQuantity && type_ != Type::kRaw) return BadData("not a text");
  AZX_ASSIGN_OR_RETURN(const SmallMessage message, SmallMessage::Read(bytes_));
  return message.Bytes(1);
}

Result<std::int64_t> WireValue::Integer() const {
  if (type_ != Type::kInteger || count_ != Count::kOne) return BadData("not an integer");
  return static_cast<std::int64_t>(varint_);
}

Result<bool> WireValue::Bool() const {
  if (type_ != Type::kBool || count_ != Count::kOne) return BadData("neither true nor false");
  return varint_ != 0;
}

Result<std::optional<std::int64_t>> WireValue::TimeMs() const {
  if (type_ != Type::kTime || count_ != Count::kOne) return BadData("not a time");
  AZX_ASSIGN_OR_RETURN(const SmallMessage message, SmallMessage::Read(bytes_));
  const auto seconds = static_cast<std::int64_t>(message.Varint(1));
  constexpr std::int64_t kMostSeconds = 253'402'300'799;  // the end of the year 9999
  if (seconds <= 0 || seconds > kMostSeconds) return std::optional<std::int64_t>();
  return std::optional(seconds * 1'000);
}

Result<std::string> WireValue::NumberText() const {
  if (type_ != Type::kIntOrString) {
    AZX_ASSIGN_OR_RETURN(const std::string_view text, Text());
    return std::string(text);
  }
  AZX_ASSIGN_OR_RETURN(const SmallMessage message, SmallMessage::Read(bytes_));
  if (message.Varint(1) != 0) return std::string(message.Bytes(3));
  return std::to_string(static_cast<std::int64_t>(message.Varint(2)));
}

}  // namespace azexporter::kube
