#include "token_roles.h"

namespace azexporter::promql {

int Precedence(BinaryOp op) {
  switch (op) {
    case BinaryOp::kOr:
      return 1;
    case BinaryOp::kAnd:
    case BinaryOp::kUnless:
      return 2;
    case BinaryOp::kEqual:
    case BinaryOp::kNotEqual:
    case BinaryOp::kLess:
    case BinaryOp::kLessOrEqual:
    case BinaryOp::kGreater:
    case BinaryOp::kGreaterOrEqual:
    case BinaryOp::kTrimUpper:
    case BinaryOp::kTrimLower:
      return 3;
    case BinaryOp::kAdd:
    case BinaryOp::kSub:
      return 4;
    case BinaryOp::kMul:
    case BinaryOp::kDiv:
    case BinaryOp::kMod:
    case BinaryOp::kAtan2:
      return kUnaryPrecedence;
    case BinaryOp::kPow:
      return kPowPrecedence;
  }
  return 0;
}

bool IsPlusOrMinus(const Token& token) {
  return token.kind == TokenKind::kBinaryOp &&
         (token.op == BinaryOp::kAdd || token.op == BinaryOp::kSub);
}

bool IsMatchOp(const Token& token) {
  return token.kind == TokenKind::kAssign || token.kind == TokenKind::kEqualRegex ||
         token.kind == TokenKind::kNotEqualRegex ||
         (token.kind == TokenKind::kBinaryOp && token.op == BinaryOp::kNotEqual);
}

model::MatchType MatchTypeOf(const Token& op) {
  switch (op.kind) {
    case TokenKind::kEqualRegex:
      return model::MatchType::kRegexp;
    case TokenKind::kNotEqualRegex:
      return model::MatchType::kNotRegexp;
    case TokenKind::kBinaryOp:
      return model::MatchType::kNotEqual;
    default:
      return model::MatchType::kEqual;
  }
}

bool IsMetricName(const Token& token) {
  switch (token.kind) {
    case TokenKind::kIdentifier:
    case TokenKind::kMetricIdentifier:
    case TokenKind::kAggregator:
    case TokenKind::kExperimentalAggregator:
    case TokenKind::kAnchored:
    case TokenKind::kBy:
    case TokenKind::kFill:
    case TokenKind::kFillLeft:
    case TokenKind::kFillRight:
    case TokenKind::kOffset:
    case TokenKind::kSmoothed:
    case TokenKind::kWithout:
    case TokenKind::kStart:
    case TokenKind::kEnd:
    case TokenKind::kStep:
    case TokenKind::kRange:
    case TokenKind::kMaxOf:
    case TokenKind::kMinOf:
      return true;
    case TokenKind::kBinaryOp:
      return IsSetOp(token.op);
    default:
      return false;
  }
}

bool IsLabelName(const Token& token) {
  switch (token.kind) {
    case TokenKind::kWithout:
      return false;
    case TokenKind::kBool:
    case TokenKind::kGroupLeft:
    case TokenKind::kGroupRight:
    case TokenKind::kIgnoring:
    case TokenKind::kOn:
      return true;
    case TokenKind::kBinaryOp:
      return IsSetOp(token.op) || token.op == BinaryOp::kAtan2;
    default:
      return IsMetricName(token);
  }
}

bool StartsExpr(const Token& token) {
  switch (token.kind) {
    case TokenKind::kNumber:
    case TokenKind::kDuration:
    case TokenKind::kString:
    case TokenKind::kLeftParen:
    case TokenKind::kLeftBrace:
      return true;
    default:
      return IsMetricName(token) || IsPlusOrMinus(token);
  }
}

}  // namespace azexporter::promql
