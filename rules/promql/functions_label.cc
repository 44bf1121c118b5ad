// Functions of whole vectors: their labels, their order, from scalar to vector and back.

#include <algorithm>
#include <cmath>
#include <compare>

#include "azexporter/base/utf8.h"
#include "azexporter/model/regexp.h"
#include "eval_error.h"
#include "function_body.h"

namespace azexporter::promql {
namespace {

using enum ValueType;

void CheckLabelName(const std::string& name, std::string_view role, std::string_view function) {
  if (!name.empty() && base::IsValidUtf8(name)) return;
  FailEval("invalid " + std::string(role) + " label name in " + std::string(function) +
           "(): " + name);
}

// Sets one label of a row. A metric name that is set so is there to stay.
void SetLabel(LabelSpace& labels, SteppedVector::Row& row, model::Symbol name,
              std::string_view value) {
  const NewLabel change{name, labels.InternValue(value)};
  row.labels = labels.With(row.labels, {&change, 1});
  if (name == labels.metric_name()) row.drop_name = false;
}

// label_replace(v, dst, replacement, src, regex)
SteppedVector LabelReplace(Evaluator& evaluator, const CallExpr& call) {
  const std::string& target = Evaluator::StringArg(call, 1);
  const std::string& replacement = Evaluator::StringArg(call, 2);
  const std::string& source = Evaluator::StringArg(call, 3);
  const std::string& pattern = Evaluator::StringArg(call, 4);
  const auto regexp = model::AnchoredRegexp::Create(pattern);
  if (!regexp) FailEval("invalid regular expression in label_replace(): " + pattern);
  CheckLabelName(target, "destination", "label_replace");
  SteppedVector vector = evaluator.Eval(*call.args[0]);
  LabelSpace& labels = evaluator.labels();
  const model::Symbol target_name = labels.Intern(target);
  std::string value;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    value.clear();
    SteppedVector::Row& row = vector.row(i);
    if (!regexp->Expand(row.labels.Get(source), replacement, value)) continue;
    SetLabel(labels, row, target_name, value);
  }
  return evaluator.MergeEqual(std::move(vector));
}

// label_join(v, dst, separator, src...)
SteppedVector LabelJoin(Evaluator& evaluator, const CallExpr& call) {
  const std::string& target = Evaluator::StringArg(call, 1);
  const std::string& separator = Evaluator::StringArg(call, 2);
  for (std::size_t k = 3; k < call.args.size(); ++k) {
    CheckLabelName(Evaluator::StringArg(call, k), "source", "label_join");
  }
  CheckLabelName(target, "destination", "label_join");
  SteppedVector vector = evaluator.Eval(*call.args[0]);
  LabelSpace& labels = evaluator.labels();
  const model::Symbol target_name = labels.Intern(target);
  std::string joined;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    joined.clear();
    for (std::size_t k = 3; k < call.args.size(); ++k) {
      if (k > 3) joined += separator;
      joined += vector.row(i).labels.Get(Evaluator::StringArg(call, k));
    }
    SetLabel(labels, vector.row(i), target_name, joined);
  }
  return evaluator.MergeEqual(std::move(vector));
}

// The only element, else NaN.
SteppedVector ToScalar(Evaluator& evaluator, const CallExpr& call) {
  const SteppedVector vector = evaluator.Eval(*call.args[0]);
  SteppedVector scalar = evaluator.NewScalar(std::nan(""));
  const std::span<double> values = scalar.values(0);
  for (std::size_t step = 0; step < values.size(); ++step) {
    std::size_t found = 0;
    for (std::size_t i = 0; i < vector.size() && found < 2; ++i) {
      const double value = vector.values(i)[step];
      if (IsAbsent(value)) continue;
      values[step] = ++found == 1 ? value : std::nan("");
    }
  }
  return scalar;
}

SteppedVector ToVector(Evaluator& evaluator, const CallExpr& call) {
  return evaluator.Eval(*call.args[0]);
}

