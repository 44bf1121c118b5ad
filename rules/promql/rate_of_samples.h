#pragma once

// rate and its kin where a series has more than floats: native histograms, times at which counting
// began, or samples beyond the window (anchored, smoothed). functions_rate.cc does the rest.
//
// Thread safety: pure functions, but for RangeArgs::annotations.

#include "function_body.h"

namespace azexporter::promql {

RangeValue ChangesOfSamples(const RangeArgs& args);
RangeValue DeltaOfSamples(const RangeArgs& args);
RangeValue IdeltaOfSamples(const RangeArgs& args);
RangeValue IncreaseOfSamples(const RangeArgs& args);
RangeValue IrateOfSamples(const RangeArgs& args);
RangeValue RateOfSamples(const RangeArgs& args);
RangeValue ResetsOfSamples(const RangeArgs& args);

}  // namespace azexporter::promql
