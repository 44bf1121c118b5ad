#pragma once

// A label set made of symbols, as the store holds it and the engine computes with it: the names in
// a Shape, which all series of a kind share, and the values beside it. Copying one copies two
// pointers; leaving labels out takes another shape over the same values. Labels of texts are made
// of it where an answer leaves the engine.
//
// Label sets can be compared as symbols only where all their symbols come from one table.
//
// Thread safety: values; immutable.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "azexporter/model/labels.h"
#include "azexporter/model/symbol.h"

namespace azexporter::model {

// The names of a label set, and where in a row of values the value of each stands.
class Shape {
 public:
  struct Column {
    Symbol name;
    std::uint32_t place;
    friend bool operator==(const Column&, const Column&) = default;
  };
  static constexpr std::uint32_t kNowhere = 0xffffffff;

  // REQUIRES: sorted by the text of the names, none twice.
  explicit Shape(std::vector<Column> columns);

  std::span<const Column> columns() const { return columns_; }
  // Where the value of `name` stands, else kNowhere.
  std::uint32_t PlaceOf(Symbol name) const;
  std::uint32_t PlaceOf(std::string_view name) const;

 private:
  std::vector<Column> columns_;
};

class LabelView {
 public:
  // The empty set.
  LabelView();
  // `values`: as many as the shape's places ask for, none of them empty. Both must outlive this.
  LabelView(const Shape* shape, const Symbol* values) : shape_(shape), values_(values) {}

  const Shape& shape() const { return *shape_; }
  const Symbol* values() const { return values_; }
  std::size_t size() const { return shape_->columns().size(); }
  // The i-th label in order of names.
  Symbol name(std::size_t i) const { return shape_->columns()[i].name; }
  Symbol value(std::size_t i) const { return values_[shape_->columns()[i].place]; }

  // Symbol() where it is absent.
  Symbol Get(Symbol name) const;
  // "" where it is absent.
  std::string_view Get(std::string_view name) const;

  // By identity: differs from run to run. Equal sets have equal hashes.
  std::uint64_t IdentityHash() const;
  Labels ToLabels() const;

  // In the order of Labels.
  static std::strong_ordering CompareTexts(const LabelView& a, const LabelView& b);

  // By identity. Shapes may differ: what counts is names and values.
  friend bool operator==(const LabelView& a, const LabelView& b);

 private:
  const Shape* shape_;
  const Symbol* values_ = nullptr;
};

}  // namespace azexporter::model
