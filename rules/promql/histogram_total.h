#pragma once

// Sums and means of native histograms, with what rounding loses made up for.
//
// Thread safety: thread-compatible.
// Semantics: prometheus/promql/functions.go, funcSumOverTime and funcAvgOverTime.

#include <memory>
#include <optional>

#include "azexporter/model/histogram.h"

namespace azexporter::promql {

class HistogramTotal {
 public:
  // Of a mean rather than a sum.
  explicit HistogramTotal(bool mean = false) : mean_(mean) {}

  // False where its buckets do not go together with those before: from then on nothing counts.
  bool Add(const model::FloatHistogram& histogram);
  bool empty() const { return count_ == 0; }
  bool incompatible() const { return incompatible_; }
  // Some histograms said that the counter was reset, others that it was not.
  bool reset_collision() const { return reset_seen_ && not_reset_seen_; }
  bool bounds_reconciled() const { return bounds_reconciled_; }
  // Compact. REQUIRES: not empty, not incompatible.
  model::FloatHistogram Value() const;

 private:
  bool AddTo(model::FloatHistogram& total, std::unique_ptr<model::FloatHistogram>& lost,
             const model::FloatHistogram& histogram);
  bool AddToMean(const model::FloatHistogram& histogram);

  bool mean_;
  double count_ = 0;
  // Of all so far; their mean once incremental_, since the sum would overflow.
  model::FloatHistogram total_;
  std::unique_ptr<model::FloatHistogram> lost_;  // what rounding has lost of it
  bool incremental_ = false;
  bool incompatible_ = false;
  bool reset_seen_ = false;
  bool not_reset_seen_ = false;
  bool bounds_reconciled_ = false;
};

}  // namespace azexporter::promql
