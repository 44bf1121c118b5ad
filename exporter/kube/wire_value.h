#pragma once

// Reading protobuf by a WireMessage. Private to the decoders of `kube`.

#include <cstdint>
#include <optional>
#include <string_view>

#include "azexporter/base/function_ref.h"
#include "azexporter/base/protobuf_reader.h"
#include "azexporter/base/result.h"
#include "azexporter/kube/wire_schema.h"

namespace azexporter::kube {

// A value of a message: one record, or all records of a field that there are many of. Looks like
// the JSON value in its place.
class WireValue {
 public:
  // A message on its own.
  WireValue(const WireMessage& message, std::string_view bytes)
      : type_(WireField::Type::kMessage), message_(&message), bytes_(bytes) {}

  using FieldVisit = base::FunctionRef<base::Result<void>(std::string_view key, WireValue value)>;
  using ItemVisit = base::FunctionRef<base::Result<void>(WireValue item)>;

  // The fields of a message, each once, or the entries of a map.
  base::Result<void> ForEachField(FieldVisit visit) const;
  base::Result<void> ForEachItem(ItemVisit visit) const;

  base::Result<std::string_view> Text() const;  // of a quantity and a raw object, too
  base::Result<std::int64_t> Integer() const;
  base::Result<bool> Bool() const;
  // Nothing where the time is that of Go's zero value.
  base::Result<std::optional<std::int64_t>> TimeMs() const;
  // A count or a percentage as JSON would write it; else its text.
  base::Result<std::string> NumberText() const;

 private:
  WireValue() = default;
  static base::Result<WireValue> Single(const WireField& field,
                                        const base::protobuf::Field& record);
  static base::Result<WireValue> SingleOrEmpty(const WireField& field,
                                               const std::optional<base::protobuf::Field>& record);

  WireField::Type type_ = WireField::Type::kText;
  WireField::Count count_ = WireField::Count::kOne;
  const WireField* field_ = nullptr;      // of one there are many of
  const WireMessage* message_ = nullptr;  // of kMessage
  std::string_view bytes_;                // of many: from the first of them to the parent's end
  std::uint64_t varint_ = 0;
};

}  // namespace azexporter::kube
