// Arithmetic of native histograms, and the comparison with the one before.

#include <algorithm>
#include <cmath>
#include <iterator>

#include "azexporter/base/check.h"
#include "azexporter/model/histogram.h"
#include "histogram_cells.h"

namespace azexporter::model {
namespace {

// What both hints leave to be said; whether they contradict each other.
bool MergeHints(CounterResetHint& hint, CounterResetHint other) {
  if (hint == other || hint == CounterResetHint::kGauge) return false;
  if (other == CounterResetHint::kGauge) {
    hint = CounterResetHint::kGauge;
    return false;
  }
  const bool both_known = hint != CounterResetHint::kUnknown && other != CounterResetHint::kUnknown;
  hint = CounterResetHint::kUnknown;
  return both_known;
}

// --- zero buckets

struct ZeroBucket {
  double threshold = 0;
  double count = 0;
  double lost = 0;
};

// Adds the buckets of one side that begin within the threshold. True: the threshold had to be
// raised to the end of a bucket that it fell into, so that all is to be counted anew.
bool SwallowSide(const Cells& cells, std::int32_t schema, double& threshold, double& count,
                 double& lost) {
  for (const Cell& cell : cells) {
    if (ExponentialBound(cell.index - 1, schema) >= threshold) return false;
    KahanAdd(cell.count, count, lost);
    KahanAdd(cell.lost, count, lost);
    const double upper = ExponentialBound(cell.index, schema);
    if (upper <= threshold) continue;
    if (cell.count == 0) return false;
    threshold = upper;
    return true;
  }
  return false;
}

// The zero bucket that a histogram has once it is made at least as wide as `threshold`.
ZeroBucket WiderZero(const FloatHistogram& histogram, double threshold,
                     const FloatHistogram* lost) {
  const double lost_zero = lost == nullptr ? 0 : lost->zero_count;
  if (threshold == histogram.zero_threshold) return {threshold, histogram.zero_count, lost_zero};
  const Cells positive = ToCells(histogram.positive, lost == nullptr ? nullptr : &lost->positive);
  const Cells negative = ToCells(histogram.negative, lost == nullptr ? nullptr : &lost->negative);
  for (;;) {
    ZeroBucket zero{threshold, histogram.zero_count, lost_zero};
    SwallowSide(positive, histogram.schema, zero.threshold, zero.count, zero.lost);
    threshold = zero.threshold;
    const bool again = SwallowSide(negative, histogram.schema, threshold, zero.count, zero.lost);
    if (!again) return zero;
  }
}

void DropWithin(Cells& cells, std::int32_t schema, double threshold) {
  const auto kept = std::ranges::find_if(cells, [&](const Cell& cell) {
    return ExponentialBound(cell.index - 1, schema) >= threshold;
  });
  cells.erase(cells.begin(), kept);
}

// Takes the wider zero bucket, and the buckets within it away.
void SetZero(FloatHistogram& histogram, const ZeroBucket& zero, FloatHistogram* lost) {
  histogram.zero_threshold = zero.threshold;
  histogram.zero_count = zero.count;
  if (lost != nullptr) lost->zero_count = zero.lost;
  const auto drop = [&](BucketCounts& side, BucketCounts* lost_side) {
    Cells cells = ToCells(side, lost_side);
    DropWithin(cells, histogram.schema, zero.threshold);
    FromCells(cells, side, lost_side);
  };
  drop(histogram.positive, lost == nullptr ? nullptr : &lost->positive);
  drop(histogram.negative, lost == nullptr ? nullptr : &lost->negative);
}

// Makes both zero buckets equally wide: `histogram` itself is changed, of `other` the zero bucket
// is returned.
ZeroBucket ReconcileZero(FloatHistogram& histogram, const FloatHistogram& other,
                         FloatHistogram* lost) {
  ZeroBucket theirs{other.zero_threshold, other.zero_count, 0};
  while (theirs.threshold != histogram.zero_threshold) {
    if (histogram.zero_threshold > theirs.threshold) {
      theirs = WiderZero(other, histogram.zero_threshold, nullptr);
    }
    if (theirs.threshold > histogram.zero_threshold) {
      SetZero(histogram, WiderZero(histogram, theirs.threshold, lost), lost);
    }
  }
  return theirs;
}

// --- buckets

// a + b, bucket by bucket.
Cells Merge(const Cells& a, const Cells& b, bool compensated) {
  Cells merged;
  merged.reserve(a.size() + b.size());
  auto left = a.begin();
  for (const Cell& cell : b) {
    while (left != a.end() && left->index < cell.index) merged.push_back(*left++);
    if (left == a.end() || left->index != cell.index) {
      merged.push_back(cell);
      continue;
    }
    Cell sum = *left++;
    if (compensated) {
      KahanAdd(cell.count, sum.count, sum.lost);
      if (cell.lost != 0) KahanAdd(cell.lost, sum.count, sum.lost);
    } else {
      sum.count += cell.count;
    }
    merged.push_back(sum);
  }
  merged.insert(merged.end(), left, a.end());
  return merged;
}

void Negate(Cells& cells) {
  for (Cell& cell : cells) {
    cell.count = -cell.count;
    cell.lost = -cell.lost;
  }
}

// The buckets of custom bounds, added up into those of fewer bounds.
Cells Rebucket(const Cells& cells, const std::vector<double>& bounds,
               const std::vector<double>& fewer) {
  Cells sums(fewer.size() + 1);
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i].index = static_cast<std::int32_t>(i);
  for (const Cell& cell : cells) {
    std::size_t target = fewer.size();
    const auto at = static_cast<std::size_t>(cell.index);
    if (at < bounds.size()) {
      target =
          static_cast<std::size_t>(std::ranges::lower_bound(fewer, bounds[at]) - fewer.begin());
    }
    KahanAdd(cell.count, sums[target].count, sums[target].lost);
    KahanAdd(cell.lost, sums[target].count, sums[target].lost);
  }
  std::erase_if(sums, [](const Cell& cell) { return cell.count == 0 && cell.lost == 0; });
  return sums;
}

void DropEmpty(BucketCounts& side) {
  Cells cells = ToCells(side);
  std::erase_if(cells, [](const Cell& cell) { return cell.count == 0; });
  FromCells(cells, side);
}

void Scale(BucketCounts& side, double factor) {
  for (double& count : side.counts) count *= factor;
}

// Whether a bucket of `previous` has fallen or is gone.
bool AnyFell(const Cells& previous, const Cells& now) {
  auto at = now.begin();
  for (const Cell& cell : previous) {
    while (at != now.end() && at->index < cell.index) ++at;
    const bool there = at != now.end() && at->index == cell.index;
    if (there ? at->count < cell.count : cell.count != 0) return true;
  }
  return false;
}

Cells SideForReset(const BucketCounts& side, const FloatHistogram& histogram,
                   const FloatHistogram& now) {
  Cells cells = ToCells(side);
  if (now.has_custom_buckets()) return cells;
  cells = Coarser(cells, histogram.schema, now.schema, false);
  std::erase_if(cells, [&](const Cell& cell) {
    return now.zero_threshold > 0 && ExponentialBound(cell.index, now.schema) <= now.zero_threshold;
  });
  return cells;
}

std::vector<double> CommonBounds(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> common;
  std::ranges::set_intersection(a, b, std::back_inserter(common));
  return common;
}

// Up to each bound that both have, no fewer observations may be there than before.
bool CustomFell(const FloatHistogram& previous, const FloatHistogram& now) {
  const std::vector<double> common = CommonBounds(previous.custom_bounds, now.custom_bounds);
  const auto sums = [&](const FloatHistogram& histogram) {
    return Rebucket(ToCells(histogram.positive), histogram.custom_bounds, common);
  };
  return AnyFell(sums(previous), sums(now));
}

}  // namespace

