#include "manifest.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <system_error>

namespace azexporter::platform {

using base::BadData;
using base::ErrorCode;
using base::Fail;
using base::Result;
using base::YamlNode;
using simulator::Json;

namespace {

Json ScalarToJson(const YamlNode& node) {
  const std::string& text = node.scalar();
  if (node.is_quoted() || text.empty()) return text;
  if (const auto flag = node.AsBool()) return *flag;
  // Only what starts like a number: the reader of numbers takes "nan" and "inf" as well.
  if (text.front() != '-' && text.front() != '.' && (text.front() < '0' || text.front() > '9')) {
    return text;
  }
  if (const auto integer = node.AsInt64()) return *integer;
  if (const auto number = node.AsDouble()) return *number;
  return text;
}

Result<std::string> Substitute(std::string_view text,
                               const std::map<std::string, std::string>& variables) {
  std::string out;
  for (;;) {
    const std::size_t open = text.find("${");
    const std::size_t close = text.find('}', open == std::string_view::npos ? 0 : open);
    if (open == std::string_view::npos || close == std::string_view::npos) break;
    const std::string name(text.substr(open + 2, close - open - 2));
    const auto found = variables.find(name);
    if (found == variables.end()) return BadData("unknown variable ${" + name + "}");
    out += text.substr(0, open);
    out += found->second;
    text.remove_prefix(close + 1);
  }
  return out.append(text);
}

}  // namespace

Json ToJson(const YamlNode& node) {
  switch (node.kind()) {
    case YamlNode::Kind::kNull:
      return nullptr;
    case YamlNode::Kind::kScalar:
      return ScalarToJson(node);
    case YamlNode::Kind::kSequence: {
      Json list = Json::array();
      for (const YamlNode& item : node.items()) list.push_back(ToJson(item));
      return list;
    }
    case YamlNode::Kind::kMap: {
      Json map = Json::object();
      for (const auto& [key, value] : node.entries()) map[key.scalar()] = ToJson(value);
      return map;
    }
  }
  return nullptr;
}

Result<std::vector<Json>> ReadManifests(const std::filesystem::path& folder,
                                        const std::map<std::string, std::string>& variables) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  if (error || files.empty()) {
    return Fail(ErrorCode::kNotFound, "no manifests in " + folder.string());
  }
  std::sort(files.begin(), files.end());
  std::vector<Json> documents;
  for (const std::filesystem::path& file : files) {
    AZX_ASSIGN_OR_RETURN(const std::string raw, ReadFile(file));
    auto text = Substitute(raw, variables);
    if (!text) return Fail(text.error().WithContext(file.string()));
    AZX_ASSIGN_OR_RETURN(const auto nodes, YamlNode::ParseAll(*text, file.string()));
    for (const YamlNode& node : nodes) {
      if (!node.is_null()) documents.push_back(ToJson(node));
    }
  }
  return documents;
}

Result<std::string> ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return Fail(ErrorCode::kUnavailable, "read " + path.string());
  return text.str();
}

Result<void> WriteFile(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::path temporary = path;
  temporary += ".tmp";
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    // A kubeconfig carries a token.
    std::error_code ignored;
    std::filesystem::permissions(
        temporary, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write,
        ignored);
    out << text;
    if (!out.flush()) return Fail(ErrorCode::kUnavailable, "write " + path.string());
  }
  std::error_code error;
  std::filesystem::rename(temporary, path, error);
  if (error)
    return Fail(ErrorCode::kUnavailable, "write " + path.string() + ": " + error.message());
  return {};
}

}  // namespace azexporter::platform
