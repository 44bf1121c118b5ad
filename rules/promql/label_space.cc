#include "label_space.h"

#include <algorithm>
#include <utility>

namespace azexporter::promql {
namespace {

constexpr std::size_t kBlockSymbols = 16 * 1024;

bool Contains(std::span<const model::Symbol> symbols, model::Symbol symbol) {
  return std::ranges::find(symbols, symbol) != symbols.end();
}

}  // namespace

LabelSpace::LabelSpace(storage::Querier& querier)
    : querier_(querier),
      metadata_{querier.Intern(model::kMetricName), querier.Intern("__type__"),
                querier.Intern("__unit__")} {}

model::Symbol LabelSpace::InternValue(std::string_view text) {
  return text.empty() ? model::Symbol() : querier_.Intern(text);
}

std::vector<model::Symbol> LabelSpace::Intern(std::span<const std::string> texts) {
  std::vector<model::Symbol> symbols;
  symbols.reserve(texts.size());
  for (const std::string& text : texts) symbols.push_back(querier_.Intern(text));
  return symbols;
}

const model::Shape& LabelSpace::ShapeOf(std::vector<model::Shape::Column> columns) {
  return shapes_.emplace_back(std::move(columns));
}

const model::Shape& LabelSpace::DenseShape(std::span<const model::Symbol> names) {
  std::uint64_t hash = 0;
  for (const model::Symbol name : names) hash = base::MixHash(hash, name.IdentityHash());
  const std::uint32_t known = dense_index_.Find(hash, [&](std::uint32_t i) {
    return std::ranges::equal(dense_shapes_[i]->columns(), names, {}, &model::Shape::Column::name);
  });
  if (known != base::HashIndex::kNone) return *dense_shapes_[known];
  std::vector<model::Shape::Column> columns;
  for (const model::Symbol name : names) {
    columns.push_back({name, static_cast<std::uint32_t>(columns.size())});
  }
  dense_index_.Insert(hash, static_cast<std::uint32_t>(dense_shapes_.size()));
  dense_shapes_.push_back(&ShapeOf(std::move(columns)));
  return *dense_shapes_.back();
}

model::Symbol* LabelSpace::NewValues(std::size_t count) {
  if (count > free_count_) {
    free_count_ = std::max(count, kBlockSymbols);
    blocks_.push_back(std::make_unique<model::Symbol[]>(free_count_));
    free_ = blocks_.back().get();
  }
  free_count_ -= count;
  return std::exchange(free_, free_ + count);
}

bool LabelSpace::Fits(const model::LabelView& labels, std::span<const NewLabel> changes) const {
  if (recipe_.from != &labels.shape() || recipe_.names.size() != changes.size()) return false;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (recipe_.names[i] != changes[i].name) return false;
    if (recipe_.sets[i] != static_cast<bool>(changes[i].value)) return false;
  }
  return true;
}

void LabelSpace::PrepareRecipe(const model::LabelView& labels, std::span<const NewLabel> changes) {
  struct Source {
    model::Symbol name;
    std::uint32_t source;
  };
  std::vector<Source> all;
  for (const model::Shape::Column& column : labels.shape().columns()) {
    all.push_back({column.name, column.place});
  }
  recipe_ = {.from = &labels.shape()};
  for (std::uint32_t i = 0; i < changes.size(); ++i) {
    const NewLabel& change = changes[i];
    recipe_.names.push_back(change.name);
    recipe_.sets.push_back(static_cast<bool>(change.value));
    std::erase_if(all, [&](const Source& source) { return source.name == change.name; });
    if (!change.value) continue;
    const auto place = std::ranges::upper_bound(all, change.name.text(), {},
                                                [](const Source& s) { return s.name.text(); });
    all.insert(place, {change.name, kOfChange + i});
  }
  std::vector<model::Symbol> names;
  for (const Source& source : all) {
    names.push_back(source.name);
    recipe_.sources.push_back(source.source);
  }
  recipe_.to = &DenseShape(names);
}

model::LabelView LabelSpace::With(const model::LabelView& labels,
                                  std::span<const NewLabel> changes) {
  if (!Fits(labels, changes)) PrepareRecipe(labels, changes);
  model::Symbol* const values = NewValues(recipe_.sources.size());
  for (std::size_t i = 0; i < recipe_.sources.size(); ++i) {
    const std::uint32_t source = recipe_.sources[i];
    values[i] = source < kOfChange ? labels.values()[source] : changes[source - kOfChange].value;
  }
  return {recipe_.to, values};
}

model::LabelView LabelSpace::Of(const model::Labels& labels) {
  std::vector<NewLabel> all;
  for (const model::Label label : labels) {
    all.push_back({Intern(label.name), Intern(label.value)});
  }
  return With({}, all);
}

LabelChoice LabelChoice::Only(LabelSpace& space, std::vector<model::Symbol> names) {
  return {space, true, std::move(names)};
}

LabelChoice LabelChoice::AllBut(LabelSpace& space, std::vector<model::Symbol> names) {
  return {space, false, std::move(names)};
}

void LabelChoice::Prepare(const model::Shape& shape) {
  from_ = &shape;
  const auto known = std::ranges::find(known_, &shape, &Projection::from);
  if (known != known_.end()) {
    to_ = known->to;
    return;
  }
  std::vector<model::Shape::Column> columns;
  for (const model::Shape::Column& column : shape.columns()) {
    if (Contains(names_, column.name) == only_) columns.push_back(column);
  }
  to_ = columns.size() == shape.columns().size() ? &shape : &space_->ShapeOf(std::move(columns));
  known_.push_back({from_, to_});
}

std::uint32_t LabelIndex::NumberOf(const model::LabelView& labels) {
  const std::uint64_t hash = labels.IdentityHash();
  std::uint32_t number = index_.Find(hash, [&](std::uint32_t i) { return labels_[i] == labels; });
  if (number != kNone) return number;
  number = static_cast<std::uint32_t>(labels_.size());
  index_.Insert(hash, number);
  labels_.push_back(labels);
  return number;
}

}  // namespace azexporter::promql
