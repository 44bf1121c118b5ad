#pragma once

// Reading the fields of a JSON object one by one. Private to the decoders of `kube`: simdjson is
// included here and nowhere else.

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/kube/object_meta.h"
#include "azexporter/kube/objects.h"
#include "azexporter/kube/quantity.h"
#include "azexporter/kube/selectors.h"
#include "value_pool.h"

namespace azexporter::kube {

namespace od = simdjson::ondemand;

tl::unexpected<base::Error> WrongType(std::string_view field, simdjson::error_code code);

// Calls `visit(key, value)` for each field; a visit that fails ends the walk.
template <class Visit>
base::Result<void> ForEachField(od::object object, Visit visit) {
  for (auto field : object) {
    std::string_view key;
    if (auto error = field.unescaped_key().get(key)) return WrongType("field name", error);
    od::value value;
    if (auto error = field.value().get(value)) return WrongType(key, error);
    AZX_RETURN_IF_ERROR(visit(key, value));
  }
  return {};
}

// Of a value that may be null, which has no fields.
template <class Visit>
base::Result<void> ForEachField(std::string_view name, od::value value, Visit visit) {
  if (value.is_null()) return {};
  od::object object;
  if (auto error = value.get_object().get(object)) return WrongType(name, error);
  return ForEachField(object, visit);
}

template <class Visit>
base::Result<void> ForEachItem(std::string_view name, od::value value, Visit visit) {
  if (value.is_null()) return {};
  od::array array;
  if (auto error = value.get_array().get(array)) return WrongType(name, error);
  for (auto item : array) {
    od::value element;
    if (auto error = item.get(element)) return WrongType(name, error);
    AZX_RETURN_IF_ERROR(visit(element));
  }
  return {};
}

// Each leaves `out` as it is where the value is null. `name` is what an error names.
base::Result<void> Read(std::string_view name, od::value value, std::string& out);
base::Result<void> Read(std::string_view name, od::value value, bool& out);
base::Result<void> Read(std::string_view name, od::value value, std::int64_t& out);
base::Result<void> Read(std::string_view name, od::value value, StringMap& out);
base::Result<void> Read(std::string_view name, od::value value, std::vector<std::string>& out);
base::Result<void> Read(std::string_view name, od::value value, ConditionStatus& out);
base::Result<void> Read(std::string_view name, od::value value, LabelSelector& out);
base::Result<void> Read(std::string_view name, od::value value, NodeSelector& out);
base::Result<void> Read(std::string_view name, od::value value, std::vector<Requirement>& out);

// null is as good as absent.
template <class T>
base::Result<void> Read(std::string_view name, od::value value, std::optional<T>& out) {
  if (value.is_null()) return {};
  return Read(name, value, out.emplace());
}

// A number or a string as text: "2", "30%", "1.5Gi".
base::Result<void> ReadNumberText(std::string_view name, od::value value, std::string& out);
// By resource name: cpu in thousandths, everything else in whole units.
using Amounts = std::vector<std::pair<std::string, std::int64_t>>;
base::Result<void> Read(std::string_view name, od::value value, Amounts& out);
Resources ResourcesOf(const Amounts& amounts);

// What of `metadata` is read beside what every object has; null: left out.
struct MetaFields {
  enum class Annotations { kNone, kAll, kRouting };

  ObjectMeta& meta;
  Annotations annotations = Annotations::kNone;
  ValuePool<StringMap>* label_pool = nullptr;  // null: the labels are this object's own
  std::vector<Owner>* owners = nullptr;
  std::int64_t* generation = nullptr;
  std::string* resource_version = nullptr;
};
base::Result<void> ReadMeta(od::value value, const MetaFields& fields);

}  // namespace azexporter::kube
