#pragma once

// A strict reader for YAML: every node knows its line and column, duplicate keys are errors, and a
// decoder that leaves a key unread is told so. yaml-cpp parses; nothing of it shows here.
//
//   AZX_ASSIGN_OR_RETURN(YamlNode root, YamlNode::Parse(text, "azexporter.yaml"));
//   AZX_ASSIGN_OR_RETURN(YamlMap map, YamlMap::Of(root));
//   if (const YamlNode* name = map.Find("name")) { ... name->AsString() ... }
//   AZX_RETURN_IF_ERROR(map.CheckAllRead());   // "azexporter.yaml:3:1: unknown key \"nmae\""
//
// Thread safety: values; thread-compatible.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azexporter/base/result.h"

namespace azexporter::base {

struct YamlDocuments;

enum class RepeatedKeys {
  kRefuse,  // a fault
  kKeep,    // an entry each, in the order of the file
};

// How a text is read.
struct YamlReading {
  int first_line = 1;  // of the file, where the text is a part of it
  RepeatedKeys repeated_keys = RepeatedKeys::kRefuse;
};

class YamlNode {
 public:
  enum class Kind { kNull, kScalar, kSequence, kMap };

  // The whole text must hold exactly one document; an empty text is a null node.
  // `file` is only named in errors. Errors: kBadData, "file:line:column: cause".
  static Result<YamlNode> Parse(std::string_view text, std::string file);
  // Every document of the text, in order.
  static Result<std::vector<YamlNode>> ParseAll(std::string_view text, std::string file);
  // Every document before the first fault, and the fault.
  static YamlDocuments ParseUntilFault(std::string_view text, std::string file);
  static YamlDocuments ParseUntilFault(std::string_view text, std::string file,
                                       const YamlReading& reading);

  YamlNode();
  // Nodes that a program makes stand in no file: "", line 0.
  static YamlNode OfText(std::string text);
  static YamlNode OfItems(std::vector<YamlNode> items);
  static YamlNode OfEntries(std::vector<std::pair<YamlNode, YamlNode>> entries);

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_map() const { return kind_ == Kind::kMap; }
  // True for a scalar that stood in quotes or a block: "5" is then text, never a number.
  bool is_quoted() const { return quoted_; }
  // 1-based place of the node's first character; 0 where it stands in no file.
  int line() const { return line_; }
  int column() const { return column_; }
  const std::string& file() const { return *file_; }

  // The raw text of a scalar; empty for every other kind.
  const std::string& scalar() const { return scalar_; }
  // Elements of a sequence; empty for every other kind.
  const std::vector<YamlNode>& items() const { return items_; }
  // Keys and values of a map in the order of the file; empty for every other kind.
  const std::vector<std::pair<YamlNode, YamlNode>>& entries() const { return entries_; }

  // Conversions: kBadData with the place when the node is of another kind or form.
  Result<std::string> AsString() const;  // any scalar, quoted or not
  Result<std::int64_t> AsInt64() const;
  Result<double> AsDouble() const;
  Result<bool> AsBool() const;                // true, false (YAML 1.2)
  Result<std::int64_t> AsDurationMs() const;  // "5m"; see duration.h
  Result<std::vector<std::string>> AsStringList() const;

  // kBadData "file:line:column: message" at this node.
  Error ErrorHere(std::string_view message) const;

  // The same values, wherever they stand.
  friend bool operator==(const YamlNode& a, const YamlNode& b) {
    return a.kind_ == b.kind_ && a.scalar_ == b.scalar_ && a.items_ == b.items_ &&
           a.entries_ == b.entries_;
  }

 private:
  friend class YamlTreeBuilder;

  Kind kind_ = Kind::kNull;
  bool quoted_ = false;
  int line_ = 1;
  int column_ = 1;
  std::shared_ptr<const std::string> file_;
  std::string scalar_;
  std::vector<YamlNode> items_;
  std::vector<std::pair<YamlNode, YamlNode>> entries_;
};

struct YamlDocuments {
  std::vector<YamlNode> documents;
  std::optional<Error> fault;  // kBadData "file:line:column: cause"
};

// One reading of a map, which remembers the keys that were asked for.
class YamlMap {
 public:
  // A null node reads as an empty map. `node` must outlive this.
  static Result<YamlMap> Of(const YamlNode& node);

  // nullptr where the key is absent or its value is null.
  const YamlNode* Find(std::string_view key);
  // kBadData at the map when the key is absent.
  Result<const YamlNode*> Require(std::string_view key);
  // kBadData at the first key that was never asked for.
  Result<void> CheckAllRead() const;

 private:
  explicit YamlMap(const YamlNode& node) : node_(&node), read_(node.entries().size()) {}

  const YamlNode* node_;
  std::vector<bool> read_;
  std::vector<std::string> asked_;
};

}  // namespace azexporter::base
