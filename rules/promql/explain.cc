#include "azexporter/promql/explain.h"

#include <algorithm>

#include "azexporter/base/float_format.h"
#include "azexporter/base/time_text.h"
#include "azexporter/promql/printer.h"

namespace azexporter::promql {
namespace {

using base::ErrorCode;
using base::Result;

// What of an expression is asked about: its parts, but a range selector as a whole.
std::vector<const Expr*> PartsOf(const Expr& expr) {
  if (expr.kind() == ExprKind::kMatrixSelector) return {};
  return Children(expr);
}

std::size_t CountNodes(const Expr& expr) {
  std::size_t count = 1;
  for (const Expr* part : PartsOf(expr)) count += CountNodes(*part);
  return count;
}

const TimeModifiers* ModifiersOf(const Expr& expr) {
  if (expr.kind() == ExprKind::kVectorSelector) return &As<VectorSelector>(expr).time;
  if (expr.kind() == ExprKind::kMatrixSelector) return &As<MatrixSelector>(expr).selector->time;
  if (expr.kind() == ExprKind::kSubquery) return &As<SubqueryExpr>(expr).time;
  return nullptr;
}

// Whether the value depends on the times of the whole query, by @ start() or @ end().
bool KnowsTheQuery(const Expr& expr) {
  const TimeModifiers* time = ModifiersOf(expr);
  if (time != nullptr &&
      (time->at.kind == AtModifier::Kind::kStart || time->at.kind == AtModifier::Kind::kEnd)) {
    return true;
  }
  return std::ranges::any_of(PartsOf(expr), [](const Expr* part) { return KnowsTheQuery(*part); });
}

const VectorSelector* SelectorOf(const Expr& expr) {
  if (expr.kind() == ExprKind::kVectorSelector) return &As<VectorSelector>(expr);
  if (expr.kind() == ExprKind::kMatrixSelector) return As<MatrixSelector>(expr).selector.get();
  return nullptr;
}

bool HasSeries(ValueType type) { return type == ValueType::kVector || type == ValueType::kMatrix; }

class Explainer {
 public:
  Explainer(const ExplainDeps& deps, const ExplainOptions& options, std::stop_token stop)
      : deps_(deps),
        options_(options),
        stop_(std::move(stop)),
        deadline_ns_(deps.clock.SteadyNs() + deps.engine.options().timeout_ms * 1'000'000) {}

  Result<Explanation> Node(const Expr& expr, model::TimestampMs t);

 private:
  Result<void> Evaluate(const Expr& expr, Explanation& node);
  void Take(const Value& value, Explanation& node) const;
  // When the newest evaluation inside of a subquery is.
  model::TimestampMs InnerTime(const SubqueryExpr& subquery, model::TimestampMs t) const;
  std::string EmptyNote(const Expr& expr, const Explanation& node) const;

