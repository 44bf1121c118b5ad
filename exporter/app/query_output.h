#pragma once

// How `azexporter query` shows its answers. Private to `app`.

#include <string>
#include <string_view>
#include <vector>

#include "azexporter/app/query_command.h"
#include "azexporter/promql/value.h"

namespace azexporter::app {

// A table has a column a label; a line a sample. A range has all of its samples.
std::string FormatValue(const promql::Value& value, QueryOutput output);
std::string FormatSeries(const std::vector<model::Labels>& series, QueryOutput output);
// A line a text; `header` is the first line of CSV.
std::string FormatTexts(const std::vector<std::string>& texts, std::string_view header,
                        QueryOutput output);

// The line of `expr` that an error "LINE:COLUMN: parse error: ..." is about, with a caret under the
// place; "" where the error names none.
std::string CaretText(const std::string& expr, const std::string& message);

}  // namespace azexporter::app
