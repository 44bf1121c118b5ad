#pragma once

// The syntax tree of a query as JSON, for /api/v1/parse_query. Private to `web`.
// Source: prometheus/web/api/v1/translate_ast.go. The keys of an object are in alphabetical order,
// as Go writes a map.

#include "azexporter/base/json_writer.h"
#include "azexporter/promql/ast.h"

namespace azexporter::web {

void WriteAst(base::JsonWriter& json, const promql::Expr& expr);

}  // namespace azexporter::web
