// Selectors, and the lists of label names that modifiers carry.

#include "literals.h"
#include "parser_impl.h"
#include "token_roles.h"

namespace azexporter::promql {

using base::Result;

Result<std::vector<std::string>> Parser::ParseLabelNames() {
  if (!Is(TokenKind::kLeftParen)) return Unexpected("grouping opts", "\"(\"");
  Advance();
  std::vector<std::string> names;
  while (!Take(TokenKind::kRightParen)) {
    if (IsLabelName(token_)) {
      names.emplace_back(token_.text);
    } else if (Is(TokenKind::kString)) {
      names.push_back(Unquote(token_.text));
      if (names.back().empty()) {
        return ParseErrorAt(query_, token_.position, "invalid label name for grouping: \"\"");
      }
    } else {
      return Unexpected("grouping opts", "label");
    }
    Advance();
    if (!Take(TokenKind::kComma) && !Is(TokenKind::kRightParen)) {
      return Unexpected("grouping opts", "\",\" or \")\"");
    }
  }
  return names;
}

Result<std::unique_ptr<VectorSelector>> Parser::ParseSelector(const Token* name) {
  const PositionRange begin = name != nullptr ? name->position : token_.position;
  std::vector<model::Matcher> matchers;
  if (Is(TokenKind::kLeftBrace)) {
    AZX_ASSIGN_OR_RETURN(matchers, ParseMatchers());
  }
  std::string metric;
  if (name != nullptr) {
    metric = std::string(name->text);
    AZX_ASSIGN_OR_RETURN(
        model::Matcher by_name,
        model::Matcher::Create(model::MatchType::kEqual, std::string(model::kMetricName), metric));
    matchers.push_back(std::move(by_name));
  }
  return std::make_unique<VectorSelector>(Span(begin, last_end_), std::move(metric),
                                          std::move(matchers));
}

Result<std::vector<model::Matcher>> Parser::ParseMatchers() {
  Advance();  // '{'
  std::vector<model::Matcher> matchers;
  while (!Take(TokenKind::kRightBrace)) {
    AZX_ASSIGN_OR_RETURN(model::Matcher matcher, ParseMatcher());
    matchers.push_back(std::move(matcher));
    if (!Take(TokenKind::kComma) && !Is(TokenKind::kRightBrace)) {
      return Unexpected("label matching", "\",\" or \"}\"");
    }
  }
  return matchers;
}

Result<model::Matcher> Parser::ParseMatcher() {
  const Token name = token_;
  const bool quoted = Is(TokenKind::kString);
  if (!quoted && !Is(TokenKind::kIdentifier)) {
    return Unexpected("label matching", "identifier or \"}\"");
  }
  Advance();
  if (!IsMatchOp(token_)) {
    if (!quoted) return Unexpected("label matching", "label matching operator");
    return model::Matcher::Create(model::MatchType::kEqual, std::string(model::kMetricName),
                                  Unquote(name.text));
  }
  const model::MatchType type = MatchTypeOf(token_);
  Advance();
  if (!Is(TokenKind::kString)) return Unexpected("label matching", "string");
  auto matcher = model::Matcher::Create(type, quoted ? Unquote(name.text) : std::string(name.text),
                                        Unquote(token_.text));
  if (!matcher) return ParseErrorAt(query_, name.position, matcher.error().message());
  Advance();
  return matcher;
}

Result<std::unique_ptr<VectorSelector>> Parser::WholeSelector() {
  const Token name = token_;
  const bool named = IsMetricName(name);
  if (named) Advance();
  if (!named && !Is(TokenKind::kLeftBrace)) return UnexpectedHere();
  AZX_ASSIGN_OR_RETURN(auto selector, ParseSelector(named ? &name : nullptr));
  AZX_RETURN_IF_ERROR(ExpectEnd());
  return selector;
}

Result<void> Parser::ParseLabel(model::LabelsBuilder& labels) {
  const Token name = token_;
  const bool quoted = Is(TokenKind::kString);
  if (!quoted && !Is(TokenKind::kIdentifier)) {
    return Unexpected("label set", "identifier or \"}\"");
  }
  Advance();
  if (!Is(TokenKind::kAssign)) {
    if (!quoted) return Unexpected("label set", "\"=\"");
    labels.Set(model::kMetricName, Unquote(name.text));
    return {};
  }
  Advance();
  if (!Is(TokenKind::kString)) return Unexpected("label set", "string");
  labels.Set(quoted ? Unquote(name.text) : name.text, Unquote(token_.text));
  Advance();
  return {};
}

Result<model::Labels> Parser::WholeMetric() {
  model::LabelsBuilder labels;
  std::string_view name;
  if (IsMetricName(token_)) {
    name = token_.text;
    Advance();
  } else if (!Is(TokenKind::kLeftBrace)) {
    return UnexpectedHere();
  }
  if (Take(TokenKind::kLeftBrace)) {
    while (!Take(TokenKind::kRightBrace)) {
      AZX_RETURN_IF_ERROR(ParseLabel(labels));
      if (!Take(TokenKind::kComma) && !Is(TokenKind::kRightBrace)) {
        return Unexpected("label set", "\",\" or \"}\"");
      }
    }
  }
  AZX_RETURN_IF_ERROR(ExpectEnd());
  if (!name.empty()) labels.Set(model::kMetricName, name);
  return labels.Build();
}

}  // namespace azexporter::promql
