#pragma once

// Numbers as templates write them. Private to `rules`.
//
// Thread safety: pure functions.

#include <cstdint>
#include <optional>
#include <string_view>

#include "azexporter/base/result.h"

namespace azexporter::rules::text_template {

// A constant. 3 is whole; 3e0 is both, and a float where nothing else is asked for.
struct NumberLiteral {
  std::optional<std::int64_t> whole;
  double number = 0;
  bool is_float = false;
};

// A number or a character in quotes. kBadData: no number, or too large a whole one.
base::Result<NumberLiteral> ReadNumber(std::string_view text);

// strconv.ParseFloat, with its errors: `strconv.ParseFloat: parsing "x": invalid syntax`.
base::Result<double> ParseFloat(std::string_view text);

}  // namespace azexporter::rules::text_template
