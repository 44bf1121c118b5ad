// What the analysis says of an expression against what the expression returns: the answers that the
// scripts expect never contradict it.

#include "azexporter/promql/analysis.h"

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "azexporter/promql/parser.h"
#include "query_files.h"
#include "script_reader.h"

namespace azexporter::promql {
namespace {

// All that a script loaded, told as narrowly as it can be.
class Loaded final : public SelectorKnowledge {
 public:
  void Add(const LoadCommand& load) {
    for (const SeriesNotation& series : load.series) {
      series_[std::string(series.labels.Get(model::kMetricName))].push_back(&series);
    }
    for (const LackingSeries& series : load.lacking) {
      lacking_.insert(std::string(series.labels.Get(model::kMetricName)));
    }
    if (!load.notes.empty()) notes_ = true;
  }

  bool IsAmbient(std::string_view) const override { return false; }

  Facts FactsOf(const VectorSelector& selector) const override {
    const std::string name(MetricNameOf(selector));
    const auto found = series_.find(name);
    Facts facts;
    if (notes_ || name.empty() || lacking_.contains(name) || found == series_.end()) return facts;
    facts.labels.open = false;
    facts.range = {std::numeric_limits<double>::infinity(),
                   -std::numeric_limits<double>::infinity(), true, false};
    std::map<std::string, std::size_t> counts;
    for (const SeriesNotation* series : found->second) {
      for (const model::Label& label : series->labels) {
        if (label.name == model::kMetricName) continue;
        const std::string label_name(label.name);
        ++counts[label_name];
        facts.labels.possible.insert(label_name);
        facts.labels.values[label_name].emplace(label.value);
      }
      for (const auto& value : series->values) AddValue(value, facts.range);
    }
    for (const auto& [label, count] : counts) {
      if (count != found->second.size()) facts.labels.values.erase(label);
    }
    if (facts.range.empty()) facts.range = {};
    facts.range_why = "loaded";
    return facts;
  }

 private:
  static void AddValue(const std::optional<double>& value, ValueRange& range) {
    if (!value) return;
    if (std::isnan(*value)) {
      range.may_be_nan = true;
      return;
    }
    range.least = std::min(range.least, *value);
    range.most = std::max(range.most, *value);
    range.whole = range.whole && std::floor(*value) == *value;
  }

  std::map<std::string, std::vector<const SeriesNotation*>> series_;
  std::set<std::string> lacking_;
  bool notes_ = false;
};

void ExpectWithin(const ValueRange& range, double value) {
  if (std::isnan(value)) {
    EXPECT_TRUE(range.may_be_nan);
    return;
  }
  // Expected values are rounded.
  const double slack = std::isinf(value) ? 0 : std::abs(value) * 1e-6 + 1e-12;
  EXPECT_GE(value + slack, range.least);
  EXPECT_LE(value - slack, range.most);
}

// How many facts were looked at.
struct Tally {
  int evals = 0;
  int closed = 0;
  int bounded = 0;
  int never = 0;
};

void Compare(const EvalCommand& eval, const Loaded& loaded, Tally& tally) {
  const auto expr = ParseExpr(eval.query);
  if (!expr || eval.expect_fail || eval.lack != ScriptLack::kNone) return;
  const Analysis analysis(**expr, loaded);
  const Facts& facts = analysis.of(**expr);
  ++tally.evals;
  tally.closed += facts.labels.open ? 0 : 1;
  tally.bounded += facts.range.bounded() ? 1 : 0;
  tally.never += facts.never ? 1 : 0;
  if (eval.scalar) ExpectWithin(facts.range, *eval.scalar);
  const bool vector = (*expr)->type() == ValueType::kVector;
  for (const SeriesNotation& series : eval.series) {
    if (!vector) continue;
    EXPECT_FALSE(facts.never);
    for (const model::Label& label : series.labels) {
      if (label.name.starts_with("__")) continue;
      EXPECT_TRUE(facts.labels.CanHave(std::string(label.name))) << label.name;
      const auto values = facts.labels.values.find(std::string(label.name));
      if (values == facts.labels.values.end()) continue;
      EXPECT_TRUE(values->second.contains(std::string(label.value))) << label.value;
    }
    for (const auto& value : series.values) {
      if (value) ExpectWithin(facts.range, *value);
    }
  }
  EXPECT_FALSE(vector && facts.always && eval.series.empty());
}

Tally CompareScript(const std::filesystem::path& path) {
  Tally tally;
  const auto commands = ReadScript(ReadFile(path));
  EXPECT_TRUE(commands.has_value()) << path;
  if (!commands) return tally;
  Loaded loaded;
  for (const ScriptCommand& command : *commands) {
    if (std::holds_alternative<ClearCommand>(command)) loaded = Loaded();
    if (const auto* load = std::get_if<LoadCommand>(&command)) loaded.Add(*load);
    if (const auto* eval = std::get_if<EvalCommand>(&command)) {
      SCOPED_TRACE(path.filename().string() + ":" + std::to_string(eval->line) + " " + eval->query);
      Compare(*eval, loaded, tally);
    }
  }
  return tally;
}

TEST(AnalysisTest, IsNeverContradictedByTheScripts) {
  auto paths = OwnScripts();
  for (const auto& path : ConformanceScripts()) paths.push_back(path);
  Tally all;
  for (const auto& path : paths) {
    const Tally tally = CompareScript(path);
    all.evals += tally.evals;
    all.closed += tally.closed;
    all.bounded += tally.bounded;
    all.never += tally.never;
  }
  std::cout << all.evals << " evals, " << all.closed << " with all labels known, " << all.bounded
            << " with bounds, " << all.never << " that return nothing\n";
  EXPECT_GE(all.evals, 300);
  EXPECT_GE(all.closed, 200);
}

}  // namespace
}  // namespace azexporter::promql
