#include "azexporter/model/labels.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "azexporter/base/utf8.h"

namespace azexporter::model {
namespace {

constexpr std::size_t kCountOffset = sizeof(std::uint64_t);
constexpr std::size_t kEntriesOffset = kCountOffset + sizeof(std::uint32_t);
constexpr std::size_t kEntrySize = 2 * sizeof(std::uint32_t);

template <class T>
T LoadAt(const char* data, std::size_t offset) {
  T value;
  std::memcpy(&value, data + offset, sizeof(T));
  return value;
}

template <class T>
void StoreAt(char* data, std::size_t offset, T value) {
  std::memcpy(data + offset, &value, sizeof(T));
}

std::size_t TextOffset(std::size_t count) { return kEntriesOffset + count * kEntrySize; }

bool IsAsciiLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool IsLegacyName(std::string_view name, bool allow_colon) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return IsAsciiLetter(c) || c == '_' || (c >= '0' && c <= '9') || (allow_colon && c == ':');
  });
}

}  // namespace

Labels Labels::Of(std::initializer_list<Label> labels) { return Of(std::vector<Label>(labels)); }

Labels Labels::Of(std::vector<Label> labels) {
  std::stable_sort(labels.begin(), labels.end(),
                   [](const Label& a, const Label& b) { return a.name < b.name; });
  // Of equal names the last one given wins; empty values go.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (i + 1 < labels.size() && labels[i + 1].name == labels[i].name) continue;
    if (labels[i].value.empty()) continue;
    labels[kept++] = labels[i];
  }
  labels.resize(kept);
  return OfSorted(labels);
}

Labels Labels::OfSorted(std::span<const Label> labels) {
  Labels result;
  if (labels.empty()) return result;
  const std::size_t kept = labels.size();
  std::size_t text_size = 0;
  for (const Label& label : labels) text_size += label.name.size() + label.value.size();

  const std::size_t text_offset = TextOffset(kept);
  auto data = std::make_shared_for_overwrite<char[]>(text_offset + text_size);
  std::uint32_t position = 0;
  const auto put_text = [&](std::string_view text) {
    std::memcpy(data.get() + text_offset + position, text.data(), text.size());
    position += static_cast<std::uint32_t>(text.size());
    return position;
  };
  for (std::size_t i = 0; i < kept; ++i) {
    const std::size_t entry = kEntriesOffset + i * kEntrySize;
    StoreAt(data.get(), entry, put_text(labels[i].name));
    StoreAt(data.get(), entry + sizeof(std::uint32_t), put_text(labels[i].value));
  }
  StoreAt(data.get(), kCountOffset, static_cast<std::uint32_t>(kept));
  const std::string_view hashed(data.get() + kCountOffset, text_offset + text_size - kCountOffset);
  StoreAt(data.get(), 0, static_cast<std::uint64_t>(std::hash<std::string_view>()(hashed)));
  result.data_ = std::move(data);
  return result;
}

std::size_t Labels::size() const {
  return data_ ? LoadAt<std::uint32_t>(data_.get(), kCountOffset) : 0;
}

Label Labels::operator[](std::size_t i) const {
  const char* data = data_.get();
  const char* text = data + TextOffset(LoadAt<std::uint32_t>(data, kCountOffset));
  const std::size_t entry = kEntriesOffset + i * kEntrySize;
  const std::uint32_t begin =
      i == 0 ? 0 : LoadAt<std::uint32_t>(data, entry - sizeof(std::uint32_t));
  const auto name_end = LoadAt<std::uint32_t>(data, entry);
  const auto value_end = LoadAt<std::uint32_t>(data, entry + sizeof(std::uint32_t));
  return {{text + begin, name_end - begin}, {text + name_end, value_end - name_end}};
}

std::string_view Labels::Get(std::string_view name) const {
  const std::size_t count = size();
  for (std::size_t i = 0; i < count; ++i) {
    const Label label = (*this)[i];
    if (label.name == name) return label.value;
  }
  return {};
}

std::uint64_t Labels::Hash() const { return data_ ? LoadAt<std::uint64_t>(data_.get(), 0) : 0; }

std::string Labels::ToString() const {
  const std::string_view name = metric_name();
  const bool bare_name = IsLegacyMetricName(name);
  std::string out;
  if (bare_name) out += name;
  std::string inside;
  const auto separate = [&] {
    if (!inside.empty()) inside += ", ";
  };
  if (!name.empty() && !bare_name) AppendQuoted(inside, name);
  for (const Label label : *this) {
    if (label.name == kMetricName) continue;
    separate();
    if (IsLegacyLabelName(label.name)) {
      inside += label.name;
    } else {
      AppendQuoted(inside, label.name);
    }
    inside += '=';
    AppendQuoted(inside, label.value);
  }
  if (!inside.empty() || out.empty()) out += "{" + inside + "}";
  return out;
}

bool operator==(const Labels& a, const Labels& b) {
  if (a.data_ == b.data_) return true;
  if (a.Hash() != b.Hash() || a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!(a[i] == b[i])) return false;
  }
  return true;
}

std::strong_ordering operator<=>(const Labels& a, const Labels& b) {
  if (a.data_ == b.data_) return std::strong_ordering::equal;
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    const Label left = a[i];
    const Label right = b[i];
    if (auto order = left.name <=> right.name; order != 0) return order;
    if (auto order = left.value <=> right.value; order != 0) return order;
  }
  return a.size() <=> b.size();
}

LabelsBuilder::LabelsBuilder(const Labels& base) {
  labels_.reserve(base.size() + 2);
  for (const Label label : base) labels_.emplace_back(label.name, label.value);
}

LabelsBuilder& LabelsBuilder::Set(std::string_view name, std::string_view value) {
  for (auto& [have, text] : labels_) {
    if (have != name) continue;
    text = value;
    return *this;
  }
  labels_.emplace_back(name, value);
  return *this;
}

LabelsBuilder& LabelsBuilder::Remove(std::string_view name) {
  std::erase_if(labels_, [&](const auto& label) { return label.first == name; });
  return *this;
}

LabelsBuilder& LabelsBuilder::Keep(const std::vector<std::string>& names) {
  std::erase_if(labels_, [&](const auto& label) {
    return std::find(names.begin(), names.end(), label.first) == names.end();
  });
  return *this;
}

std::string_view LabelsBuilder::Get(std::string_view name) const {
  for (const auto& [have, value] : labels_) {
    if (have == name) return value;
  }
  return {};
}

Labels LabelsBuilder::Build() const {
  std::vector<Label> views;
  views.reserve(labels_.size());
  for (const auto& [name, value] : labels_) views.push_back({name, value});
  return Labels::Of(std::move(views));
}

bool IsLegacyLabelName(std::string_view name) { return IsLegacyName(name, false); }
bool IsLegacyMetricName(std::string_view name) { return IsLegacyName(name, true); }

void AppendQuoted(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const char c = text[0];
    const std::size_t length = base::Utf8Length(text);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (length == 0 || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += "\\x";
      out += kHex[(static_cast<unsigned char>(c) >> 4) & 0xf];
      out += kHex[static_cast<unsigned char>(c) & 0xf];
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out += '"';
}

}  // namespace azexporter::model
