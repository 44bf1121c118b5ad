#include "azexporter/audit/manifests.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "azexporter/base/file.h"
#include "azexporter/base/text.h"
#include "fields.h"

namespace azexporter::audit {
namespace {

namespace fs = std::filesystem;
using base::YamlNode;

std::vector<std::string> SplitNames(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    names.emplace_back(base::Trim(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return names;
}

// "---" begins a document wherever it stands at the start of a line, in a block of text too.
bool BeginsDocument(std::string_view line) {
  return line.starts_with("---") && (line.size() == 3 || line[3] == ' ' || line[3] == '\t');
}

struct Piece {
  std::string_view text;
  int first_line = 1;
};

// One document each, so that a fault ends with its document.
std::vector<Piece> SplitDocuments(std::string_view text) {
  std::vector<Piece> pieces;
  std::size_t start = 0;
  int start_line = 1;
  int line = 1;
  for (std::size_t at = 0; at < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view content = text.substr(at, end - at);
    if (content.ends_with('\r')) content.remove_suffix(1);
    if (at > start && BeginsDocument(content)) {
      pieces.push_back({text.substr(start, at - start), start_line});
      start = at;
      start_line = line;
    }
    at = end + 1;
  }
  if (start < text.size()) pieces.push_back({text.substr(start), start_line});
  return pieces;
}

bool IsManifest(const fs::path& path) {
  const auto extension = path.extension();
  return extension == ".json" || extension == ".yaml" || extension == ".yml";
}

void ReadFileInto(const std::string& path, Manifests& manifests) {
  const auto text = base::ReadFile(path);
  if (!text) return manifests.AddFault(text.error());
  manifests.Add(*text, path == "-" ? "standard input" : path);
}

void ReadFolderInto(const std::string& folder, Manifests& manifests) {
  std::set<fs::path> files;  // in an order that does not depend on the disk
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored) && IsManifest(entry->path())) files.insert(entry->path());
  }
  if (error) {
    manifests.AddFault(base::Error(base::ErrorCode::kUnavailable, folder + ": " + error.message()));
  } else if (files.empty()) {
    manifests.AddFault(base::Error(base::ErrorCode::kUnavailable,
                                   folder + ": no .yaml, .yml or .json file below it"));
  }
  for (const fs::path& file : files) ReadFileInto(file.string(), manifests);
}

}  // namespace

std::string Object::Text() const { return kind + " " + (ns.empty() ? "" : ns + "/") + name; }

bool Object::Ignores(std::string_view check) const {
  return std::ranges::any_of(
      ignored, [&](const std::string& given) { return given == check || given == "all"; });
}

bool Object::IsSameAs(const Object& other) const {
  return group == other.group && kind == other.kind && ns == other.ns && name == other.name;
}

void Manifests::Add(std::string_view text, const std::string& file) {
  for (const Piece& piece : SplitDocuments(text)) {
    base::YamlDocuments parsed = YamlNode::ParseUntilFault(
        piece.text, file,
        {.first_line = piece.first_line, .repeated_keys = base::RepeatedKeys::kKeep});
    for (const YamlNode& document : parsed.documents) AddObject(document);
    if (parsed.fault) faults_.push_back(std::move(*parsed.fault));
  }
}

void Manifests::AddObject(const YamlNode& root, bool is_context) {
  Object object;
  object.kind = TextAt(root, {"kind"});
  const std::string api_version = TextAt(root, {"apiVersion"});
  if (object.kind.empty() || api_version.empty()) return;
  if (object.kind.ends_with("List")) {
    for (const YamlNode& item : ItemsAt(root, {"items"})) AddObject(item, is_context);
    return;
  }
  const std::size_t slash = api_version.find('/');
  object.group = slash == std::string::npos ? "" : api_version.substr(0, slash);
  object.version = slash == std::string::npos ? api_version : api_version.substr(slash + 1);
  object.ns = TextAt(root, {"metadata", "namespace"});
  object.name = TextAt(root, {"metadata", "name"});
  object.ignored =
      SplitNames(TextAt(root, {"metadata", "annotations", kube::kAuditIgnoreAnnotation}));
  object.is_context = is_context;
  object.root = root;
  objects_.push_back(std::move(object));
  const Object& added = objects_.back();
  by_kind_[{added.group, added.kind}].push_back(&added);
  by_name_.emplace(Key{added.group, added.kind, added.ns, added.name}, &added);
}

const std::vector<const Object*>& Manifests::Of(std::string_view group,
                                                std::string_view kind) const {
  static const std::vector<const Object*> kNone;
  const auto found = by_kind_.find({group, kind});
  return found == by_kind_.end() ? kNone : found->second;
}

const Object* Manifests::Find(std::string_view group, std::string_view kind, std::string_view ns,
                              std::string_view name) const {
  const auto found = by_name_.find({group, kind, ns, name});
  return found == by_name_.end() ? nullptr : found->second;
}

Manifests ReadManifests(const std::vector<std::string>& paths) {
  Manifests manifests;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (path != "-" && fs::is_directory(path, ignored)) {
      ReadFolderInto(path, manifests);
    } else {
      ReadFileInto(path, manifests);
    }
  }
  return manifests;
}

}  // namespace azexporter::audit
