#pragma once

// JSON documents as the simulator keeps them. Keys stay in the order in which they were written, so
// that what is served reads like a real API server's answer ("kind" first, "items" last).
//
// Equality of ordered documents depends on the order of keys: compare as nlohmann::json where only
// the content counts.

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "azexporter/base/result.h"

namespace azexporter::simulator {

using Json = nlohmann::ordered_json;

// kBadData when `text` is no JSON.
base::Result<Json> ParseJson(std::string_view text);

// One line; bytes that are not UTF-8 become U+FFFD.
std::string Dump(const Json& json);
// Two spaces an indentation, as the API server answers curl.
std::string DumpPretty(const Json& json);

// The value at the end of a path of object keys; nullptr when any of them is absent.
const Json* Find(const Json& json, std::initializer_list<std::string_view> path);
// The text at the end of a path; empty when absent or no string.
std::string StringAt(const Json& json, std::initializer_list<std::string_view> path);
// The number at the end of a path; `fallback` when absent or no integer.
std::int64_t IntAt(const Json& json, std::initializer_list<std::string_view> path,
                   std::int64_t fallback = 0);

}  // namespace azexporter::simulator
