#include "ast_json.h"

#include "azexporter/base/float_format.h"
#include "azexporter/promql/functions.h"

namespace azexporter::web {
namespace {

using base::JsonWriter;
using namespace promql;  // NOLINT: every name below is the language's

void WriteNames(JsonWriter& json, const std::vector<std::string>& names) {
  json.BeginArray();
  for (const std::string& name : names) json.String(name);
  json.EndArray();
}

void WriteMatchers(JsonWriter& json, const std::vector<model::Matcher>& matchers) {
  json.BeginArray();
  for (const model::Matcher& matcher : matchers) {
    json.BeginObject().Key("name").String(matcher.name());
    json.Key("type").String(model::MatchTypeText(matcher.type()));
    json.Key("value").String(matcher.value()).EndObject();
  }
  json.EndArray();
}

void WriteStartOrEnd(JsonWriter& json, const AtModifier& at) {
  json.Key("startOrEnd");
  if (at.kind == AtModifier::Kind::kStart) {
    json.String("start");
  } else if (at.kind == AtModifier::Kind::kEnd) {
    json.String("end");
  } else {
    json.Null();
  }
}

void WriteTimestamp(JsonWriter& json, const AtModifier& at) {
  json.Key("timestamp");
  if (at.kind == AtModifier::Kind::kTimestamp) {
    json.Int(at.t);
  } else {
    json.Null();
  }
}

// A duration that is computed, as text.
void WriteDuration(JsonWriter& json, std::string_view key, const DurationPtr& expr) {
  json.Key(key);
  if (expr == nullptr) {
    json.Null();
  } else {
    json.String(PrintDuration(*expr));
  }
}

// `matrix` null: an instant vector.
void WriteSelector(JsonWriter& json, const VectorSelector& selector, const MatrixSelector* matrix) {
  json.BeginObject().Key("anchored").Bool(selector.mode == RangeMode::kAnchored);
  json.Key("matchers");
  WriteMatchers(json, selector.matchers);
  json.Key("name").String(selector.name);
  json.Key("offset").Int(selector.time.offset_ms);
  WriteDuration(json, "offsetExpr", selector.time.offset_expr);
  if (matrix != nullptr) {
    json.Key("range").Int(matrix->range_ms);
    WriteDuration(json, "rangeExpr", matrix->range_expr);
  }
  json.Key("smoothed").Bool(selector.mode == RangeMode::kSmoothed);
  WriteStartOrEnd(json, selector.time.at);
  WriteTimestamp(json, selector.time.at);
  json.Key("type").String(matrix != nullptr ? "matrixSelector" : "vectorSelector").EndObject();
}

void WriteFill(JsonWriter& json, std::string_view key, const std::optional<double>& fill) {
  json.Key(key);
  if (fill) {
    json.Double(*fill);
  } else {
    json.Null();
  }
}

void WriteAggregate(JsonWriter& json, const AggregateExpr& expr) {
  json.BeginObject().Key("expr");
  WriteAst(json, *expr.expr);
  json.Key("grouping");
  WriteNames(json, expr.grouping);
  json.Key("op").String(AggregateOpText(expr.op)).Key("param");
  if (expr.param) {
    WriteAst(json, *expr.param);
  } else {
    json.Null();
  }
  json.Key("type").String("aggregation").Key("without").Bool(expr.without).EndObject();
}

void WriteMatching(JsonWriter& json, const BinaryExpr& expr) {
  const bool vectors =
      expr.lhs->type() == ValueType::kVector && expr.rhs->type() == ValueType::kVector;
  if (!vectors) {
    json.Null();
    return;
  }
  const VectorMatching& matching = expr.matching;
  json.BeginObject().Key("card").String(CardinalityName(matching.cardinality));
  json.Key("fillValues").BeginObject();
  WriteFill(json, "lhs", matching.fill_left);
  WriteFill(json, "rhs", matching.fill_right);
  json.EndObject();
  json.Key("include");
  WriteNames(json, matching.include);
  json.Key("labels");
  WriteNames(json, matching.labels);
  json.Key("on").Bool(matching.on).EndObject();
}

void WriteBinary(JsonWriter& json, const BinaryExpr& expr) {
  json.BeginObject().Key("bool").Bool(expr.return_bool).Key("lhs");
  WriteAst(json, *expr.lhs);
  json.Key("matching");
  WriteMatching(json, expr);
  json.Key("op").String(BinaryOpText(expr.op)).Key("rhs");
  WriteAst(json, *expr.rhs);
  json.Key("type").String("binaryExpr").EndObject();
}

void WriteCall(JsonWriter& json, const CallExpr& expr) {
  json.BeginObject().Key("args").BeginArray();
  for (const ExprPtr& arg : expr.args) WriteAst(json, *arg);
  json.EndArray().Key("func").BeginObject().Key("argTypes").BeginArray();
  for (const ValueType type : expr.function.arg_types) json.String(ValueTypeName(type));
  json.EndArray().Key("name").String(expr.function.name);
  json.Key("returnType").String(ValueTypeName(expr.function.return_type));
  json.Key("variadic").Int(expr.function.variadic).EndObject();
  json.Key("type").String("call").EndObject();
}

void WriteSubquery(JsonWriter& json, const SubqueryExpr& expr) {
  json.BeginObject().Key("expr");
  WriteAst(json, *expr.expr);
  json.Key("offset").Int(expr.time.offset_ms);
  WriteDuration(json, "offsetExpr", expr.time.offset_expr);
  json.Key("range").Int(expr.range_ms);
  WriteDuration(json, "rangeExpr", expr.range_expr);
  WriteStartOrEnd(json, expr.time.at);
  json.Key("step").Int(expr.step_ms);
  WriteDuration(json, "stepExpr", expr.step_expr);
  WriteTimestamp(json, expr.time.at);
  json.Key("type").String("subquery").EndObject();
}

}  // namespace

void WriteAst(JsonWriter& json, const Expr& expr) {
  switch (expr.kind()) {
    case ExprKind::kAggregate:
      return WriteAggregate(json, As<AggregateExpr>(expr));
    case ExprKind::kBinary:
      return WriteBinary(json, As<BinaryExpr>(expr));
    case ExprKind::kCall:
      return WriteCall(json, As<CallExpr>(expr));
    case ExprKind::kMatrixSelector: {
      const auto& matrix = As<MatrixSelector>(expr);
      return WriteSelector(json, *matrix.selector, &matrix);
    }
    case ExprKind::kNumber:
      json.BeginObject().Key("type").String("numberLiteral");
      json.Key("val").String(base::FormatFloatF(As<NumberLiteral>(expr).value)).EndObject();
      return;
    case ExprKind::kParen:
      json.BeginObject().Key("expr");
      WriteAst(json, *As<ParenExpr>(expr).expr);
      json.Key("type").String("parenExpr").EndObject();
      return;
    case ExprKind::kString:
      json.BeginObject().Key("type").String("stringLiteral");
      json.Key("val").String(As<StringLiteral>(expr).value).EndObject();
      return;
    case ExprKind::kSubquery:
      return WriteSubquery(json, As<SubqueryExpr>(expr));
    case ExprKind::kUnary: {
      const auto& unary = As<UnaryExpr>(expr);
      json.BeginObject().Key("expr");
      WriteAst(json, *unary.expr);
      json.Key("op").String(unary.negative ? "-" : "+").Key("type").String("unaryExpr").EndObject();
      return;
    }
    case ExprKind::kVectorSelector:
      return WriteSelector(json, As<VectorSelector>(expr), nullptr);
  }
}

}  // namespace azexporter::web
