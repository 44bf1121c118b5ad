#pragma once

// The label sets of one query: those of the series it read, and those it makes. Text is interned
// when a query begins and when a function makes a new label; in between label sets are compared,
// grouped and shortened as symbols, without a copy.
//
// Thread safety: one thread only.

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "azexporter/base/hash_index.h"
#include "azexporter/model/label_view.h"
#include "azexporter/model/symbol_map.h"
#include "azexporter/storage/storage.h"

namespace azexporter::promql {

// A label to be put into a set; one without a value is to be taken out.
struct NewLabel {
  model::Symbol name;
  model::Symbol value;
};

class LabelSpace {
 public:
  // `querier` must outlive this, and this all label sets that it makes.
  explicit LabelSpace(storage::Querier& querier);
  LabelSpace(const LabelSpace&) = delete;
  LabelSpace& operator=(const LabelSpace&) = delete;

  model::Symbol Intern(std::string_view text) { return querier_.Intern(text); }
  // Symbol() for "", which is the value of no label.
  model::Symbol InternValue(std::string_view text);
  std::vector<model::Symbol> Intern(std::span<const std::string> texts);

  model::Symbol metric_name() const { return metadata_[0]; }
  // __name__, __type__ and __unit__: the labels of a metric that go where a result no longer is of
  // it. Semantics: prometheus/schema/labels.go.
  std::span<const model::Symbol> metadata() const { return metadata_; }

  // `labels` with all of `changes`, of which the last one of a name counts.
  model::LabelView With(const model::LabelView& labels, std::span<const NewLabel> changes);
  model::LabelView Of(const model::Labels& labels);

  // The shape with these columns.
  const model::Shape& ShapeOf(std::vector<model::Shape::Column> columns);

 private:
  // How With() makes a set of one shape from a set of another: mostly the same for all rows of a
  // vector.
  struct Recipe {
    const model::Shape* from = nullptr;
    std::vector<model::Symbol> names;  // of the changes
    std::vector<bool> sets;            // whether a change has a value
    const model::Shape* to = nullptr;
    // For each value: its place in the old set, or, behind kOfChange, the number of its change.
    std::vector<std::uint32_t> sources;
  };
  static constexpr std::uint32_t kOfChange = 1u << 31;
  bool Fits(const model::LabelView& labels, std::span<const NewLabel> changes) const;
  void PrepareRecipe(const model::LabelView& labels, std::span<const NewLabel> changes);

  // The shape of With()'s sets, where their names are known: the values lie in order of the names.
  const model::Shape& DenseShape(std::span<const model::Symbol> names);
  model::Symbol* NewValues(std::size_t count);

  storage::Querier& querier_;
  std::array<model::Symbol, 3> metadata_;
  std::deque<model::Shape> shapes_;
  std::vector<const model::Shape*> dense_shapes_;
  base::HashIndex dense_index_;  // into dense_shapes_, by names
  std::vector<std::unique_ptr<model::Symbol[]>> blocks_;
  Recipe recipe_;
  // What is left of the last block.
  model::Symbol* free_ = nullptr;
  std::size_t free_count_ = 0;
};

// Reads one label of many sets, mostly of the same shape.
class LabelReader {
 public:
  explicit LabelReader(model::Symbol name) : name_(name) {}
  // Symbol() where it is absent.
  model::Symbol Of(const model::LabelView& labels) {
    if (&labels.shape() != shape_) {
      shape_ = &labels.shape();
      place_ = shape_->PlaceOf(name_);
    }
    return place_ == model::Shape::kNowhere ? model::Symbol() : labels.values()[place_];
  }

 private:
  model::Symbol name_;
  const model::Shape* shape_ = nullptr;
  std::uint32_t place_ = model::Shape::kNowhere;
};

// Which labels of a set count: `by (zone)`, `without (pod)`, `on (instance)`, `ignoring (code)`.
class LabelChoice {
 public:
  // Only those named.
  static LabelChoice Only(LabelSpace& space, std::vector<model::Symbol> names);
  // All but those named.
  static LabelChoice AllBut(LabelSpace& space, std::vector<model::Symbol> names);

  // The labels that count.
  model::LabelView Project(const model::LabelView& labels) {
    if (&labels.shape() != from_) Prepare(labels.shape());
    return {to_, labels.values()};
  }

 private:
  LabelChoice(LabelSpace& space, bool only, std::vector<model::Symbol> names)
      : space_(&space), only_(only), names_(std::move(names)) {}
  void Prepare(const model::Shape& shape);

  LabelSpace* space_;
  bool only_;
  std::vector<model::Symbol> names_;
  // What shapes become. Few a query; the one asked for last is the one asked for next.
  struct Projection {
    const model::Shape* from;
    const model::Shape* to;
  };
  std::vector<Projection> known_;
  const model::Shape* from_ = nullptr;
  const model::Shape* to_ = nullptr;
};

// Numbers label sets: equal ones have equal numbers, which count up from 0.
class LabelIndex {
 public:
  static constexpr std::uint32_t kNone = base::HashIndex::kNone;

  // The number of `labels`, a new one where it was not seen before.
  std::uint32_t NumberOf(const model::LabelView& labels);
  std::size_t size() const { return labels_.size(); }
  const model::LabelView& labels(std::size_t number) const { return labels_[number]; }

 private:
  base::HashIndex index_;
  std::vector<model::LabelView> labels_;
};

// Sorts label sets into groups by the labels that count.
class LabelGroups {
 public:
  explicit LabelGroups(LabelChoice choice) : choice_(std::move(choice)) {}

  // The number of the group that `labels` falls into; groups are numbered as they come up.
  std::uint32_t GroupOf(const model::LabelView& labels) {
    const model::LabelView key = choice_.Project(labels);
    if (key.size() > 1) return index_.NumberOf(key);
    if (key.size() == 1) return GroupOfOne(key);
    if (no_labels_ == LabelIndex::kNone) no_labels_ = index_.NumberOf(key);
    return no_labels_;
  }
  std::size_t size() const { return index_.size(); }
  // The labels that count, of all members.
  const model::LabelView& labels(std::size_t group) const { return index_.labels(group); }

 private:
  // Mostly one label counts, and all sets have it: then its value tells the group.
  std::uint32_t GroupOfOne(const model::LabelView& key) {
    if (one_name_ != key.name(0)) {
      one_name_ = key.name(0);
      by_value_ = {};
    }
    const model::Symbol value = key.value(0);
    const std::uint32_t known = by_value_.Find(value);
    if (known != model::SymbolMap::kNone) return known;
    return by_value_.FindOrInsert(value, index_.NumberOf(key));
  }

  LabelChoice choice_;
  LabelIndex index_;
  std::uint32_t no_labels_ = LabelIndex::kNone;  // the group of sets of which none counts
  // The groups of sets of which only the label of this name counts, by its value.
  model::Symbol one_name_;
  model::SymbolMap by_value_;
};

}  // namespace azexporter::promql
