// What functions make of labels and values.

#include <algorithm>
#include <limits>

#include "analyser.h"
#include "azexporter/promql/functions.h"
#include "value_range.h"

namespace azexporter::promql {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// What a function makes of the values of its vector.
enum class Becomes {
  kSame,         // some of them, or what lies between them
  kNotNegative,  // 0 or more where they are
  kCount,        // a number of at least 1
  kOne,
  kBetween,   // the bounds of the row
  kFromZero,  // anything that is not negative
  kSum,       // not negative where they are, and whole
};

struct FunctionRow {
  std::string_view name;
  Becomes becomes;
  double least = 0;
  double most = 0;
};

// Functions that are not listed may make anything.
constexpr FunctionRow kFunctions[] = {
    {"abs", Becomes::kFromZero},
    {"avg_over_time", Becomes::kSame},
    {"changes", Becomes::kFromZero},
    {"count_over_time", Becomes::kCount},
    {"day_of_month", Becomes::kBetween, 1, 31},
    {"day_of_week", Becomes::kBetween, 0, 6},
    {"day_of_year", Becomes::kBetween, 1, 366},
    {"days_in_month", Becomes::kBetween, 28, 31},
    {"hour", Becomes::kBetween, 0, 23},
    {"increase", Becomes::kNotNegative},
    {"irate", Becomes::kNotNegative},
    {"label_join", Becomes::kSame},
    {"label_replace", Becomes::kSame},
    {"last_over_time", Becomes::kSame},
    {"max_over_time", Becomes::kSame},
    {"min_over_time", Becomes::kSame},
    {"minute", Becomes::kBetween, 0, 59},
    {"month", Becomes::kBetween, 1, 12},
    {"present_over_time", Becomes::kOne},
    {"rate", Becomes::kNotNegative},
    {"resets", Becomes::kFromZero},
    {"sgn", Becomes::kBetween, -1, 1},
    {"sort", Becomes::kSame},
    {"sort_desc", Becomes::kSame},
    {"sum_over_time", Becomes::kSum},
};

const FunctionRow* RowOf(std::string_view name) {
  const auto* row = std::ranges::find(kFunctions, name, &FunctionRow::name);
  return row == std::end(kFunctions) ? nullptr : row;
}

ValueRange RangeOf(const FunctionRow& row, const ValueRange& arg) {
  const bool nan = arg.may_be_nan;
  switch (row.becomes) {
    case Becomes::kSame: {
      ValueRange range = arg;
      if (row.name == "avg_over_time") {
        range.whole = false;
        // The two infinities have no average.
        range.may_be_nan = nan || (arg.least == -kInfinity && arg.most == kInfinity);
      }
      return range;
    }
    case Becomes::kNotNegative:
      return arg.least >= 0 ? ValueRange{0, kInfinity, false, nan} : ValueRange{};
    case Becomes::kCount:
      return AtLeast(1, true);
    case Becomes::kOne:
      return SingleValue(1);
    case Becomes::kBetween:
      return {row.least, row.most, true, nan};
    case Becomes::kFromZero:
      return {0, kInfinity, false, nan};
    case Becomes::kSum:
      return arg.least >= 0 ? ValueRange{0, kInfinity, arg.whole, nan} : ValueRange{};
  }
  return {};
}

bool KeepsName(std::string_view function) {
  constexpr std::string_view kKeeping[] = {"first_over_time", "label_join", "label_replace",
                                           "last_over_time",  "sort",       "sort_desc"};
  return std::ranges::find(kKeeping, function) != std::end(kKeeping);
}

}  // namespace

void Lose(LabelFacts& labels, const std::string& name) {
  if (labels.open) labels.lost.insert(name);
  labels.possible.erase(name);
  labels.meant.erase(name);
  labels.values.erase(name);
}

// It may be there now, or be emptied.
void Gain(LabelFacts& labels, const std::string& name) {
  labels.possible.insert(name);
  labels.meant.erase(name);
  labels.lost.erase(name);
  labels.values.erase(name);
}

Facts Analyser::OfAbsent(const CallExpr& call, const Facts& arg) const {
  Facts facts;
  facts.named = false;
  facts.labels.open = false;
  facts.labels.closed_by = "`" + std::string(call.function.name) +
                           "` has only the labels that its selector fixes with =";
  facts.range = SingleValue(1);
  facts.range_why = "`" + std::string(call.function.name) + "` is always 1";
  facts.never = arg.always;
  facts.always = arg.never;
  const Expr& inner = Unwrap(*call.args.front());
  const VectorSelector* selector = nullptr;
  if (inner.kind() == ExprKind::kVectorSelector) selector = &As<VectorSelector>(inner);
  if (inner.kind() == ExprKind::kMatrixSelector)
    selector = As<MatrixSelector>(inner).selector.get();
  if (selector == nullptr) return facts;
  for (const model::Matcher& matcher : selector->matchers) {
    if (matcher.name() == model::kMetricName || matcher.type() != model::MatchType::kEqual)
      continue;
    facts.labels.possible.insert(matcher.name());
    facts.labels.meant.insert(matcher.name());
    facts.labels.values[matcher.name()] = {matcher.value()};
  }
  return facts;
}

Facts Analyser::OfCall(const CallExpr& call) {
  const std::string_view name = call.function.name;
  const auto vector = std::ranges::find_if(call.args, [](const ExprPtr& arg) {
    return arg->type() == ValueType::kVector || arg->type() == ValueType::kMatrix;
  });
  const FunctionRow* row = RowOf(name);
  if (vector == call.args.end()) {
    Facts facts;
    facts.named = false;
    facts.labels.open = false;
    facts.labels.closed_by = "`" + std::string(name) + "` has no labels";
    facts.always = true;
    if (name == "vector") facts.range = out_.of(*call.args.front()).range;
    if (row != nullptr) facts.range = RangeOf(*row, SingleValue(0));
    if (facts.range.bounded()) facts.range_why = Quoted(call) + " " + Describe(facts.range);
    return facts;
  }
  const Facts& arg = out_.of(**vector);
  if (name == "absent" || name == "absent_over_time") return OfAbsent(call, arg);
  Facts facts = arg;
  facts.named = arg.named && KeepsName(name);
  facts.always = arg.always && row != nullptr;
  if (name == "scalar") {
    facts.labels = {.open = false};
    facts.range.may_be_nan = true;
    facts.never = false;
    facts.always = true;
    return facts;
  }
  if (name == "label_replace" || name == "label_join") {
    Gain(facts.labels, As<StringLiteral>(Unwrap(*call.args[1])).value);
  }
  if (name == "histogram_quantile" || name == "histogram_fraction") {
    Lose(facts.labels, "le");
    facts.always = false;
  }
  facts.range = row != nullptr ? RangeOf(*row, arg.range) : ValueRange{};
  const bool same = row != nullptr && row->becomes == Becomes::kSame;
  if (!same) {
    facts.range_why.clear();
    if (facts.range.bounded()) {
      facts.range_why = "`" + std::string(name) + "` " + Describe(facts.range);
    }
  }
  return facts;
}

}  // namespace azexporter::promql
