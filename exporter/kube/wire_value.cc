#include "wire_value.h"

#include <algorithm>
#include <string>

namespace azexporter::kube {
namespace {

using base::BadData;
using base::Result;
using base::protobuf::Fault;
using base::protobuf::Field;
using base::protobuf::FieldReader;
using base::protobuf::WireType;
using Count = WireField::Count;
using Type = WireField::Type;

bool IsVarint(const Field& record) { return record.type == WireType::kVarint; }
bool IsVarint(Type type) { return type == Type::kBool || type == Type::kInteger; }

// Whether all of a message was read.
Result<void> AllRead(const FieldReader& reader) {
  switch (reader.fault()) {
    case Fault::kNone:
      return {};
    case Fault::kCutShort:
      return BadData("protobuf cut short");
    case Fault::kNoSuchNumber:
      return BadData("not protobuf: no such field number");
    case Fault::kNoSuchType:
      return BadData("not protobuf: no such wire type");
  }
  return {};
}

// The records of a small message of three fields at most: a map's entry, a time, a quantity.
struct SmallMessage {
  std::optional<Field> field[4];  // by number

  static Result<SmallMessage> Read(std::string_view bytes) {
    SmallMessage message;
    FieldReader reader(bytes);
    for (Field record; reader.Next(record);) {
      if (record.number < std::size(message.field)) message.field[record.number] = record;
    }
    AZX_RETURN_IF_ERROR(AllRead(reader));
    return message;
  }
  std::uint64_t Varint(std::size_t number) const {
    return field[number] && IsVarint(*field[number]) ? field[number]->value : 0;
  }
  std::string_view Bytes(std::size_t number) const {
    return field[number] && field[number]->type == WireType::kBytes ? field[number]->bytes
                                                                    : std::string_view();
  }
};

}  // namespace

Result<WireValue> WireValue::Single(const WireField& field, const Field& record) {
  if (record.type != (IsVarint(field.type) ? WireType::kVarint : WireType::kBytes)) {
    return BadData(std::string(field.name) + ": not of the type expected");
  }
  WireValue value;
  value.type_ = field.type;
  value.message_ = field.message;
  value.bytes_ = record.bytes;
  value.varint_ = record.value;
  return value;
}

Result<WireValue> WireValue::SingleOrEmpty(const WireField& field,
                                           const std::optional<Field>& record) {
  Field empty;
  empty.type = IsVarint(field.type) ? WireType::kVarint : WireType::kBytes;
  return Single(field, record.value_or(empty));
}

Result<void> WireValue::ForEachField(FieldVisit visit) const {
  if (count_ == Count::kMap) {
    FieldReader reader(bytes_);
    for (Field record; reader.Next(record);) {
      if (record.number != field_->number) continue;
      AZX_ASSIGN_OR_RETURN(const SmallMessage entry, SmallMessage::Read(record.bytes));
      AZX_ASSIGN_OR_RETURN(const WireValue value, SingleOrEmpty(*field_, entry.field[2]));
      AZX_RETURN_IF_ERROR(visit(entry.Bytes(1), value));
    }
    return AllRead(reader);
  }
  if (type_ != Type::kMessage || count_ != Count::kOne) return BadData("not a message");
  std::uint64_t seen = 0;  // fields there are many of, by their place in the table
  FieldReader reader(bytes_);
  std::string_view from_here = reader.rest();  // from the tag of the record on
  for (Field record; reader.Next(record); from_here = reader.rest()) {
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
  return AllRead(reader);
}

Result<void> WireValue::ForEachItem(ItemVisit visit) const {
  if (count_ != Count::kMany) return BadData("not a list");
  FieldReader reader(bytes_);
  for (Field record; reader.Next(record);) {
    if (record.number != field_->number) continue;
    AZX_ASSIGN_OR_RETURN(const WireValue item, Single(*field_, record));
    AZX_RETURN_IF_ERROR(visit(item));
  }
  return AllRead(reader);
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
  constexpr std::uint64_t kSecondNs = 1'000'000'000;
  const std::uint64_t ns = std::min(message.Varint(2), kSecondNs - 1);
  return std::optional(seconds * 1'000 + static_cast<std::int64_t>(ns / 1'000'000));
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
