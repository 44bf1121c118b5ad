#include "binary_labels.h"

#include <algorithm>

#include "eval_error.h"

namespace azexporter::promql {
namespace {

// All labels in braces, the metric name among them: as errors name the series of a match group.
std::string InBraces(const model::LabelView& view) {
  const model::Labels labels = view.ToLabels();
  std::string text = "{";
  for (const model::Label label : labels) {
    if (text.size() > 1) text += ", ";
    if (model::IsLegacyLabelName(label.name)) {
      text += label.name;
    } else {
      model::AppendQuoted(text, label.name);
    }
    text += '=';
    model::AppendQuoted(text, label.value);
  }
  return text + "}";
}

// The labels that an element keeps of the "many" side.
LabelChoice Kept(Evaluator& evaluator, const BinaryExpr& expr) {
  LabelSpace& space = evaluator.labels();
  const VectorMatching& matching = expr.matching;
  const bool one_to_one = matching.cardinality == Cardinality::kOneToOne;
  std::vector<model::Symbol> names = space.Intern(matching.labels);
  const bool drops_name =
      ChangesMetric(expr.op) || (expr.return_bool && !evaluator.options().delayed_name_removal);
  if (one_to_one && matching.on) {
    if (drops_name) {
      std::erase_if(names, [&](model::Symbol name) {
        return std::ranges::find(space.metadata(), name) != space.metadata().end();
      });
    }
    return LabelChoice::Only(space, std::move(names));
  }
  if (!one_to_one) names.clear();
  if (drops_name) names.insert(names.end(), space.metadata().begin(), space.metadata().end());
  return LabelChoice::AllBut(space, std::move(names));
}

}  // namespace

bool ChangesMetric(BinaryOp op) { return !IsComparison(op) && !IsSetOp(op) && !IsTrim(op); }

LabelChoice MatchingChoice(Evaluator& evaluator, const VectorMatching& matching) {
  LabelSpace& labels = evaluator.labels();
  std::vector<model::Symbol> names = labels.Intern(matching.labels);
  if (matching.on) return LabelChoice::Only(labels, std::move(names));
  names.push_back(labels.metric_name());
  return LabelChoice::AllBut(labels, std::move(names));
}

std::vector<std::uint32_t> GroupsOf(const SteppedVector& vector, LabelGroups& groups) {
  std::vector<std::uint32_t> group_of(vector.size());
  for (std::size_t i = 0; i < vector.size(); ++i) {
    group_of[i] = groups.GroupOf(vector.row(i).labels);
  }
  return group_of;
}

void FailDuplicate(const BinaryExpr& expr, const model::LabelView& group, const model::LabelView& a,
                   const model::LabelView& b) {
  std::string first = InBraces(a);
  std::string second = InBraces(b);
  if (second < first) std::swap(first, second);
  const bool left = expr.matching.cardinality == Cardinality::kOneToMany;
  FailEval("found duplicate series for the match group " + InBraces(group) + " on the " +
           (left ? "left" : "right") + " hand-side of the operation: [" + first + ", " + second +
           "];many-to-many matching not allowed: matching labels must be unique on one side");
}

void FailManyToOne() {
  FailEval(
      "multiple matches for labels: many-to-one matching must be explicit "
      "(group_left/group_right)");
}

void FailNotUnique() {
  FailEval("multiple matches for labels: grouping labels must ensure unique matches");
}

ResultLabels::ResultLabels(Evaluator& evaluator, const BinaryExpr& expr)
    : space_(evaluator.labels()),
      include_(space_.Intern(expr.matching.include)),
      kept_(Kept(evaluator, expr)) {}

model::LabelView ResultLabels::Of(const model::LabelView& many, const model::LabelView& one) {
  const model::LabelView kept = kept_.Project(many);
  if (include_.empty()) return kept;
  changes_.clear();
  for (const model::Symbol name : include_) changes_.push_back({name, one.Get(name)});
  return space_.With(kept, changes_);
}

bool ResultLabels::KeepsDistinct(const SteppedVector& many) {
  LabelReader name(space_.metric_name());
  const model::Shape* shape = nullptr;
  bool drops_name = false;
  model::Symbol metric;
  for (std::size_t i = 0; i < many.size(); ++i) {
    const model::LabelView& labels = many.row(i).labels;
    const model::Symbol its_metric = name.Of(labels);
    if (&labels.shape() != shape) {
      shape = &labels.shape();
      const model::LabelView kept = kept_.Project(labels);
      const std::size_t dropped = labels.size() - kept.size();
      // At most one goes, which is the name; and none is replaced.
      if (dropped > 1 || (dropped == 1 && (!its_metric || kept.Get(space_.metric_name())))) {
        return false;
      }
      if (std::ranges::any_of(include_, [&](model::Symbol n) { return bool(kept.Get(n)); })) {
        return false;
      }
      if (i > 0 && drops_name != (dropped == 1)) return false;
      drops_name = dropped == 1;
    }
    if (i > 0 && drops_name && its_metric != metric) return false;
    metric = its_metric;
  }
  return true;
}

}  // namespace azexporter::promql
