#pragma once

// The values of literals as a query writes them, and errors that name their place.
// Semantics: Go's strconv.ParseInt(base 0), ParseFloat and Unquote.

#include <string>
#include <string_view>

#include "azexporter/base/result.h"
#include "azexporter/promql/ast.h"

namespace azexporter::promql {

// Times that are still safe to add offsets and ranges to, ms either side of 1970.
inline constexpr double kMaxTimeMs = 4e18;

// A NUMBER or DURATION token; a duration is in seconds.
base::Result<double> NumberValue(std::string_view text, bool is_duration);

// A STRING token that the lexer accepted, quotes included.
std::string Unquote(std::string_view quoted);

// As Go quotes it: "a\"b".
std::string Quoted(std::string_view text);

// kBadData "1:5: parse error: message"; "unknown position: ..." where the query is empty.
tl::unexpected<base::Error> ParseErrorAt(std::string_view query, const PositionRange& position,
                                         std::string_view message);

}  // namespace azexporter::promql
