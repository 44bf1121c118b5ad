#pragma once

// Labels: the identity of a series. Immutable, sorted by name, names unique, no empty values; the
// metric name is the label "__name__". A copy shares the one allocation the set lives in.
//
// Thread safety: values; a Labels may be read from many threads at once.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace azexporter::model {

inline constexpr std::string_view kMetricName = "__name__";
inline constexpr std::string_view kBucketLabel = "le";
inline constexpr std::string_view kQuantileLabel = "quantile";

struct Label {
  std::string_view name;
  std::string_view value;
  friend bool operator==(const Label&, const Label&) = default;
};

class Labels {
 public:
  // The empty set.
  Labels() = default;
  // In any order. A name given twice keeps its last value; an empty value is dropped.
  static Labels Of(std::initializer_list<Label> labels);
  static Labels Of(std::vector<Label> labels);
  // REQUIRES: sorted by name, no name twice, no empty value.
  static Labels OfSorted(std::span<const Label> labels);

  std::size_t size() const;
  bool empty() const { return data_ == nullptr; }
  // The i-th label in order of names. REQUIRES: i < size(). Valid as long as any copy of this
  // lives.
  Label operator[](std::size_t i) const;

  // The value of `name`, "" where it is absent.
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const { return !Get(name).empty(); }
  std::string_view metric_name() const { return Get(kMetricName); }

  // Equal sets have equal hashes. Not stable across versions of azexporter: never write it to disk.
  std::uint64_t Hash() const;

  // As Prometheus writes a series: up{job="a"}, {job="a"}, {"utf-8 name"="x"}.
  std::string ToString() const;

  friend bool operator==(const Labels& a, const Labels& b);
  // Prometheus's labels.Compare: label by label, name before value, then the shorter set first.
  friend std::strong_ordering operator<=>(const Labels& a, const Labels& b);

  class Iterator {
   public:
    using value_type = Label;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(const Labels* labels, std::size_t i) : labels_(labels), i_(i) {}
    Label operator*() const { return (*labels_)[i_]; }
    Iterator& operator++() {
      ++i_;
      return *this;
    }
    Iterator operator++(int) {
      Iterator old = *this;
      ++i_;
      return old;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const Labels* labels_ = nullptr;
    std::size_t i_ = 0;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }

 private:
  // hash (8 bytes), count (4), then count times {end of name, end of value} (4 + 4, offsets into
  // the text that follows). Null for the empty set.
  std::shared_ptr<const char[]> data_;
};

// Makes a Labels from another one, or from nothing, by changes.
// Thread safety: thread-compatible.
class LabelsBuilder {
 public:
  LabelsBuilder() = default;
  explicit LabelsBuilder(const Labels& base);

  LabelsBuilder& Set(std::string_view name, std::string_view value);  // "" removes
  LabelsBuilder& Remove(std::string_view name);
  // Keeps only the named labels.
  LabelsBuilder& Keep(const std::vector<std::string>& names);
  // The value as it stands, "" where absent.
  std::string_view Get(std::string_view name) const;
  Labels Build() const;

 private:
  std::vector<std::pair<std::string, std::string>> labels_;
};

// [a-zA-Z_][a-zA-Z0-9_]*: the names that need no quotes in PromQL and in the text format.
bool IsLegacyLabelName(std::string_view name);
// As above, and ':' too.
bool IsLegacyMetricName(std::string_view name);

// Appends `text` in double quotes as Go's strconv.Quote does: what PromQL and ToString print.
void AppendQuoted(std::string& out, std::string_view text);

struct LabelsHash {
  std::size_t operator()(const Labels& labels) const { return labels.Hash(); }
};

}  // namespace azexporter::model
