// What the analysis says of an expression against what the expression returns: the answers that the
// scripts expect never contradict it.

#include "azexporter/promql/analysis.h"

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <random>

#include "azexporter/promql/engine.h"
#include "azexporter/promql/parser.h"
#include "azexporter/storage/memory_store.h"
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
    // Of native histograms nothing is known; load_with_nhcb makes some of classic ones.
    for (const SeriesNotation& series : load.series) {
      const std::string name(series.labels.Get(model::kMetricName));
      const bool native = std::ranges::any_of(
          series.values, [](const auto& value) { return value && value->h != nullptr; });
      if (native) native_.insert(name);
      for (const std::string_view suffix : {"_bucket", "_count", "_sum"}) {
        if (load.with_nhcb && name.ends_with(suffix)) {
          native_.insert(name.substr(0, name.size() - suffix.size()));
        }
      }
    }
    if (!load.notes.empty()) notes_ = true;
  }

  bool IsAmbient(std::string_view) const override { return false; }

  Facts FactsOf(const VectorSelector& selector) const override {
    const std::string name(MetricNameOf(selector));
    const auto found = series_.find(name);
    Facts facts;
    if (notes_ || name.empty() || native_.contains(name) || found == series_.end()) return facts;
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
  static void AddValue(const std::optional<SequenceValue>& value, ValueRange& range) {
    if (!value) return;
    if (std::isnan(value->f)) {
      range.may_be_nan = true;
      return;
    }
    range.least = std::min(range.least, value->f);
    range.most = std::max(range.most, value->f);
    range.whole = range.whole && std::floor(value->f) == value->f;
  }

  std::map<std::string, std::vector<const SeriesNotation*>> series_;
  std::set<std::string> native_;
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
  if (!expr || eval.expect_fail) return;
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
      if (value && value->h == nullptr) ExpectWithin(facts.range, value->f);
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

// Expressions that nobody would write, over three small metrics.
class RandomExpressions {
 public:
  explicit RandomExpressions(std::uint32_t seed) : random_(seed) {}

  std::string Vector(int depth) {
    if (depth == 0) return Selector();
    switch (Pick(9)) {
      case 0:
        return Selector();
      case 1:
        return "(" + Vector(depth - 1) + " " + Comparison() + " " + Number() + ")";
      case 2:
        return "(" + Number() + " " + Comparison() + " " + Vector(depth - 1) + ")";
      case 3:
      case 4:
        return Aggregate(depth);
      case 5:
        return Call(depth);
      case 6:
        return "(" + Vector(depth - 1) + One({" and ", " or ", " unless "}) + Matching() +
               Vector(depth - 1) + ")";
      case 7:
        return "(-" + Vector(depth - 1) + ")";
      default:
        return Binary(depth);
    }
  }

 private:
  std::size_t Pick(std::size_t count) { return random_() % count; }
  std::string One(std::initializer_list<std::string_view> texts) {
    return std::string(*(texts.begin() + Pick(texts.size())));
  }

  std::string Selector() {
    return One({"x", "y", "z", "x{a=\"1\"}", "x{a!=\"1\"}", "x{b=\"1\"}", "x{b=\"\"}",
                "x{a=~\"1|2\"}", "x{a=\"3\"}", "y{c=\"1\"}", "y{a=\"2\", a!=\"1\"}"});
  }
  std::string Number() { return One({"0", "1", "2", "0.5", "-1", "5", "Inf", "NaN"}); }
  std::string Comparison() {
    const std::string op = One({">", "<", ">=", "<=", "==", "!="});
    return Pick(4) == 0 ? op + " bool" : op;
  }
  std::string Names() { return One({"", "a", "b", "c", "a, b", "a, c"}); }
  std::string Matching() {
    if (Pick(2) == 0) return "";
    return One({"on (", "ignoring ("}) + Names() + ") ";
  }

  std::string Aggregate(int depth) {
    const std::string op = One({"sum", "min", "max", "avg", "count", "group", "stddev"});
    const std::string grouping = Pick(4) == 0 ? "" : One({" by (", " without ("}) + Names() + ") ";
    return op + grouping + "(" + Vector(depth - 1) + ")";
  }

  std::string Call(int depth) {
    const std::string inner = Vector(depth - 1);
    switch (Pick(5)) {
      case 0:
        return One({"abs(", "sgn(", "sort(", "absent(", "ceil("}) + inner + ")";
      case 1:
        return "label_replace(" + inner + ", \"" + One({"a", "c", "d"}) + "\", \"" +
               One({"$1", "7", ""}) + "\", \"b\", \"(.*)\")";
      case 2:
        return "vector(" + Number() + ")";
      case 3:
        return One({"rate(", "increase(", "max_over_time(", "avg_over_time(", "sum_over_time(",
                    "count_over_time(", "last_over_time(", "changes(", "absent_over_time("}) +
               Selector() + "[3m])";
      default:
        return One({"min_over_time(", "sum_over_time(", "count_over_time("}) + inner + "[3m:1m])";
    }
  }

  std::string Binary(int depth) {
    const std::string lhs = Vector(depth - 1);
    const std::string rhs = Pick(3) == 0 ? lhs : Vector(depth - 1);
    const std::string op = Pick(2) == 0 ? One({"+", "-", "*", "/", "%"}) : Comparison();
    std::string matching = Matching();
    if (!matching.empty() && Pick(3) == 0) {
      matching += One({"group_left (", "group_right ("}) + One({"", "a", "b", "c"}) + ") ";
    }
    return "(" + lhs + " " + op + " " + matching + rhs + ")";
  }

  std::mt19937 random_;
};

void ExpectSound(const std::string& query, const Facts& facts, const Value& value) {
  if (const auto* scalar = std::get_if<Scalar>(&value)) return ExpectWithin(facts.range, scalar->f);
  const auto* vector = std::get_if<Vector>(&value);
  if (vector == nullptr) return;
  EXPECT_FALSE(facts.always && vector->empty()) << query;
  EXPECT_FALSE(facts.never && !vector->empty()) << query;
  for (const model::Sample& sample : *vector) {
    SCOPED_TRACE(query + " " + sample.labels.ToString());
    ExpectWithin(facts.range, sample.f);
    for (const model::Label& label : sample.labels) {
      if (label.name == model::kMetricName) {
        EXPECT_TRUE(facts.named);
        continue;
      }
      EXPECT_TRUE(facts.labels.CanHave(std::string(label.name))) << label.name;
    }
    for (const auto& [name, values] : facts.labels.values) {
      EXPECT_TRUE(values.contains(std::string(sample.labels.Get(name)))) << name;
    }
  }
}

TEST(AnalysisTest, IsNeverContradictedByRandomExpressions) {
  const auto commands = ReadScript(
      "load 1m\n"
      "  x{a=\"1\", b=\"1\"} 1 2 5 0 2\n"
      "  x{a=\"2\", b=\"1\"} 5 5 5 5 5\n"
      "  x{a=\"2\"} 0 1 0.5 0 1\n"
      "  y{a=\"1\", c=\"1\"} 1 1 1 1 1\n"
      "  y{a=\"2\", c=\"1\"} 0 1 0 1 0\n"
      "  z -1 NaN 2 Inf -1\n");
  ASSERT_TRUE(commands.has_value());
  const auto& load = std::get<LoadCommand>(commands->front());
  Loaded loaded;
  loaded.Add(load);
  storage::MemoryStore store({.retention_ms = 0});
  auto appender = store.NewAppender();
  for (const SeriesNotation& series : load.series) {
    model::TimestampMs t = load.start;
    for (const auto& value : series.values) {
      static_cast<void>(appender->Append(series.labels, t, value->f));
      t += load.step_ms;
    }
  }
  ASSERT_TRUE(appender->Commit());
  const base::FakeClock clock;
  const Engine engine({}, clock);
  RandomExpressions random(20);
  int answered = 0;
  int certain = 0;
  int held = 0;
  for (int i = 0; i < 20'000 && !testing::Test::HasFailure(); ++i) {
    const std::string query = random.Vector(1 + i % 4);
    const auto expr = ParseExpr(query);
    if (!expr) continue;  // a label in `on` and in `group_left`
    const auto result = engine.Instant(store, **expr, load.start + 4 * load.step_ms);
    if (!result) continue;  // many-to-many matching and the like
    ++answered;
    const Analysis analysis(**expr, loaded);
    const Facts& facts = analysis.of(**expr);
    certain += facts.never ? 1 : 0;
    ExpectSound(query, facts, result->value);
    const Expr& root = Unwrap(**expr);
    if (root.kind() != ExprKind::kBinary) continue;
    const auto& binary = As<BinaryExpr>(root);
    if (binary.return_bool || analysis.verdict(binary).outcome != Outcome::kAlwaysHolds) continue;
    // It passes all that it is given.
    const bool left = binary.lhs->type() == ValueType::kVector;
    const auto given =
        engine.Instant(store, left ? *binary.lhs : *binary.rhs, load.start + 4 * load.step_ms);
    ASSERT_TRUE(given.has_value()) << query;
    EXPECT_EQ(std::get<Vector>(result->value).size(), std::get<Vector>(given->value).size())
        << query;
    ++held;
  }
  std::cout << answered << " expressions, " << certain << " that return nothing, " << held
            << " comparisons that always hold\n";
  EXPECT_GE(held, 20);
  EXPECT_GE(answered, 5'000);
  EXPECT_GE(certain, 500);
}

}  // namespace
}  // namespace azexporter::promql
