#pragma once

// Functions of native histograms alone. Private to `promql`; HistogramFunctions() has them too.

#include "function_body.h"

namespace azexporter::promql {

std::vector<Function> NativeHistogramFunctions();

}  // namespace azexporter::promql
