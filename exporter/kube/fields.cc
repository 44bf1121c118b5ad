#include "fields.h"

#include <algorithm>

#include "azexporter/base/time_text.h"

namespace azexporter::kube {

using base::BadData;
using base::Result;

tl::unexpected<base::Error> WrongType(std::string_view field, simdjson::error_code code) {
  return BadData(std::string(field) + ": " + simdjson::error_message(code));
}

namespace {

template <class Out>
Result<void> TakeWire(std::string_view name, Result<Out> read, Out& out) {
  if (!read) return base::Fail(read.error().WithContext(name));
  out = *read;
  return {};
}

Result<void> WalkFields(od::object object, FieldVisit visit) {
  for (auto field : object) {
    std::string_view key;
    if (auto error = field.unescaped_key().get(key)) return WrongType("field name", error);
    od::value value;
    if (auto error = field.value().get(value)) return WrongType(key, error);
    AZX_RETURN_IF_ERROR(visit(key, value));
  }
  return {};
}

}  // namespace

bool IsNull(Value& value) {
  od::value* json = value.json();
  bool null = false;
  // What begins like null and is not is found by who reads it.
  return json != nullptr && json->is_null().get(null) == simdjson::SUCCESS && null;
}

Result<void> ForEachField(std::string_view name, Value value, FieldVisit visit) {
  if (const WireValue* wire = value.protobuf()) return wire->ForEachField(visit);
  if (const od::object* outermost = value.json_object()) return WalkFields(*outermost, visit);
  if (IsNull(value)) return {};
  od::object object;
  if (auto error = value.json()->get_object().get(object)) return WrongType(name, error);
  return WalkFields(object, visit);
}

Result<void> ForEachField(std::string_view name, const std::string& json, FieldVisit visit) {
  const simdjson::padded_string padded(json);
  od::parser parser;
  od::document document;
  if (auto error = parser.iterate(padded).get(document)) return WrongType(name, error);
  od::object root;
  if (auto error = document.get_object().get(root)) return WrongType(name, error);
  return WalkFields(root, visit);
}

Result<void> ForEachItem(std::string_view name, Value value, ItemVisit visit) {
  if (const WireValue* wire = value.protobuf()) return wire->ForEachItem(visit);
  if (value.json_object() != nullptr) return WrongType(name, simdjson::INCORRECT_TYPE);
  if (IsNull(value)) return {};
  od::array array;
  if (auto error = value.json()->get_array().get(array)) return WrongType(name, error);
  for (auto item : array) {
    od::value element;
    if (auto error = item.get(element)) return WrongType(name, error);
    AZX_RETURN_IF_ERROR(visit(element));
  }
  return {};
}

Result<void> Read(std::string_view name, Value value, std::string& out) {
  std::string_view text;
  if (const WireValue* wire = value.protobuf()) {
    AZX_RETURN_IF_ERROR(TakeWire(name, wire->Text(), text));
  } else {
    if (IsNull(value)) return {};
    if (auto error = value.json()->get_string().get(text)) return WrongType(name, error);
  }
  out = text;
  return {};
}

Result<void> Read(std::string_view name, Value value, bool& out) {
  if (const WireValue* wire = value.protobuf()) return TakeWire(name, wire->Bool(), out);
  if (IsNull(value)) return {};
  if (auto error = value.json()->get_bool().get(out)) return WrongType(name, error);
  return {};
}

Result<void> Read(std::string_view name, Value value, std::int64_t& out) {
  if (const WireValue* wire = value.protobuf()) return TakeWire(name, wire->Integer(), out);
  if (IsNull(value)) return {};
  if (auto error = value.json()->get_int64().get(out)) return WrongType(name, error);
  return {};
}

Result<void> Read(std::string_view name, Value value, StringMap& out) {
  AZX_RETURN_IF_ERROR(ForEachField(name, value, [&](std::string_view key, Value text) {
    out.emplace_back(std::string(key), std::string());
    return Read(key, text, out.back().second);
  }));
  std::sort(out.begin(), out.end());
  out.shrink_to_fit();
  return {};
}

Result<void> Read(std::string_view name, Value value, std::vector<std::string>& out) {
  return ForEachItem(name, value, [&](Value item) { return Read(name, item, out.emplace_back()); });
}

Result<void> Read(std::string_view name, Value value, ConditionStatus& out) {
  std::string text;
  AZX_RETURN_IF_ERROR(Read(name, value, text));
  out = text == "True"    ? ConditionStatus::kTrue
        : text == "False" ? ConditionStatus::kFalse
                          : ConditionStatus::kUnknown;
  return {};
}

namespace {

Result<void> ReadOperator(std::string_view name, Value value, SelectorOp& out) {
  std::string text;
  AZX_RETURN_IF_ERROR(Read(name, value, text));
  for (SelectorOp op : {SelectorOp::kIn, SelectorOp::kNotIn, SelectorOp::kExists,
                        SelectorOp::kDoesNotExist, SelectorOp::kGt, SelectorOp::kLt}) {
    if (SelectorOpName(op) != text) continue;
    out = op;
    return {};
  }
  return BadData(std::string(name) + ": unknown operator \"" + text + "\"");
}

// Annotations that say where the traffic of a Service goes.
bool IsRouting(std::string_view key) {
  return key.starts_with("service.kubernetes.io/") ||
         key.starts_with("service.beta.kubernetes.io/aws-load-balancer-");
}

// Those that are not wanted are not even copied: kubectl keeps the whole manifest in one.
Result<void> ReadAnnotations(Value value, MetaFields::Annotations wanted, StringMap& out) {
  using Annotations = MetaFields::Annotations;
  constexpr std::string_view kName = "metadata.annotations";
  if (wanted == Annotations::kNone) return {};
  if (wanted == Annotations::kAll) return Read(kName, value, out);
  AZX_RETURN_IF_ERROR(
      ForEachField(kName, value, [&](std::string_view key, Value text) -> Result<void> {
        if (key != kAuditIgnoreAnnotation && !(wanted == Annotations::kRouting && IsRouting(key))) {
          return {};
        }
        out.emplace_back(std::string(key), std::string());
        return Read(kName, text, out.back().second);
      }));
  std::sort(out.begin(), out.end());
  return {};
}

Result<void> ReadOwner(Value value, Owner& owner) {
  return ForEachField("metadata.ownerReferences", value,
                      [&](std::string_view key, Value v) -> Result<void> {
                        if (key == "kind") return Read(key, v, owner.kind);
                        if (key == "name") return Read(key, v, owner.name);
                        if (key == "controller") return Read(key, v, owner.controller);
                        return {};
                      });
}

}  // namespace

Result<void> ReadTime(std::string_view name, Value value, std::int64_t& out) {
  if (const WireValue* wire = value.protobuf()) {
    std::optional<std::int64_t> time_ms;
    AZX_RETURN_IF_ERROR(TakeWire(name, wire->TimeMs(), time_ms));
    out = time_ms.value_or(out);
    return {};
  }
  std::string text;
  AZX_RETURN_IF_ERROR(Read(name, value, text));
  if (text.empty()) return {};
  auto parsed = base::ParseTimeMs(text);
  if (!parsed) return base::Fail(parsed.error().WithContext(name));
  out = *parsed;
  return {};
}

Result<void> Read(std::string_view name, Value value, std::vector<Requirement>& out) {
  return ForEachItem(name, value, [&](Value item) {
    Requirement& requirement = out.emplace_back();
    return ForEachField(name, item, [&](std::string_view key, Value v) -> Result<void> {
      if (key == "key") return Read(name, v, requirement.key);
      if (key == "operator") return ReadOperator(name, v, requirement.op);
      if (key == "values") return Read(name, v, requirement.values);
      return {};
    });
  });
}

Result<void> Read(std::string_view name, Value value, LabelSelector& out) {
  return ForEachField(name, value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "matchLabels") return Read(name, v, out.match_labels);
    if (key == "matchExpressions") return Read(name, v, out.requirements);
    return {};
  });
}