// NaN comes last both ways.
template <bool kDescending>
SteppedVector Sort(Evaluator& evaluator, const CallExpr& call) {
  SteppedVector vector = evaluator.Eval(*call.args[0]);
  vector.DropHistograms();
  vector.DropEmptyRows();
  if (evaluator.steps().count > 1) {
    evaluator.annotations().SortInRangeQuery(call.position());
    return vector;
  }
  std::vector<std::size_t> order(vector.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, [&](std::size_t left, std::size_t right) {
    const double a = vector.values(left)[0];
    const double b = vector.values(right)[0];
    if (std::isnan(b)) return !std::isnan(a);
    return kDescending ? a > b : a < b;
  });
  SteppedVector sorted = evaluator.NewVector();
  sorted.Reserve(order.size());
  for (const std::size_t i : order) sorted.AddRow(vector.row(i))[0] = vector.values(i)[0];
  return sorted;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The longest beginning that is all digits, or has none.
std::string_view FirstChunk(std::string_view text) {
  std::size_t end = 1;
  while (end < text.size() && IsDigit(text[end]) == IsDigit(text[0])) ++end;
  return text.substr(0, std::min(end, text.size()));
}

// node2 comes before node10: runs of digits are compared as numbers.
std::strong_ordering NaturalOrder(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const std::string_view left = FirstChunk(a);
    const std::string_view right = FirstChunk(b);
    if (left != right) {
      if (!IsDigit(left[0]) || !IsDigit(right[0])) return left <=> right;
      const auto value = [](std::string_view digits) {
        return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
      };
      const std::string_view x = value(left);
      const std::string_view y = value(right);
      if (x.size() != y.size()) return x.size() <=> y.size();
      if (x != y) return x <=> y;
    }
    a.remove_prefix(left.size());
    b.remove_prefix(right.size());
  }
  return a.size() <=> b.size();
}

// sort_by_label(v, label...): by the first label that differs, else by all of them.
template <bool kDescending>
SteppedVector SortByLabel(Evaluator& evaluator, const CallExpr& call) {
  SteppedVector vector = evaluator.Eval(*call.args[0]);
  if (evaluator.steps().count > 1) {
    evaluator.annotations().SortInRangeQuery(call.position());
    return vector;
  }
  std::vector<std::size_t> order(vector.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, [&](std::size_t left, std::size_t right) {
    const model::LabelView& a = vector.row(kDescending ? right : left).labels;
    const model::LabelView& b = vector.row(kDescending ? left : right).labels;
    for (std::size_t k = 1; k < call.args.size(); ++k) {
      const std::string& name = Evaluator::StringArg(call, k);
      const auto labels_order = NaturalOrder(a.Get(name), b.Get(name));
      if (a.Get(name) != b.Get(name) && labels_order != 0) return labels_order < 0;
    }
    return model::LabelView::CompareTexts(a, b) < 0;
  });
  SteppedVector sorted = evaluator.NewVector();
  sorted.Reserve(order.size());
  for (const std::size_t i : order) {
    sorted.AddRow(vector.row(i), vector.values(i), std::as_const(vector).histograms(i));
  }
  return sorted;
}

}  // namespace

std::vector<Function> LabelFunctions() {
  return {
      VectorFunction("label_join", {kVector, kString, kString, kString}, kVector, LabelJoin, -1),
      VectorFunction("label_replace", {kVector, kString, kString, kString, kString}, kVector,
                     LabelReplace),
      VectorFunction("scalar", {kVector}, kScalar, ToScalar),
      VectorFunction("sort", {kVector}, kVector, Sort<false>),
      Experimental(
          VectorFunction("sort_by_label", {kVector, kString}, kVector, SortByLabel<false>, -1)),
      Experimental(
          VectorFunction("sort_by_label_desc", {kVector, kString}, kVector, SortByLabel<true>, -1)),
      VectorFunction("sort_desc", {kVector}, kVector, Sort<true>),
      VectorFunction("vector", {kScalar}, kVector, ToVector),
  };
}

}  // namespace azexporter::promql