std::optional<CombineNotes> FloatHistogram::Add(const FloatHistogram& other) {
  return Combine(other, 1, nullptr);
}

std::optional<CombineNotes> FloatHistogram::Sub(const FloatHistogram& other) {
  return Combine(other, -1, nullptr);
}

std::optional<CombineNotes> FloatHistogram::AddCompensated(const FloatHistogram& other,
                                                           std::unique_ptr<FloatHistogram>& lost) {
  if (has_custom_buckets() != other.has_custom_buckets()) return std::nullopt;
  if (lost == nullptr) {
    lost = std::make_unique<FloatHistogram>(*this);
    lost->count = lost->sum = lost->zero_count = 0;
    std::ranges::fill(lost->positive.counts, 0);
    std::ranges::fill(lost->negative.counts, 0);
  }
  return Combine(other, 1, lost.get());
}

std::optional<CombineNotes> FloatHistogram::Combine(const FloatHistogram& other, double sign,
                                                    FloatHistogram* lost) {
  if (has_custom_buckets() != other.has_custom_buckets()) return std::nullopt;
  CombineNotes notes;
  notes.reset_collision = MergeHints(hint, other.hint);
  const bool compensated = lost != nullptr;
  const auto add = [&](double& value, double increment, double* lost_value) {
    if (compensated) return KahanAdd(increment, value, *lost_value);
    value += sign * increment;
  };
  if (!has_custom_buckets()) {
    const ZeroBucket theirs = ReconcileZero(*this, other, lost);
    add(zero_count, theirs.count, compensated ? &lost->zero_count : nullptr);
    if (compensated) KahanAdd(theirs.lost, zero_count, lost->zero_count);
  }
  add(count, other.count, compensated ? &lost->count : nullptr);
  add(sum, other.sum, compensated ? &lost->sum : nullptr);

  const bool reconcile = has_custom_buckets() && custom_bounds != other.custom_bounds;
  std::vector<double> common;
  if (reconcile) common = CommonBounds(custom_bounds, other.custom_bounds);
  const std::int32_t target = std::min(schema, other.schema);
  const auto combine = [&](BucketCounts& side, const BucketCounts& theirs,
                           BucketCounts* lost_side) {
    Cells a = ToCells(side, lost_side);
    Cells b = ToCells(theirs);
    if (sign < 0) Negate(b);
    if (reconcile) {
      a = Rebucket(a, custom_bounds, common);
      b = Rebucket(b, other.custom_bounds, common);
    } else if (!has_custom_buckets()) {
      if (target < schema) a = Coarser(a, schema, target, compensated);
      if (target < other.schema) b = Coarser(b, other.schema, target, compensated);
      const auto first = std::ranges::find_if(b, [&](const Cell& cell) {
        return ExponentialBound(cell.index, target) > zero_threshold;
      });
      b.erase(b.begin(), first);
    }
    Cells merged = Merge(a, b, compensated || reconcile);
    if (reconcile) {
      std::erase_if(merged, [](const Cell& cell) { return cell.count == 0 && cell.lost == 0; });
    }
    FromCells(merged, side, lost_side);
  };
  combine(positive, other.positive, compensated ? &lost->positive : nullptr);
  if (!has_custom_buckets()) {
    combine(negative, other.negative, compensated ? &lost->negative : nullptr);
    schema = target;
  }
  if (reconcile) {
    custom_bounds = std::move(common);
    notes.bounds_reconciled = true;
  }
  if (compensated) {
    lost->schema = schema;
    lost->zero_threshold = zero_threshold;
    lost->custom_bounds = custom_bounds;
  }
  return notes;
}

