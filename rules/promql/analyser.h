#pragma once

// Walks a tree from the leaves up and works out the facts of each node. Private to `promql`.
//
// Thread safety: one thread only.

#include <string>
#include <unordered_map>
#include <vector>

#include "azexporter/promql/analysis.h"

namespace azexporter::promql {

// An expression in a form that is the same for expressions that are the same by construction:
// without parentheses and aggregations that change nothing.
struct Canonical {
  std::string whole;
  // Without the comparisons with constants around it: what they filter.
  std::string base;
  // The series of `base` are all of one metric, so that no two have the same labels.
  bool one_metric = true;
};

// "`sum by (zone) (up)`", cut short where it is long.
std::string Quoted(const Expr& expr);
// "zone, role".
std::string Listed(const std::vector<std::string>& names);

// Takes a label away, or puts one there that a series may then have.
void Lose(LabelFacts& labels, const std::string& name);
void Gain(LabelFacts& labels, const std::string& name);

class Analyser {
 public:
  // Both must outlive this.
  Analyser(const SelectorKnowledge& knowledge, Analysis& out) : knowledge_(knowledge), out_(out) {}

  // Everything below, then the expression.
  const Facts& Visit(const Expr& expr);

 private:
  Facts Of(const Expr& expr);
  Facts OfSelector(const VectorSelector& selector);
  Facts OfAggregate(const AggregateExpr& aggregate);
  Facts OfUnary(const UnaryExpr& unary);

  // analyser_functions.cc
  Facts OfCall(const CallExpr& call);
  Facts OfAbsent(const CallExpr& call, const Facts& arg) const;

  // analyser_binary.cc
  Facts OfBinary(const BinaryExpr& binary);
  Facts OfSetOp(const BinaryExpr& binary, const Facts& lhs, const Facts& rhs);
  BinaryVerdict JudgeComparison(const BinaryExpr& binary, const Facts& lhs, const Facts& rhs) const;
  BinaryVerdict JudgeMatching(const BinaryExpr& binary, const Facts& lhs, const Facts& rhs) const;
  BinaryVerdict JudgeSameSeries(const BinaryExpr& binary, const Facts& lhs, const Facts& rhs) const;
  bool SameByConstruction(const BinaryExpr& binary) const;
  std::string WhySame(const BinaryExpr& binary) const;
  void SetBinaryRange(const BinaryExpr& binary, const Facts& lhs, const Facts& rhs, Facts& facts);

  // analyser_canonical.cc
  const Canonical& CanonicalOf(const Expr& expr) const { return canonical_.at(&expr); }
  Canonical MakeCanonical(const Expr& expr) const;
  bool IsOfOneMetric(const Expr& expr) const;
  Canonical CanonicalBinary(const BinaryExpr& binary) const;
  // The aggregations below that change nothing, for explanations.
  void GatherIdentities(const Expr& expr, std::vector<std::string>& out) const;

  const SelectorKnowledge& knowledge_;
  Analysis& out_;
  std::unordered_map<const Expr*, Canonical> canonical_;
};

}  // namespace azexporter::promql