Result<void> Read(std::string_view name, Value value, NodeSelector& out) {
  return ForEachField(name, value, [&](std::string_view key, Value v) -> Result<void> {
    if (key != "nodeSelectorTerms") return {};
    return ForEachItem(name, v, [&](Value item) {
      NodeSelectorTerm& term = out.terms.emplace_back();
      return ForEachField(name, item, [&](std::string_view k, Value tv) -> Result<void> {
        if (k == "matchExpressions") return Read(name, tv, term.match_expressions);
        if (k == "matchFields") return Read(name, tv, term.match_fields);
        return {};
      });
    });
  });
}

Result<void> ReadNumberText(std::string_view name, Value value, std::string& out) {
  if (const WireValue* wire = value.protobuf()) return TakeWire(name, wire->NumberText(), out);
  od::value& json = *value.json();
  od::json_type type{};
  if (auto error = json.type().get(type)) return WrongType(name, error);
  if (type != od::json_type::number) return Read(name, value, out);
  out = json.raw_json_token();
  out.erase(out.find_last_not_of(" \t\r\n") + 1);
  return {};
}

Result<void> Read(std::string_view name, Value value, Amounts& out) {
  return ForEachField(name, value, [&](std::string_view key, Value v) -> Result<void> {
    std::string text;
    AZX_RETURN_IF_ERROR(ReadNumberText(name, v, text));
    auto amount = key == "cpu" ? ParseQuantityMilli(text) : ParseQuantity(text);
    if (!amount) {
      return base::Fail(amount.error().WithContext(std::string(name) + "." + std::string(key)));
    }
    out.emplace_back(std::string(key), *amount);
    return {};
  });
}

Resources ResourcesOf(const Amounts& amounts) {
  Resources resources;
  for (const auto& [name, amount] : amounts) resources.Set(name, amount);
  return resources;
}

Result<void> ReadMeta(Value value, const MetaFields& fields) {
  ObjectMeta& meta = fields.meta;
  return ForEachField("metadata", value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "name") return Read("metadata.name", v, meta.name);
    if (key == "namespace") return Read("metadata.namespace", v, meta.ns);
    if (key == "uid") return Read("metadata.uid", v, meta.uid);
    if (key == "labels") {
      StringMap labels;
      AZX_RETURN_IF_ERROR(Read("metadata.labels", v, labels));
      meta.labels = fields.label_pool == nullptr
                        ? Shared(std::move(labels))
                        : Shared(fields.label_pool->Intern(std::move(labels)));
      return {};
    }
    if (key == "annotations") return ReadAnnotations(v, fields.annotations, meta.annotations);
    if (key == "resourceVersion" && fields.resource_version != nullptr) {
      return Read("metadata.resourceVersion", v, *fields.resource_version);
    }
    if (key == "generation" && fields.generation != nullptr) {
      return Read("metadata.generation", v, *fields.generation);
    }
    if (key == "creationTimestamp") {
      return ReadTime("metadata.creationTimestamp", v, meta.created_ms);
    }
    if (key == "deletionTimestamp") {
      meta.terminating = !IsNull(v);
      return {};
    }
    if (key == "ownerReferences" && fields.owners != nullptr) {
      return ForEachItem("metadata.ownerReferences", v, [&](Value item) {
        return ReadOwner(item, fields.owners->emplace_back());
      });
    }
    return {};
  });
}

}  // namespace azexporter::kube