  const ExplainDeps& deps_;
  const ExplainOptions& options_;
  const std::stop_token stop_;
  const std::int64_t deadline_ns_;
};

model::TimestampMs Explainer::InnerTime(const SubqueryExpr& subquery, model::TimestampMs t) const {
  // Start and end of the whole query are its one time.
  if (subquery.time.at.kind == AtModifier::Kind::kTimestamp) {
    t = subquery.time.at.t;
  } else if (subquery.time.at.kind != AtModifier::Kind::kNone) {
    t = options_.t;
  }
  t -= subquery.time.offset_ms;
  const std::int64_t step =
      subquery.step_ms != 0 ? subquery.step_ms : deps_.engine.options().default_subquery_step_ms;
  const std::int64_t behind = t % step;
  return t - (behind < 0 ? behind + step : behind);
}

Explanation::Value NewestOf(const MatrixSeries& series) {
  Explanation::Value value{series.labels, series.points.size() + series.histograms.size()};
  if (!series.points.empty()) value.value = series.points.back().f;
  if (series.histograms.empty()) return value;
  const model::HPoint& last = series.histograms.back();
  if (series.points.empty() || last.t > series.points.back().t) value.histogram = last.h;
  return value;
}

void Explainer::Take(const Value& value, Explanation& node) const {
  if (const auto* vector = std::get_if<Vector>(&value)) {
    node.series = vector->size();
    for (const model::Sample& sample : *vector) {
      if (node.values.size() == options_.max_values) return;
      node.values.push_back({sample.labels, 1, sample.f, sample.h});
    }
  } else if (const auto* matrix = std::get_if<Matrix>(&value)) {
    node.series = matrix->size();
    for (const MatrixSeries& series : *matrix) {
      if (node.values.size() == options_.max_values) return;
      node.values.push_back(NewestOf(series));
    }
  } else if (const auto* scalar = std::get_if<Scalar>(&value)) {
    node.series = 1;
    node.values.push_back({{}, 1, scalar->f});
  } else {
    node.series = 1;
  }
}

Result<void> Explainer::Evaluate(const Expr& expr, Explanation& node) {
  if (node.t != options_.t && KnowsTheQuery(expr)) {
    node.error = "not evaluated: @ start() and @ end() are times of the whole query";
    return {};
  }
  EngineOptions options = deps_.engine.options();
  options.timeout_ms = (deadline_ns_ - deps_.clock.SteadyNs()) / 1'000'000;
  if (options.timeout_ms <= 0) {
    return base::Fail(ErrorCode::kTimeout, "query timed out in expression evaluation");
  }
  const auto result = Engine(options, deps_.clock).Instant(deps_.store, expr, node.t, stop_);
  if (result) {
    Take(result->value, node);
    return {};
  }
  const ErrorCode code = result.error().code();
  if (code == ErrorCode::kTimeout || code == ErrorCode::kCanceled)
    return base::Fail(result.error());
  node.error = result.error().message();
  return {};
}

std::string Explainer::EmptyNote(const Expr& expr, const Explanation& node) const {
  if (!HasSeries(node.type) || node.series != std::size_t{0}) return "";
  if (const VectorSelector* selector = SelectorOf(expr)) {
    constexpr model::TimestampMs kEver = 4'000'000'000'000'000'000;
    const auto querier = deps_.store.NewQuerier(-kEver, kEver);
    if (!querier) return "";
    const auto ever = (*querier)->Select(selector->matchers);
    if (!ever) return "";
    if ((*ever)->empty()) return "no such series";
    return "none of " + std::to_string((*ever)->size()) + " series has a sample then";
  }
  const auto is_empty = [](const Explanation& child) {
    return HasSeries(child.type) && child.series.value_or(0) == 0;
  };
  return std::ranges::any_of(node.children, is_empty) ? "" : "became empty here";
}

Result<Explanation> Explainer::Node(const Expr& expr, model::TimestampMs t) {
  Explanation node{.text = Print(expr), .type = expr.type(), .t = t};
  const model::TimestampMs inner =
      expr.kind() == ExprKind::kSubquery ? InnerTime(As<SubqueryExpr>(expr), t) : t;
  for (const Expr* part : PartsOf(expr)) {
    AZX_ASSIGN_OR_RETURN(Explanation child, Node(*part, inner));
    node.children.push_back(std::move(child));
  }
  if (expr.kind() == ExprKind::kParen) {  // the same value again
    const Explanation& child = node.children.front();
    node.series = child.series;
    node.values = child.values;
    node.error = child.error;
    return node;
  }
  AZX_RETURN_IF_ERROR(Evaluate(expr, node));
  node.note = EmptyNote(expr, node);
  return node;
}

std::string Summary(const Explanation& node, const Explanation* parent) {
  std::string out(ValueTypeName(node.type));
  if (HasSeries(node.type) && node.series) {
    out += ", " + std::to_string(*node.series) + " series";
  }
  if (parent != nullptr && node.t != parent->t) out += ", at " + base::FormatRfc3339(node.t);
  if (node.type == ValueType::kScalar && !node.values.empty()) {
    out += " " + base::FormatFloatG(node.values.front().value);
  }
  if (!node.note.empty()) out += "  <-- " + node.note;
  if (!node.error.empty()) out += "  <-- error: " + node.error;
  return out;
}

void AppendNode(std::string& out, const Explanation& node, const Explanation* parent,
                const std::string& indent) {
  out += indent + node.text + "\n";
  const std::string below = indent + "    ";
  out += below + "= " + Summary(node, parent) + "\n";
  if (HasSeries(node.type)) {
    for (const Explanation::Value& value : node.values) {
      out += below + "  " + value.labels.ToString() + "  ";
      if (node.type == ValueType::kMatrix) {
        out += std::to_string(value.points) + (value.points == 1 ? " point" : " points") +
               ", the newest ";
      }
      out += value.histogram != nullptr ? value.histogram->ToString()
                                        : base::FormatFloatG(value.value);
      out += '\n';
    }
    if (node.series.value_or(0) > node.values.size()) {
      out += below + "  and " + std::to_string(*node.series - node.values.size()) + " more\n";
    }
  }
  for (const Explanation& child : node.children) AppendNode(out, child, &node, indent + "  ");
}

}  // namespace

Result<Explanation> Explain(const ExplainDeps& deps, const Expr& expr,
                            const ExplainOptions& options, std::stop_token stop) {
  if (const std::size_t count = CountNodes(expr); count > kMaxExplainedNodes) {
    return base::BadData("the expression has " + std::to_string(count) + " parts, at most " +
                         std::to_string(kMaxExplainedNodes) + " can be explained");
  }
  return Explainer(deps, options, std::move(stop)).Node(expr, options.t);
}

std::string FormatExplanation(const Explanation& explanation) {
  std::string out;
  AppendNode(out, explanation, nullptr, "");
  return out;
}

}  // namespace azexporter::promql