void FloatHistogram::Mul(double factor) {
  zero_count *= factor;
  count *= factor;
  sum *= factor;
  Scale(positive, factor);
  Scale(negative, factor);
  if (factor < 0) hint = CounterResetHint::kGauge;
}

void FloatHistogram::Div(double divisor) {
  zero_count /= divisor;
  count /= divisor;
  sum /= divisor;
  if (divisor == 0) {
    positive = {};
    negative = {};
    return;
  }
  for (double& bucket : positive.counts) bucket /= divisor;
  for (double& bucket : negative.counts) bucket /= divisor;
  if (divisor < 0) hint = CounterResetHint::kGauge;
}

void FloatHistogram::Compact() {
  DropEmpty(positive);
  DropEmpty(negative);
}

void FloatHistogram::ReduceResolution(std::int32_t target) {
  AZX_CHECK(!has_custom_buckets() && target <= schema, "only exponential buckets can be merged");
  if (target == schema) return;
  FromCells(Coarser(ToCells(positive), schema, target, false), positive);
  FromCells(Coarser(ToCells(negative), schema, target, false), negative);
  schema = target;
}

bool FloatHistogram::IsResetAfter(const FloatHistogram& previous) const {
  if (hint == CounterResetHint::kReset) return true;
  if (hint == CounterResetHint::kNotReset) return false;
  if (count < previous.count) return true;
  if (has_custom_buckets()) {
    if (!previous.has_custom_buckets()) return true;
    if (custom_bounds != previous.custom_bounds) return CustomFell(previous, *this);
  } else if (schema > previous.schema || previous.has_custom_buckets()) {
    return true;
  }
  if (zero_threshold < previous.zero_threshold) return true;
  const ZeroBucket zero =
      has_custom_buckets() ? ZeroBucket{} : WiderZero(previous, zero_threshold, nullptr);
  if (zero.threshold != zero_threshold || zero_count < zero.count) return true;
  return AnyFell(SideForReset(previous.positive, previous, *this),
                 SideForReset(positive, *this, *this)) ||
         AnyFell(SideForReset(previous.negative, previous, *this),
                 SideForReset(negative, *this, *this));
}

CounterResetHint HintAfter(const FloatHistogram* previous, const FloatHistogram& next) {
  if (next.hint == CounterResetHint::kGauge) return next.hint;
  if (previous == nullptr || previous->hint == CounterResetHint::kGauge ||
      next.hint == CounterResetHint::kReset) {
    return CounterResetHint::kUnknown;
  }
  const bool same_layout = next.schema == previous->schema &&
                           next.zero_threshold == previous->zero_threshold &&
                           next.custom_bounds == previous->custom_bounds;
  if (!same_layout) return CounterResetHint::kUnknown;
  FloatHistogram plain = next;
  plain.hint = CounterResetHint::kUnknown;
  return plain.IsResetAfter(*previous) ? CounterResetHint::kUnknown : CounterResetHint::kNotReset;
}

}  // namespace azexporter::model
