#pragma once

// Syntax tree to text, in Prometheus's normal form: ParseExpr(Print(e)) prints as Print(e) again.
//
// Thread safety: may be called from any thread.
// Semantics: prometheus/promql/parser/printer.go.

#include <string>

#include "azexporter/promql/ast.h"

namespace azexporter::promql {

// On one line.
std::string Print(const Expr& expr);

}  // namespace azexporter::promql
