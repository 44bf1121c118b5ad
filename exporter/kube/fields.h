#pragma once

// Reading the fields of an object one by one, in JSON or in protobuf. Private to the decoders of
// `kube`: simdjson is included here and nowhere else.

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "azexporter/base/function_ref.h"
#include "azexporter/base/result.h"
#include "azexporter/kube/object_meta.h"
#include "azexporter/kube/objects.h"
#include "azexporter/kube/quantity.h"
#include "azexporter/kube/selectors.h"
#include "value_pool.h"
#include "wire_value.h"

namespace azexporter::kube {

namespace od = simdjson::ondemand;

tl::unexpected<base::Error> WrongType(std::string_view field, simdjson::error_code code);

// A value of an object that is being read, whichever of the two encodings it came in: what reads
// an object is written once. Read it once, and before the value behind it.
class Value {
 public:
  Value(od::value json) : value_(json) {}          // NOLINT(google-explicit-constructor)
  Value(od::object json) : value_(json) {}         // NOLINT(google-explicit-constructor)
  Value(WireValue protobuf) : value_(protobuf) {}  // NOLINT(google-explicit-constructor)

  od::value* json() { return std::get_if<od::value>(&value_); }
  od::object* json_object() { return std::get_if<od::object>(&value_); }  // the outermost
  const WireValue* protobuf() const { return std::get_if<WireValue>(&value_); }

 private:
  std::variant<od::value, od::object, WireValue> value_;
};

bool IsNull(Value& value);

// Calls `visit(key, value)` for each field; a visit that fails ends the walk. null has no fields.
// `name` is what an error names.
using FieldVisit = base::FunctionRef<base::Result<void>(std::string_view key, Value value)>;
base::Result<void> ForEachField(std::string_view name, Value value, FieldVisit visit);
// Those of a text that is one object of JSON.
base::Result<void> ForEachField(std::string_view name, const std::string& json, FieldVisit visit);
using ItemVisit = base::FunctionRef<base::Result<void>(Value item)>;
base::Result<void> ForEachItem(std::string_view name, Value value, ItemVisit visit);

// Each leaves `out` as it is where the value is null. `name` is what an error names.
base::Result<void> Read(std::string_view name, Value value, std::string& out);
base::Result<void> Read(std::string_view name, Value value, bool& out);
base::Result<void> Read(std::string_view name, Value value, std::int64_t& out);
base::Result<void> Read(std::string_view name, Value value, StringMap& out);
base::Result<void> Read(std::string_view name, Value value, std::vector<std::string>& out);
base::Result<void> Read(std::string_view name, Value value, ConditionStatus& out);
base::Result<void> Read(std::string_view name, Value value, LabelSelector& out);
base::Result<void> Read(std::string_view name, Value value, NodeSelector& out);
base::Result<void> Read(std::string_view name, Value value, std::vector<Requirement>& out);

// null is as good as absent.
template <class T>
base::Result<void> Read(std::string_view name, Value value, std::optional<T>& out) {
  if (IsNull(value)) return {};
  return Read(name, value, out.emplace());
}

// RFC 3339 in JSON; milliseconds since the epoch.
base::Result<void> ReadTime(std::string_view name, Value value, std::int64_t& out);
// A number or a string as text: "2", "30%", "1.5Gi".
base::Result<void> ReadNumberText(std::string_view name, Value value, std::string& out);
// By resource name: cpu in thousandths, everything else in whole units.
using Amounts = std::vector<std::pair<std::string, std::int64_t>>;
base::Result<void> Read(std::string_view name, Value value, Amounts& out);
Resources ResourcesOf(const Amounts& amounts);

// What of `metadata` is read beside what every object has; null: left out.
struct MetaFields {
  enum class Annotations {
    kNone,
    kAudit,    // kAuditIgnoreAnnotation
    kRouting,  // beside it those that say where the traffic of a Service goes
    kAll
  };

  ObjectMeta& meta;
  Annotations annotations = Annotations::kNone;
  ValuePool<StringMap>* label_pool = nullptr;  // null: the labels are this object's own
  std::vector<Owner>* owners = nullptr;
  std::int64_t* generation = nullptr;
  std::string* resource_version = nullptr;
};
base::Result<void> ReadMeta(Value value, const MetaFields& fields);

}  // namespace azexporter::kube
