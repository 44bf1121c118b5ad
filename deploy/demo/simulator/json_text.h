#pragma once

// Looking into JSON that stays text. Objects are kept as compact text, since 150,000 of them as
// trees of values would need five times the memory; what selections and pages need of an object is
// found by skipping over the rest.
//
// All functions REQUIRE valid JSON, such as Dump writes; keys are compared as they are written.

#include <initializer_list>
#include <string>
#include <string_view>

namespace azexporter::simulator {

// The text of the value at the end of a path of object keys; empty when any of them is absent.
std::string_view RawAt(std::string_view json, std::initializer_list<std::string_view> path);
// The same for a path written "spec.nodeName".
std::string_view RawAtDotted(std::string_view json, std::string_view path);
// What a raw string says; empty when `raw` is no string.
std::string Unquoted(std::string_view raw);
// The string at the end of a path; empty when absent or no string.
std::string TextAt(std::string_view json, std::initializer_list<std::string_view> path);

}  // namespace azexporter::simulator
