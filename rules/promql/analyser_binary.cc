// Binary operators: which series match, what is left of labels, and whether comparisons can hold.
// Semantics: prometheus/promql/engine.go, VectorBinop and resultMetric.

#include <algorithm>

#include "analyser.h"
#include "azexporter/promql/printer.h"
#include "value_range.h"

namespace azexporter::promql {
namespace {

bool IsVector(const Expr& expr) { return expr.type() == ValueType::kVector; }

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

std::set<std::string> Common(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::set<std::string> common;
  std::ranges::set_intersection(a, b, std::inserter(common, common.end()));
  return common;
}

// The values of a label that equals on both sides.
void MergeValues(const LabelFacts& from, LabelFacts& into) {
  for (const auto& [name, values] : from.values) {
    if (!into.possible.contains(name)) continue;
    const auto [known, fresh] = into.values.emplace(name, values);
    if (!fresh) known->second = Common(known->second, values);
  }
}

// What a one-to-one match leaves: labels that count and that both sides have.
LabelFacts LabelsOfPair(const VectorMatching& matching, const LabelFacts& a, const LabelFacts& b) {
  LabelFacts pair;
  pair.open = !matching.on && a.open && b.open;
  const auto counts = [&](const std::string& name) {
    return Contains(matching.labels, name) == matching.on && a.CanHave(name) && b.CanHave(name);
  };
  for (const auto* names : {&a.possible, &b.possible}) {
    std::ranges::copy_if(*names, std::inserter(pair.possible, pair.possible.end()), counts);
  }
  if (matching.on) {
    std::ranges::copy_if(matching.labels, std::inserter(pair.possible, pair.possible.end()),
                         counts);
  }
  for (const auto* names : {&a.meant, &b.meant}) {
    std::ranges::copy_if(*names, std::inserter(pair.meant, pair.meant.end()), counts);
  }
  if (pair.open) {
    for (const auto* names : {&a.lost, &b.lost}) pair.lost.insert(names->begin(), names->end());
    pair.lost.insert(matching.labels.begin(), matching.labels.end());
  }
  MergeValues(a, pair);
  MergeValues(b, pair);
  if (matching.on) {
    pair.closed_by = "`on (" + Listed(matching.labels) + ")` keeps " +
                     (matching.labels.empty() ? "no label" : "only " + Listed(matching.labels));
  } else {
    pair.closed_by = !a.closed_by.empty() ? a.closed_by : b.closed_by;
  }
  return pair;
}

// What group_left leaves: the labels of the many, with those that it copies from the one.
LabelFacts LabelsOfMany(const VectorMatching& matching, const LabelFacts& many,
                        const LabelFacts& one) {
  LabelFacts labels = many;
  for (const std::string& name : matching.include) {
    labels.possible.erase(name);
    labels.meant.erase(name);
    labels.values.erase(name);
    if (!one.CanHave(name)) {
      if (labels.open) labels.lost.insert(name);
      continue;
    }
    labels.lost.erase(name);
    labels.possible.insert(name);
    if (one.meant.contains(name)) labels.meant.insert(name);
    const auto values = one.values.find(name);
    if (values != one.values.end()) labels.values.insert(*values);
  }
  return labels;
}

LabelFacts LabelsOfMatch(const BinaryExpr& binary, const Facts& lhs, const Facts& rhs) {
  switch (binary.matching.cardinality) {
    case Cardinality::kManyToOne:
      return LabelsOfMany(binary.matching, lhs.labels, rhs.labels);
    case Cardinality::kOneToMany:
      return LabelsOfMany(binary.matching, rhs.labels, lhs.labels);
    case Cardinality::kOneToOne:
    case Cardinality::kManyToMany:
      break;
  }
  return LabelsOfPair(binary.matching, lhs.labels, rhs.labels);
}

LabelFacts LabelsOfUnion(const LabelFacts& a, const LabelFacts& b) {
  LabelFacts labels;
  labels.open = a.open || b.open;
  labels.possible = a.possible;
  labels.possible.insert(b.possible.begin(), b.possible.end());
  labels.meant = Common(a.meant, b.meant);
  for (const auto* side : {&a, &b}) {
    for (const std::string& name : side->lost) {
      if (labels.open && !a.CanHave(name) && !b.CanHave(name)) labels.lost.insert(name);
    }
  }
  for (const auto& [name, values] : a.values) {
    const auto other = b.values.find(name);
    if (other == b.values.end()) continue;
    labels.values[name] = values;
    labels.values[name].insert(other->second.begin(), other->second.end());
  }
  if (a.closed_by == b.closed_by) labels.closed_by = a.closed_by;
  return labels;
}

// Whether equal labels that count make two series of `labels` the same one.
bool CountsAll(const VectorMatching& matching, const LabelFacts& labels) {
  if (!matching.on && matching.labels.empty()) return true;
  const auto counts = [&](const std::string& name) {
    return Contains(matching.labels, name) == matching.on;
  };
  if (labels.open) {
    return !matching.on && std::ranges::none_of(matching.labels, [&](const std::string& name) {
      return labels.CanHave(name);
    });
  }
  return std::ranges::all_of(labels.possible, counts);
}

}  // namespace

void Analyser::GatherIdentities(const Expr& expr, std::vector<std::string>& out) const {
  if (expr.kind() == ExprKind::kAggregate && out_.IsIdentity(As<AggregateExpr>(expr))) {
    const auto& aggregate = As<AggregateExpr>(expr);
    std::string head(AggregateOpText(aggregate.op));
    if (aggregate.without || !aggregate.grouping.empty()) {
      head += (aggregate.without ? " without (" : " by (") + Listed(aggregate.grouping) + ")";
    }
    out.push_back("`" + head + "`");
  }
  for (const Expr* child : Children(expr)) GatherIdentities(*child, out);
}

// A vector that is compared or reckoned with itself meets itself: where it matched anything else,
// the match would not be one to one.
bool Analyser::SameByConstruction(const BinaryExpr& binary) const {
  return IsVector(*binary.lhs) && IsVector(*binary.rhs) && !IsSetOp(binary.op) &&
         CanonicalOf(*binary.lhs).one_metric &&
         CanonicalOf(*binary.lhs).whole == CanonicalOf(*binary.rhs).whole;
}

std::string Analyser::WhySame(const BinaryExpr& binary) const {
  std::string why = "both sides of `" + std::string(BinaryOpText(binary.op)) + "` are the same";
  std::vector<std::string> identities;
  GatherIdentities(*binary.lhs, identities);
  GatherIdentities(*binary.rhs, identities);
  if (identities.empty()) return why;
  std::string list;
  for (std::size_t i = 0; i < identities.size(); ++i) {
    list += (i == 0 ? "" : i + 1 == identities.size() ? " and " : ", ") + identities[i];
  }
  return why + ", since " + list +
         (identities.size() == 1 ? " has one series in each group and changes nothing"
                                 : " have one series in each group and change nothing");
}

BinaryVerdict Analyser::JudgeComparison(const BinaryExpr& binary, const Facts& lhs,
                                        const Facts& rhs) const {
  const bool vectors = IsVector(*binary.lhs) && IsVector(*binary.rhs);
  const bool nan = lhs.range.may_be_nan || rhs.range.may_be_nan;
  if (SameByConstruction(binary)) {
    const bool holds = binary.op == BinaryOp::kEqual || binary.op == BinaryOp::kGreaterOrEqual ||
                       binary.op == BinaryOp::kLessOrEqual;
    // x == x takes NaN away, and x != x finds it.
    if (nan && (holds || binary.op == BinaryOp::kNotEqual)) return {};
    return {holds ? Outcome::kAlwaysHolds : Outcome::kNeverHolds, WhySame(binary), ""};
  }
  std::string why = lhs.range_why;
  if (!rhs.range_why.empty()) why += (why.empty() ? "" : ", and ") + rhs.range_why;
  if (why.empty()) return {};
  if (NeverHolds(binary.op, lhs.range, rhs.range)) return {Outcome::kNeverHolds, why, ""};
  if (!vectors && AlwaysHolds(binary.op, lhs.range, rhs.range)) {
    return {Outcome::kAlwaysHolds, why, ""};
  }
  return {};
}

BinaryVerdict Analyser::JudgeMatching(const BinaryExpr& binary, const Facts& lhs,
                                      const Facts& rhs) const {
  const VectorMatching& matching = binary.matching;
  std::set<std::string> names(matching.labels.begin(), matching.labels.end());
  if (!matching.on) {
    names.clear();
    for (const LabelFacts* side : {&lhs.labels, &rhs.labels}) {
      names.insert(side->meant.begin(), side->meant.end());
      for (const auto& [name, values] : side->values) names.insert(name);
    }
    for (const std::string& name : matching.labels) names.erase(name);
  }
  const auto missing = [&](const LabelFacts& without, const LabelFacts& with,
                           const std::string& name) {
    if (without.CanHave(name) || !with.CanHave(name)) return false;
    return with.values.contains(name) || with.meant.contains(name);
  };
  for (const std::string& name : names) {
    const auto a = lhs.labels.values.find(name);
    const auto b = rhs.labels.values.find(name);
    if (a != lhs.labels.values.end() && b != rhs.labels.values.end() &&
        Common(a->second, b->second).empty()) {
      return {Outcome::kNeverMatches,
              "label " + name + " is \"" + *a->second.begin() + "\" on the left and \"" +
                  *b->second.begin() + "\" on the right, and it counts",
              name};
    }
    const bool fixed = a != lhs.labels.values.end() || b != rhs.labels.values.end();
    if (knowledge_.IsAmbient(name) && !fixed) continue;
    const bool left = missing(lhs.labels, rhs.labels, name);
    if (!left && !missing(rhs.labels, lhs.labels, name)) continue;
    const std::string& closed_by = left ? lhs.labels.closed_by : rhs.labels.closed_by;
    return {Outcome::kNeverMatches,
            "label " + name + " counts, the " + (left ? "right" : "left") +
                " side has it, and the " + (left ? "left" : "right") + " side has not" +
                (closed_by.empty() ? "" : ": " + closed_by),
            name};
  }
  return {};
}

BinaryVerdict Analyser::JudgeSameSeries(const BinaryExpr& binary, const Facts& lhs,
                                        const Facts& rhs) const {
  const Canonical& left = CanonicalOf(*binary.lhs);
  const Canonical& right = CanonicalOf(*binary.rhs);
  if (left.base != right.base || !left.one_metric || !CountsAll(binary.matching, lhs.labels)) {
    return {};
  }
  if (binary.op == BinaryOp::kAnd && Intersection(lhs.range, rhs.range).empty()) {
    return {Outcome::kExcluded,
            "both sides of `and` ask the same series, for values that exclude each other", ""};
  }
  const bool covered =
      left.whole == right.whole || (lhs.range.Within(rhs.range) && !lhs.range.may_be_nan);
  if (binary.op == BinaryOp::kUnless && covered) {
    return {Outcome::kAllTakenAway,
            "both sides of `unless` ask the same series, and whatever passes on the left passes on "
            "the right, too",
            ""};
  }
  return {};
}

Facts Analyser::OfSetOp(const BinaryExpr& binary, const Facts& lhs, const Facts& rhs) {
  BinaryVerdict& verdict = out_.verdicts_[&binary];
  Facts facts = lhs;
  if (binary.op == BinaryOp::kOr) {
    if (lhs.never) return rhs;
    if (rhs.never) return lhs;
    facts.labels = LabelsOfUnion(lhs.labels, rhs.labels);
    facts.range = Hull(lhs.range, rhs.range);
    facts.range_why = facts.range.bounded() ? "`or` " + Describe(facts.range) : "";
    facts.named = lhs.named || rhs.named;
    facts.always = lhs.always || rhs.always;
    return facts;
  }
  if (lhs.never || rhs.never) {
    facts.never = lhs.never || binary.op == BinaryOp::kAnd;
    return facts;
  }
  verdict = JudgeSameSeries(binary, lhs, rhs);
  if (verdict.outcome == Outcome::kOpen) verdict = JudgeMatching(binary, lhs, rhs);
  facts.always = false;
  if (binary.op == BinaryOp::kAnd) {
    facts.never = verdict.outcome != Outcome::kOpen;
  } else {
    facts.never = verdict.outcome == Outcome::kAllTakenAway;
    if (verdict.outcome == Outcome::kNeverMatches) facts.always = lhs.always;
  }
  return facts;
}

void Analyser::SetBinaryRange(const BinaryExpr& binary, const Facts& lhs, const Facts& rhs,
                              Facts& facts) {
  const BinaryVerdict& verdict = out_.verdicts_[&binary];
  facts.range_why.clear();
  if (binary.return_bool) {
    facts.range = {0, 1, true, false};
    if (verdict.outcome == Outcome::kNeverHolds) facts.range = SingleValue(0);
    if (verdict.outcome == Outcome::kAlwaysHolds) facts.range = SingleValue(1);
    facts.range_why = "a comparison with `bool` " + Describe(facts.range);
    return;
  }
  if (IsComparison(binary.op)) {
    const bool from_left = IsVector(*binary.lhs);
    const Facts& passed = from_left ? lhs : rhs;
    const BinaryOp op = from_left ? binary.op : Mirrored(binary.op);
    facts.range = Where(op, passed.range, (from_left ? rhs : lhs).range);
    facts.range_why = passed.range_why;
    const bool cut =
        facts.range.least != passed.range.least || facts.range.most != passed.range.most;
    if (cut) facts.range_why = "only such values pass " + Quoted(binary);
    if (cut && Unwrap(from_left ? *binary.rhs : *binary.lhs).kind() == ExprKind::kNumber) {
      facts.range_why = "only values " + std::string(BinaryOpText(op)) + " " +
                        Print(Unwrap(from_left ? *binary.rhs : *binary.lhs)) + " pass `" +
                        std::string(BinaryOpText(binary.op)) + "`";
    }
    return;
  }
  if (SameByConstruction(binary) && (binary.op == BinaryOp::kSub || binary.op == BinaryOp::kDiv)) {
    const double value = binary.op == BinaryOp::kSub ? 0 : 1;
    facts.range = SingleValue(value);
    facts.range.may_be_nan = true;  // of infinity, and of 0 / 0
    facts.range_why =
        WhySame(binary) + ": the " +
        (binary.op == BinaryOp::kSub ? "difference is always 0" : "ratio is always 1");
    return;
  }
  facts.range = Combine(binary.op, lhs.range, rhs.range);
  if (facts.range.bounded()) facts.range_why = Quoted(binary) + " " + Describe(facts.range);
}

Facts Analyser::OfBinary(const BinaryExpr& binary) {
  const Facts& lhs = out_.of(*binary.lhs);
  const Facts& rhs = out_.of(*binary.rhs);
  BinaryVerdict& verdict = out_.verdicts_[&binary];
  if (IsSetOp(binary.op)) return OfSetOp(binary, lhs, rhs);
  const bool left = IsVector(*binary.lhs);
  const bool right = IsVector(*binary.rhs);
  Facts facts = left || !right ? lhs : rhs;
  const bool never = (left && lhs.never) || (right && rhs.never);
  if (left && right) {
    facts.labels = LabelsOfMatch(binary, lhs, rhs);
    const bool many_right = binary.matching.cardinality == Cardinality::kOneToMany;
    facts.named = many_right ? rhs.named : lhs.named;
    if (!never) verdict = JudgeMatching(binary, lhs, rhs);
    facts.always = false;
  }
  const bool compares = IsComparison(binary.op);
  if (compares && !never && verdict.outcome == Outcome::kOpen && (left || right)) {
    verdict = JudgeComparison(binary, lhs, rhs);
  }
  if (!compares || binary.return_bool) facts.named = false;
  facts.never = never || verdict.outcome == Outcome::kNeverMatches ||
                (verdict.outcome == Outcome::kNeverHolds && !binary.return_bool);
  if (compares && !binary.return_bool && verdict.outcome != Outcome::kAlwaysHolds) {
    facts.always = facts.always && !(left || right);
  }
  SetBinaryRange(binary, lhs, rhs, facts);
  return facts;
}

}  // namespace azexporter::promql
