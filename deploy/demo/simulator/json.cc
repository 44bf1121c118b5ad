#include "simulator/json.h"

namespace azexporter::simulator {

base::Result<Json> ParseJson(std::string_view text) {
  Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_discarded()) return base::BadData("not a JSON document");
  return json;
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string DumpPretty(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

const Json* Find(const Json& json, std::initializer_list<std::string_view> path) {
  const Json* at = &json;
  for (std::string_view key : path) {
    if (!at->is_object()) return nullptr;
    const auto found = at->find(std::string(key));
    if (found == at->end()) return nullptr;
    at = &*found;
  }
  return at;
}

std::string StringAt(const Json& json, std::initializer_list<std::string_view> path) {
  const Json* value = Find(json, path);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::int64_t IntAt(const Json& json, std::initializer_list<std::string_view> path,
                   std::int64_t fallback) {
  const Json* value = Find(json, path);
  return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : fallback;
}

}  // namespace azexporter::simulator
