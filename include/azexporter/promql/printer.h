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

// For people: an expression of more than 100 bytes is broken into indented lines, and its parts in
// turn. Semantics: prometheus/promql/parser/prettier.go.
std::string Pretty(const Expr& expr);

}  // namespace azexporter::promql
