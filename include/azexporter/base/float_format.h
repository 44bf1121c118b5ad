#pragma once

// Numbers as text, free of the locale. The shortest text that reads back as the same double.

#include <string>
#include <string_view>

#include "azexporter/base/result.h"

namespace azexporter::base {

// "1", "0.1", "1000000", "1e+21", "1.5e-07", "+Inf", "-Inf", "NaN": exponent form below 1e-4 and
// from 1e21 up, as JSON numbers are written. Used on /metrics, in JSON and in printed PromQL.
std::string FormatFloatG(double value);
void AppendFloatG(std::string& out, double value);

// As Prometheus's JSON API and templates, FormatFloat(v, 'f', -1, 64): never an exponent.
// "1000000", "0.00000015", "+Inf", "NaN".
std::string FormatFloatF(double value);

// The whole text must be a number: decimal, hexadecimal (0x1F, 0x1p-2), Inf or NaN in any case,
// with an optional sign. Too large reads as infinity, too small as zero. kBadData otherwise.
Result<double> ParseFloat(std::string_view text);

}  // namespace azexporter::base
