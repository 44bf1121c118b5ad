#include "template_value.h"

namespace azexporter::rules::text_template {
namespace {

std::string_view IntegerTypeName(Integer::Type type) {
  switch (type) {
    case Integer::Type::kInt:
      return "int";
    case Integer::Type::kInt64:
      return "int64";
    case Integer::Type::kUint8:
      return "uint8";
    case Integer::Type::kMonth:
      return "time.Month";
    case Integer::Type::kWeekday:
      return "time.Weekday";
  }
  return "int";
}

struct TypeNamer {
  std::string operator()(Nil) const { return "<nil>"; }
  std::string operator()(bool) const { return "bool"; }
  std::string operator()(Integer value) const { return std::string(IntegerTypeName(value.type)); }
  std::string operator()(double) const { return "float64"; }
  std::string operator()(const std::string&) const { return "string"; }
  std::string operator()(const Html&) const { return "template.HTML"; }
  std::string operator()(const model::Labels&) const { return "map[string]string"; }
  std::string operator()(const Args&) const { return "map[string]interface {}"; }
  std::string operator()(const Sample&) const { return "*template.sample"; }
  std::string operator()(const Vector&) const { return "template.queryResult"; }
  std::string operator()(Time value) const { return value.is_pointer ? "*time.Time" : "time.Time"; }
  std::string operator()(Duration value) const {
    return value.is_pointer ? "*time.Duration" : "time.Duration";
  }
  std::string operator()(Root) const {
    return "struct { Labels map[string]string; ExternalLabels map[string]string; "
           "ExternalURL string; Value interface {} }";
  }
};

struct Truth {
  bool operator()(Nil) const { return false; }
  bool operator()(bool value) const { return value; }
  bool operator()(Integer value) const { return value.value != 0; }
  bool operator()(double value) const { return value != 0; }
  bool operator()(const std::string& text) const { return !text.empty(); }
  bool operator()(const Html& html) const { return !html.text.empty(); }
  bool operator()(const model::Labels& labels) const { return !labels.empty(); }
  bool operator()(const Args& args) const { return !args->values.empty(); }
  bool operator()(const Sample& sample) const { return sample != nullptr; }
  bool operator()(const Vector& vector) const { return vector != nullptr && !vector->empty(); }
  bool operator()(Time) const { return true; }
  bool operator()(Duration value) const { return value.is_pointer || value.ns != 0; }
  bool operator()(Root) const { return true; }
};

}  // namespace

std::string TypeName(const Value& value) { return std::visit(TypeNamer(), value); }

bool IsTrue(const Value& value) { return std::visit(Truth(), value); }

const std::string* TextOf(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return text;
  if (const auto* html = std::get_if<Html>(&value)) return &html->text;
  return nullptr;
}

std::size_t Weight(const Value& value) {
  constexpr std::size_t kBytesAStep = 16;
  if (const std::string* text = TextOf(value)) return 1 + text->size() / kBytesAStep;
  if (const auto* vector = std::get_if<Vector>(&value))
    return 1 + (*vector ? (*vector)->size() : 0);
  if (const auto* args = std::get_if<Args>(&value)) return 1 + (*args)->values.size();
  return 1;
}

}  // namespace azexporter::rules::text_template
