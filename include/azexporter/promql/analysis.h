#pragma once

// What can be said of an expression's result without any data: which labels its series can carry,
// which values they can have, and whether there can be any at all. What selectors bring in is told
// by a SelectorKnowledge; of those it knows nothing about, nothing is assumed.
//
//   const Analysis analysis(*expr, knowledge);
//   if (analysis.of(*expr).never) ...
//
// Only certainties are told: `never` means never, a label that cannot be carried cannot be. The one
// supposition is that a label somebody groups by is there.
//
// Thread safety: immutable once made.
// Semantics: prometheus/promql/engine.go (VectorBinop, aggregation, dropMetricName).

#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "azexporter/promql/ast.h"

namespace azexporter::promql {

// The label sets of a vector. The metric's name is no label here.
struct LabelFacts {
  // Whether series may carry labels that are not in `possible`.
  bool open = true;
  // Closed: every label there can be. Open: labels that are known of.
  std::set<std::string> possible;
  // Those that each series is meant to carry: it was asked for them by name. A part of `possible`.
  std::set<std::string> meant;
  // Open: what is certainly not there, since it was taken away.
  std::set<std::string> lost;
  // All values of a label that is certainly there.
  std::map<std::string, std::set<std::string>> values;
  // What made the set a closed one, or lost the label: "`sum by (zone)` keeps only zone".
  std::string closed_by;

  bool CanHave(const std::string& label) const {
    return open ? !lost.contains(label) : possible.contains(label);
  }
};

// The values of samples, both ends included. NaN lies in no range, so it is told apart.
struct ValueRange {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool whole = false;  // only whole numbers
  bool may_be_nan = true;

  bool empty() const { return least > most; }
  bool bounded() const {
    return least > -std::numeric_limits<double>::infinity() ||
           most < std::numeric_limits<double>::infinity();
  }
  bool Within(const ValueRange& other) const { return least >= other.least && most <= other.most; }
};

// "is always 0", "is 0 or 1", "lies between 0 and 1", "is never below 1", "is never above 4".
// REQUIRES: range.bounded().
std::string Describe(const ValueRange& range);

struct Facts {
  LabelFacts labels;
  ValueRange range;
  // Why the range is what it is; "" where it has no bounds: "`az_zone_ready_ratio` lies between 0
  // and 1".
  std::string range_why;
  bool named = true;    // series may still have their metric's name
  bool never = false;   // there is never a sample
  bool always = false;  // there is always one
};

// How a comparison, `and`, `unless` or matching turned out, where that is certain.
enum class Outcome {
  kOpen,          // it depends on the data
  kNeverHolds,    // a comparison that no value passes
  kAlwaysHolds,   // ... that every value passes
  kNeverMatches,  // no two series of the sides can match
  kExcluded,      // both sides of `and` ask the same series for values that exclude each other
  kAllTakenAway,  // `unless` takes away all that its left side has
};
struct BinaryVerdict {
  Outcome outcome = Outcome::kOpen;
  std::string why;    // a sentence without full stop
  std::string label;  // of kNeverMatches
};

class SelectorKnowledge {
 public:
  virtual ~SelectorKnowledge() = default;
  // Facts of what a selector of this metric selects, whatever its matchers are; these are counted
  // in by the analysis.
  virtual Facts FactsOf(const VectorSelector& selector) const = 0;
  // Labels that may be on every series or on none (cluster, job, ...): nothing is concluded from
  // them.
  virtual bool IsAmbient(std::string_view label) const = 0;
};

// Thread safety: immutable once made.
class Analysis {
 public:
  // `expr` must outlive this; `knowledge` need not.
  Analysis(const Expr& expr, const SelectorKnowledge& knowledge);

  // REQUIRES: expr is the analysed expression or below it.
  const Facts& of(const Expr& expr) const { return facts_.at(&expr); }
  // REQUIRES: the same.
  const BinaryVerdict& verdict(const BinaryExpr& expr) const { return verdicts_.at(&expr); }

  // Whether an aggregation changes nothing but the name: each of its groups has one series.
  bool IsIdentity(const AggregateExpr& expr) const { return identities_.contains(&expr); }

 private:
  friend class Analyser;
  std::unordered_map<const Expr*, Facts> facts_;
  std::unordered_map<const Expr*, BinaryVerdict> verdicts_;
  std::set<const Expr*> identities_;
};

// The only name that a selector's series can have; "" where it is open.
std::string_view MetricNameOf(const VectorSelector& selector);

// The values that a matcher can match, where it names them: of = one, of =~ the alternatives of an
// expression that is a list of texts ("a|b"). Never of the negated ones.
std::optional<std::set<std::string>> ValuesOf(const model::Matcher& matcher);

// The first two matchers that no label set passes together, and why; nullopt where there are none.
std::optional<std::string> Contradiction(const VectorSelector& selector);

}  // namespace azexporter::promql
