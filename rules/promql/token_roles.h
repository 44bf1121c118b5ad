#pragma once

// What a token may stand for in the grammar: an operator of some precedence, a name, a sign.

#include "azexporter/model/matcher.h"
#include "lexer.h"

namespace azexporter::promql {

// 1 (or) to 6 (^); the higher binds the stronger.
int Precedence(BinaryOp op);
inline constexpr int kUnaryPrecedence = 5;  // as '*'
inline constexpr int kPowPrecedence = 6;

bool IsPlusOrMinus(const Token& token);

// =, !=, =~, !~ inside braces.
bool IsMatchOp(const Token& token);
// REQUIRES: IsMatchOp(op).
model::MatchType MatchTypeOf(const Token& op);

// Words that carry a meaning elsewhere may name a metric too, but for a few.
bool IsMetricName(const Token& token);
// Within by (...), on (...) and the like.
bool IsLabelName(const Token& token);

// Whether the token may begin an expression.
bool StartsExpr(const Token& token);

}  // namespace azexporter::promql
