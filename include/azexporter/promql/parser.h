#pragma once

// Text to syntax tree. What Prometheus 3 accepts is accepted, what it refuses is refused, with its
// message: "1:5: parse error: unexpected end of input" (line:column of the fault, 1-based).
//
// Thread safety: the functions may be called from any thread.
// Semantics: prometheus/promql/parser/{lex.go,generated_parser.y,parse.go}.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/model/labels.h"
#include "azexporter/model/matcher.h"
#include "azexporter/promql/ast.h"

namespace azexporter::promql {

// What Prometheus refuses unless a feature is asked for.
struct ParserOptions {
  bool experimental_functions = false;    // and aggregators: limitk, limit_ratio
  bool extended_range_selectors = false;  // anchored, smoothed
  bool fill_modifiers = false;            // fill, fill_left, fill_right

  static ParserOptions All() { return {true, true, true}; }
};

// A whole expression, type-checked. kBadData otherwise.
base::Result<std::shared_ptr<const Expr>> ParseExpr(std::string_view query,
                                                    const ParserOptions& options = {});

// For people: the line of `query` that an error of ParseExpr, or an annotation, is about, and below
// it a caret under the fault. The place is what `message` begins with ("1:5: ...") or ends with
// ("... (1:5)"); "" where it names none.
std::string ShowPlace(std::string_view query, std::string_view message);

// A selector alone, as `match[]=` of the HTTP API: up{zone="a"}. kBadData otherwise, and when every
// matcher would accept an empty value.
base::Result<std::vector<model::Matcher>> ParseMetricSelector(std::string_view text);

// A series: up{zone="a"} or {zone="a"} or {"utf-8 name"}; only '=' is allowed. kBadData otherwise.
base::Result<model::Labels> ParseMetric(std::string_view text);

}  // namespace azexporter::promql
