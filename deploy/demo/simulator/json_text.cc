#include "simulator/json_text.h"

#include <algorithm>

#include "simulator/json.h"

namespace azexporter::simulator {
namespace {

std::size_t SkipSpace(std::string_view json, std::size_t at) {
  while (at < json.size() &&
         (json[at] == ' ' || json[at] == '\n' || json[at] == '\t' || json[at] == '\r')) {
    ++at;
  }
  return at;
}

// `at` is at the opening quote; the answer is behind the closing one.
std::size_t SkipString(std::string_view json, std::size_t at) {
  for (;;) {
    const std::size_t quote = json.find('"', at + 1);
    if (quote == std::string_view::npos) return json.size();
    std::size_t backslashes = 0;
    while (json[quote - 1 - backslashes] == '\\') ++backslashes;
    if (backslashes % 2 == 0) return quote + 1;
    at = quote;
  }
}

// `at` is at the first character of a value; the answer is behind its last one.
std::size_t SkipValue(std::string_view json, std::size_t at) {
  if (at >= json.size()) return json.size();
  if (json[at] == '"') return SkipString(json, at);
  if (json[at] != '{' && json[at] != '[')
    return std::min(json.find_first_of(",}] \n\t\r", at), json.size());
  int depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = SkipString(json, at);
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    ++at;
    if (depth == 0) break;
  }
  return at;
}

// The raw value of a member of an object; empty when there is none or `json` is no object.
std::string_view Member(std::string_view json, std::string_view key) {
  std::size_t at = SkipSpace(json, 0);
  if (at >= json.size() || json[at] != '{') return {};
  at = SkipSpace(json, at + 1);
  while (at < json.size() && json[at] == '"') {
    const std::size_t key_end = SkipString(json, at);
    const std::string_view name = json.substr(at + 1, key_end - at - 2);
    const std::size_t begin = SkipSpace(json, SkipSpace(json, key_end) + 1);  // behind the colon
    const std::size_t end = SkipValue(json, begin);
    if (name == key) return json.substr(begin, end - begin);
    at = SkipSpace(json, end);
    if (at < json.size() && json[at] == ',') at = SkipSpace(json, at + 1);
  }
  return {};
}

}  // namespace

std::string_view RawAt(std::string_view json, std::initializer_list<std::string_view> path) {
  for (std::string_view key : path) json = Member(json, key);
  return json;
}

std::string_view RawAtDotted(std::string_view json, std::string_view path) {
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    json = Member(json, path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return json;
}

std::string Unquoted(std::string_view raw) {
  if (raw.size() < 2 || raw.front() != '"') return {};
  const std::string_view inside = raw.substr(1, raw.size() - 2);
  if (inside.find('\\') == std::string_view::npos) return std::string(inside);
  const auto json = ParseJson(raw);
  return json && json->is_string() ? json->get<std::string>() : std::string();
}

std::string TextAt(std::string_view json, std::initializer_list<std::string_view> path) {
  return Unquoted(RawAt(json, path));
}

}  // namespace azexporter::simulator
