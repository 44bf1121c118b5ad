#include "histogram_total.h"

namespace azexporter::promql {

using model::FloatHistogram;

bool HistogramTotal::AddTo(FloatHistogram& total, std::unique_ptr<FloatHistogram>& lost,
                           const FloatHistogram& histogram) {
  const auto notes = total.AddCompensated(histogram, lost);
  if (!notes) {
    incompatible_ = true;
    return false;
  }
  bounds_reconciled_ = bounds_reconciled_ || notes->bounds_reconciled;
  return true;
}

bool HistogramTotal::AddToMean(const FloatHistogram& histogram) {
  if (!incremental_) {
    FloatHistogram sum = total_;
    auto lost = lost_ == nullptr ? nullptr : std::make_unique<FloatHistogram>(*lost_);
    if (!AddTo(sum, lost, histogram)) return false;
    if (!sum.HasOverflow()) {
      total_ = std::move(sum);
      lost_ = std::move(lost);
      return true;
    }
    incremental_ = true;
    total_.Div(count_ - 1);
    if (lost_ != nullptr) lost_->Div(count_ - 1);
  }
  const double weight = (count_ - 1) / count_;
  if (lost_ != nullptr) lost_->Mul(weight);
  total_.Mul(weight);
  FloatHistogram share = histogram;
  share.Div(count_);
  return AddTo(total_, lost_, share);
}

bool HistogramTotal::Add(const FloatHistogram& histogram) {
  if (incompatible_) return false;
  ++count_;
  reset_seen_ = reset_seen_ || histogram.hint == model::CounterResetHint::kReset;
  not_reset_seen_ = not_reset_seen_ || histogram.hint == model::CounterResetHint::kNotReset;
  if (count_ == 1) {
    total_ = histogram;
    return true;
  }
  return mean_ ? AddToMean(histogram) : AddTo(total_, lost_, histogram);
}

FloatHistogram HistogramTotal::Value() const {
  FloatHistogram value = total_;
  const bool divide = mean_ && !incremental_;
  if (divide) value.Div(count_);
  if (lost_ != nullptr) {
    FloatHistogram lost = *lost_;
    if (divide) lost.Div(count_);
    value.Add(lost);
  }
  value.Compact();
  return value;
}

}  // namespace azexporter::promql
