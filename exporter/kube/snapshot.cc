// A cluster without its API server: from what kubectl printed.

#include <charconv>
#include <filesystem>
#include <set>

#include "azexporter/base/file.h"
#include "azexporter/base/float_format.h"
#include "azexporter/base/json_writer.h"
#include "azexporter/base/yaml.h"
#include "azexporter/kube/cluster.h"
#include "azexporter/kube/object_cache.h"
#include "decode.h"

namespace azexporter::kube {
namespace {

namespace fs = std::filesystem;
using base::Result;
using base::YamlNode;

// Each object once, of several the last.
template <class T>
SharedList<T> Share(Objects<T> objects) {
  ObjectCache<T> cache;
  cache.Replace(std::move(objects));
  return cache.List();
}

// A file does not say what was asked for. That it holds none of the required resources is believed;
// of the others it may as well be that nobody asked.
template <class T>
ResourceHealth SnapshotHealth(const std::string& source, std::int64_t now_ms, bool found) {
  ResourceHealth health;
  health.resource = T::kResource;
  health.from_file = true;
  health.optional = ResourceOf<T>::kNeed == Need::kOptional;
  health.synced = found || !health.optional;
  health.last_contact_ms = now_ms;
  health.lists[static_cast<std::size_t>(ListReason::kStart)] = 1;
  if (!health.synced) {
    health.last_error =
        source + " has no " + health.resource + ": none were asked for, or there are none";
  }
  return health;
}

template <class... T>
ClusterState::Parts PartsOf(ObjectLists<T...> lists, const std::string& source,
                            std::int64_t now_ms) {
  ClusterState::Parts parts;
  const auto take = [&]<class U>(Objects<U>& objects) {
    parts.health.push_back(SnapshotHealth<U>(source, now_ms, !objects.empty()));
    parts.*ResourceOf<U>::kList = Share(std::move(objects));
  };
  (take(std::get<Objects<T>>(lists)), ...);
  return parts;
}

// What a plain scalar stands for, as YAML 1.2 and kubectl have it.
void WriteScalar(const YamlNode& node, base::JsonWriter& json) {
  const std::string& text = node.scalar();
  if (node.is_quoted()) {
    json.String(text);
  } else if (text.empty() || text == "null" || text == "~") {
    json.Null();
  } else if (text == "true" || text == "false") {
    json.Bool(text == "true");
  } else {
    // Numbers as they stand: "1e3" and "0755" are none that JSON has.
    const bool digits = text.find_first_not_of("-.0123456789") == std::string::npos;
    std::int64_t integer = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), integer);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    if (whole && std::to_string(integer) == text) {
      json.Int(integer);
    } else if (const auto number = base::ParseFloat(text); digits && number && !whole) {
      json.Raw(base::FormatFloatG(*number));
    } else {
      json.String(text);
    }
  }
}

void WriteJson(const YamlNode& node, base::JsonWriter& json) {
  switch (node.kind()) {
    case YamlNode::Kind::kNull:
      json.Null();
      return;
    case YamlNode::Kind::kScalar:
      WriteScalar(node, json);
      return;
    case YamlNode::Kind::kSequence:
      json.BeginArray();
      for (const YamlNode& item : node.items()) WriteJson(item, json);
      json.EndArray();
      return;
    case YamlNode::Kind::kMap:
      json.BeginObject();
      for (const auto& [key, value] : node.entries()) {
        json.Key(key.scalar());
        WriteJson(value, json);
      }
      json.EndObject();
      return;
  }
}

// JSON or YAML, one document or several.
Result<void> ReadText(std::string text, const std::string& source, MixedObjects& into) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return {};
  if (text[first] == '{' || text[first] == '[') {
    if (auto read = DecodeMixed(text, into); !read) {
      return base::Fail(read.error().WithContext(source));
    }
    return {};
  }
  AZX_ASSIGN_OR_RETURN(const auto documents, YamlNode::ParseAll(text, source));
  for (const YamlNode& document : documents) {
    if (document.is_null()) continue;
    base::JsonWriter json;
    WriteJson(document, json);
    std::string body = json.Take();
    if (auto read = DecodeMixed(body, into); !read) {
      return base::Fail(document.ErrorHere(read.error().message()));
    }
  }
  return {};
}

bool IsObjectFile(const fs::path& path) {
  const auto extension = path.extension();
  return extension == ".json" || extension == ".yaml" || extension == ".yml";
}

// In an order that does not depend on the disk.
Result<std::set<fs::path>> FilesBelow(const std::string& folder) {
  std::set<fs::path> files;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied,
                                         error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored) && IsObjectFile(entry->path())) files.insert(entry->path());
  }
  if (error) return base::Fail(base::ErrorCode::kUnavailable, folder + ": " + error.message());
  if (files.empty()) {
    return base::Fail(base::ErrorCode::kUnavailable,
                      folder + ": no .json, .yaml or .yml file below it");
  }
  return files;
}

std::shared_ptr<const ClusterState> StateOf(MixedObjects objects, const std::string& source,
                                            std::int64_t now_ms,
                                            std::vector<std::string>& skipped) {
  std::move(objects.item_errors.begin(), objects.item_errors.end(), std::back_inserter(skipped));
  return std::make_shared<const ClusterState>(PartsOf(std::move(objects.lists), source, now_ms));
}

}  // namespace

Result<std::shared_ptr<const ClusterState>> ReadSnapshot(std::string text,
                                                         const std::string& source,
                                                         std::int64_t now_ms,
                                                         std::vector<std::string>& skipped) {
  MixedObjects objects;
  AZX_RETURN_IF_ERROR(ReadText(std::move(text), source, objects));
  return StateOf(std::move(objects), source, now_ms, skipped);
}

Result<std::shared_ptr<const ClusterState>> ReadSnapshotFrom(const std::string& path,
                                                             std::int64_t now_ms,
                                                             std::vector<std::string>& skipped) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    AZX_ASSIGN_OR_RETURN(std::string text, base::ReadFile(path));
    return ReadSnapshot(std::move(text), path, now_ms, skipped);
  }
  AZX_ASSIGN_OR_RETURN(const auto files, FilesBelow(path));
  MixedObjects objects;
  for (const fs::path& file : files) {
    auto text = base::ReadFile(file.string());
    auto read = text ? ReadText(std::move(*text), file.string(), objects)
                     : Result<void>(base::Fail(text.error()));
    if (!read) skipped.push_back(read.error().message());
  }
  return StateOf(std::move(objects), path, now_ms, skipped);
}

}  // namespace azexporter::kube
