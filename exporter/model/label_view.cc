#include "azexporter/model/label_view.h"

#include <algorithm>
#include <array>

namespace azexporter::model {
namespace {

const Shape& NoNames() {
  static const Shape kNone({});
  return kNone;
}

}  // namespace

Shape::Shape(std::vector<Column> columns) : columns_(std::move(columns)) {}

std::uint32_t Shape::PlaceOf(Symbol name) const {
  for (const Column& column : columns_) {
    if (column.name == name) return column.place;
  }
  return kNowhere;
}

std::uint32_t Shape::PlaceOf(std::string_view name) const {
  for (const Column& column : columns_) {
    if (column.name.text() == name) return column.place;
  }
  return kNowhere;
}

LabelView::LabelView() : shape_(&NoNames()) {}

Symbol LabelView::Get(Symbol name) const {
  const std::uint32_t place = shape_->PlaceOf(name);
  return place == Shape::kNowhere ? Symbol() : values_[place];
}

std::string_view LabelView::Get(std::string_view name) const {
  const std::uint32_t place = shape_->PlaceOf(name);
  return place == Shape::kNowhere ? std::string_view() : values_[place].text();
}

std::uint64_t LabelView::IdentityHash() const {
  // Sets of the same values under other names are rare enough.
  std::uint64_t hash = 0;
  for (const Shape::Column& column : shape_->columns()) {
    hash = base::MixHash(hash, values_[column.place].IdentityHash());
  }
  return hash;
}

Labels LabelView::ToLabels() const {
  constexpr std::size_t kMostOnStack = 32;
  std::array<Label, kMostOnStack> few;
  std::vector<Label> many;
  std::span<Label> labels(few.data(), std::min(size(), kMostOnStack));
  if (size() > kMostOnStack) {
    many.resize(size());
    labels = many;
  }
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = {name(i).text(), value(i).text()};
  return Labels::OfSorted(labels);
}

std::strong_ordering LabelView::CompareTexts(const LabelView& a, const LabelView& b) {
  const std::size_t shared = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < shared; ++i) {
    if (a.name(i) != b.name(i)) return a.name(i).text() <=> b.name(i).text();
    if (a.value(i) != b.value(i)) return a.value(i).text() <=> b.value(i).text();
  }
  return a.size() <=> b.size();
}

bool operator==(const LabelView& a, const LabelView& b) {
  if (a.shape_ == b.shape_) {
    if (a.values_ == b.values_) return true;
    return std::ranges::all_of(a.shape_->columns(), [&](const Shape::Column& column) {
      return a.values_[column.place] == b.values_[column.place];
    });
  }
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a.name(i) != b.name(i) || a.value(i) != b.value(i)) return false;
  }
  return true;
}

}  // namespace azexporter::model
