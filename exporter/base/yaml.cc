#include "azexporter/base/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <sstream>

#include "azexporter/base/duration.h"
#include "azexporter/base/float_format.h"

namespace azexporter::base {

namespace {

// Aliases are copied where they stand; this bounds what a file of nested aliases can grow to.
constexpr std::size_t kMaxNodes = 2'000'000;
// Nesting deeper than this is refused before it can exhaust the stack.
constexpr std::size_t kMaxDepth = 200;

std::string PlaceText(const std::string& file, int line, int column) {
  return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::size_t CountNodes(const YamlNode& node) {
  std::size_t count = 1;
  for (const YamlNode& item : node.items()) count += CountNodes(item);
  for (const auto& [key, value] : node.entries()) count += 1 + CountNodes(value);
  return count;
}

}  // namespace

// Builds the tree from yaml-cpp's events. The first fault found is kept in `error()`; building goes
// on, because an exception must not pass through the parser's frames.
class YamlTreeBuilder final : public YAML::EventHandler {
 public:
  YamlTreeBuilder(std::shared_ptr<const std::string> file, const YamlReading& reading)
      : file_(std::move(file)), reading_(reading) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add(NodeAt(mark, YamlNode::Kind::kNull), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      SetError(NodeAt(mark, YamlNode::Kind::kNull).ErrorHere("alias to a node that encloses it"));
      return;
    }
    nodes_ += CountNodes(found->second);
    if (nodes_ > kMaxNodes) {
      SetError(NodeAt(mark, YamlNode::Kind::kNull).ErrorHere("too many nodes through aliases"));
      return;
    }
    Add(found->second, 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = NodeAt(mark, YamlNode::Kind::kScalar);
    node.quoted_ = tag != "?";
    if (!node.quoted_ && (value.empty() || value == "~" || value == "null")) {
      node.kind_ = YamlNode::Kind::kNull;
    } else {
      node.scalar_ = value;
    }
    Add(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(NodeAt(mark, YamlNode::Kind::kSequence), anchor);
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(NodeAt(mark, YamlNode::Kind::kMap), anchor);
  }
  void OnMapEnd() override { Close(); }

  // What this document came to. Resets the builder for the next one.
  Result<YamlNode> TakeDocument() {
    if (error_) return Fail(*std::exchange(error_, std::nullopt));
    YamlNode root = std::move(root_);
    root_ = YamlNode();
    root_.file_ = file_;
    open_.clear();
    anchors_.clear();
    return root;
  }

 private:
  struct Frame {
    YamlNode node;
    YAML::anchor_t anchor;
    std::optional<YamlNode> key;  // of a map, waiting for its value
  };

  YamlNode NodeAt(const YAML::Mark& mark, YamlNode::Kind kind) const {
    YamlNode node;
    node.kind_ = kind;
    node.line_ = mark.line + reading_.first_line;
    node.column_ = mark.column + 1;
    node.file_ = file_;
    return node;
  }

  void SetError(Error error) {
    if (!error_) error_ = std::move(error);
  }

  void Open(YamlNode node, YAML::anchor_t anchor) {
    if (open_.size() == kMaxDepth) SetError(node.ErrorHere("nested too deeply"));
    open_.push_back({std::move(node), anchor, std::nullopt});
  }

  void Close() {
    Frame frame = std::move(open_.back());
    open_.pop_back();
    Add(std::move(frame.node), frame.anchor);
  }

  void Add(YamlNode node, YAML::anchor_t anchor) {
    if (error_) return;
    if (++nodes_ > kMaxNodes) return SetError(node.ErrorHere("too many nodes"));
    if (anchor != 0) anchors_[anchor] = node;
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& top = open_.back();
    if (top.node.kind_ == YamlNode::Kind::kSequence) {
      top.node.items_.push_back(std::move(node));
    } else if (!top.key) {
      if (node.kind_ != YamlNode::Kind::kScalar && node.kind_ != YamlNode::Kind::kNull) {
        return SetError(node.ErrorHere("a map key must be a scalar"));
      }
      top.key = std::move(node);
    } else {
      AddEntry(top.node, *std::exchange(top.key, std::nullopt), std::move(node));
    }
  }

  void AddEntry(YamlNode& map, YamlNode key, YamlNode value) {
    if (!key.quoted_ && key.scalar_ == "<<") return Merge(map, key, value);
    for (const auto& [existing, unused] : map.entries_) {
      if (reading_.repeated_keys == RepeatedKeys::kKeep) break;
      if (existing.scalar_ != key.scalar_) continue;
      return SetError(key.ErrorHere("key \"" + key.scalar_ + "\" already set at line " +
                                    std::to_string(existing.line_)));
    }
    map.entries_.emplace_back(std::move(key), std::move(value));
  }

  // "<<: *defaults": the map's own keys win over the merged ones.
  void Merge(YamlNode& map, const YamlNode& key, const YamlNode& value) {
    if (value.kind_ == YamlNode::Kind::kSequence) {
      for (const YamlNode& item : value.items_) Merge(map, key, item);
      return;
    }
    if (!value.is_map()) return SetError(key.ErrorHere("map merge requires a map as its value"));
    for (const auto& entry : value.entries_) {
      const bool own = std::any_of(map.entries_.begin(), map.entries_.end(), [&](const auto& have) {
        return have.first.scalar_ == entry.first.scalar_;
      });
      if (!own) map.entries_.push_back(entry);
    }
  }

  std::shared_ptr<const std::string> file_;
  YamlReading reading_;
  YamlNode root_;
  std::vector<Frame> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  std::optional<Error> error_;
  std::size_t nodes_ = 0;
};

YamlNode::YamlNode() {
  static const auto kNoFile = std::make_shared<const std::string>();
  file_ = kNoFile;
}

YamlNode YamlNode::OfText(std::string text) {
  YamlNode node;
  node.kind_ = Kind::kScalar;
  node.line_ = node.column_ = 0;
  node.scalar_ = std::move(text);
  return node;
}

YamlNode YamlNode::OfItems(std::vector<YamlNode> items) {
  YamlNode node;
  node.kind_ = Kind::kSequence;
  node.line_ = node.column_ = 0;
  node.items_ = std::move(items);
  return node;
}

YamlNode YamlNode::OfEntries(std::vector<std::pair<YamlNode, YamlNode>> entries) {
  YamlNode node;
  node.kind_ = Kind::kMap;
  node.line_ = node.column_ = 0;
  node.entries_ = std::move(entries);
  return node;
}

YamlDocuments YamlNode::ParseUntilFault(std::string_view text, std::string file) {
  return ParseUntilFault(text, std::move(file), {});
}

YamlDocuments YamlNode::ParseUntilFault(std::string_view text, std::string file,
                                        const YamlReading& reading) {
  auto name = std::make_shared<const std::string>(std::move(file));
  YamlTreeBuilder builder(name, reading);
  std::istringstream in{std::string(text)};
  YamlDocuments parsed;
  try {
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
      auto document = builder.TakeDocument();
      if (!document) {
        parsed.fault = document.error();
        return parsed;
      }
      parsed.documents.push_back(std::move(*document));
    }
  } catch (const YAML::Exception& e) {
    parsed.fault =
        Error(ErrorCode::kBadData,
              PlaceText(*name, e.mark.line + reading.first_line, e.mark.column + 1) + ": " + e.msg);
  }
  return parsed;
}

Result<std::vector<YamlNode>> YamlNode::ParseAll(std::string_view text, std::string file) {
  YamlDocuments parsed = ParseUntilFault(text, std::move(file));
  if (parsed.fault) return Fail(std::move(*parsed.fault));
  return std::move(parsed.documents);
}

Result<YamlNode> YamlNode::Parse(std::string_view text, std::string file) {
  AZX_ASSIGN_OR_RETURN(std::vector<YamlNode> documents, ParseAll(text, std::move(file)));
  if (documents.empty()) return YamlNode();
  if (documents.size() > 1) {
    return Fail(documents[1].ErrorHere("a second document where one was expected"));
  }
  return std::move(documents.front());
}

Error YamlNode::ErrorHere(std::string_view message) const {
  return Error(ErrorCode::kBadData,
               PlaceText(*file_, line_, column_) + ": " + std::string(message));
}

Result<std::string> YamlNode::AsString() const {
  if (kind_ != Kind::kScalar) return Fail(ErrorHere("expected a string"));
  return scalar_;
}

Result<std::int64_t> YamlNode::AsInt64() const {
  std::int64_t value = 0;
  const char* end = scalar_.data() + scalar_.size();
  const auto [ptr, error] = std::from_chars(scalar_.data(), end, value);
  if (kind_ != Kind::kScalar || quoted_ || error != std::errc() || ptr != end) {
    return Fail(ErrorHere("expected a whole number, got \"" + scalar_ + "\""));
  }
  return value;
}

Result<double> YamlNode::AsDouble() const {
  if (kind_ != Kind::kScalar || quoted_) return Fail(ErrorHere("expected a number"));
  if (auto value = ParseFloat(scalar_)) return *value;
  return Fail(ErrorHere("expected a number, got \"" + scalar_ + "\""));
}

Result<bool> YamlNode::AsBool() const {
  if (kind_ == Kind::kScalar && !quoted_ && scalar_ == "true") return true;
  if (kind_ == Kind::kScalar && !quoted_ && scalar_ == "false") return false;
  return Fail(ErrorHere("expected true or false, got \"" + scalar_ + "\""));
}

Result<std::int64_t> YamlNode::AsDurationMs() const {
  if (kind_ != Kind::kScalar) return Fail(ErrorHere("expected a duration such as 5m"));
  auto value = ParseDurationMs(scalar_);
  if (!value) return Fail(ErrorHere(value.error().message()));
  return *value;
}

Result<std::vector<std::string>> YamlNode::AsStringList() const {
  if (kind_ != Kind::kSequence) return Fail(ErrorHere("expected a list of strings"));
  std::vector<std::string> list;
  for (const YamlNode& item : items_) {
    AZX_ASSIGN_OR_RETURN(std::string text, item.AsString());
    list.push_back(std::move(text));
  }
  return list;
}

Result<YamlMap> YamlMap::Of(const YamlNode& node) {
  if (!node.is_map() && !node.is_null()) return Fail(node.ErrorHere("expected a map"));
  return YamlMap(node);
}

const YamlNode* YamlMap::Find(std::string_view key) {
  if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) asked_.emplace_back(key);
  for (std::size_t i = 0; i < node_->entries().size(); ++i) {
    const auto& [name, value] = node_->entries()[i];
    if (name.scalar() != key) continue;
    read_[i] = true;
    return value.is_null() ? nullptr : &value;
  }
  return nullptr;
}

Result<const YamlNode*> YamlMap::Require(std::string_view key) {
  if (const YamlNode* found = Find(key)) return found;
  return Fail(node_->ErrorHere("missing key \"" + std::string(key) + "\""));
}

Result<void> YamlMap::CheckAllRead() const {
  for (std::size_t i = 0; i < read_.size(); ++i) {
    if (read_[i]) continue;
    const YamlNode& key = node_->entries()[i].first;
    std::string known;
    for (const std::string& name : asked_) known += (known.empty() ? "" : ", ") + name;
    return Fail(key.ErrorHere("unknown key \"" + key.scalar() + "\" (known here: " + known + ")"));
  }
  return {};
}

}  // namespace azexporter::base
