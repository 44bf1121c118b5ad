#pragma once

// Kahan summation in Neumaier's form: a sum with a running compensation of what rounding lost.
// Semantics: prometheus/util/kahansum.

#include <cmath>

namespace azexporter::promql {

struct KahanSum {
  double sum = 0;
  double compensation = 0;

  void Add(double value) {
    const double total = sum + value;
    if (std::isinf(total)) {
      compensation = 0;
    } else if (std::abs(sum) >= std::abs(value)) {
      compensation += (sum - total) + value;
    } else {
      compensation += (value - total) + sum;
    }
    sum = total;
  }
  double Total() const { return sum + compensation; }
};

// The mean of a sequence. Sums and divides while the sum is finite; a sum that would overflow turns
// to the incremental mean, which does not. Semantics: prometheus/promql/functions.go,
// funcAvgOverTime.
class Mean {
 public:
  void Add(double value) {
    ++count_;
    if (count_ == 1) {
      sum_.sum = value;
      return;
    }
    if (!incremental_) {
      KahanSum next = sum_;
      next.Add(value);
      if (!std::isinf(next.sum)) {
        sum_ = next;
        return;
      }
      incremental_ = true;
      sum_.sum /= count_ - 1;
      sum_.compensation /= count_ - 1;
    }
    const double weight = (count_ - 1) / count_;
    sum_.sum *= weight;
    sum_.compensation *= weight;
    sum_.Add(value / count_);
  }
  bool empty() const { return count_ == 0; }
  // REQUIRES: not empty.
  double Value() const {
    return incremental_ ? sum_.Total() : sum_.sum / count_ + sum_.compensation / count_;
  }

 private:
  KahanSum sum_;  // of the values, or their mean once incremental_
  double count_ = 0;
  bool incremental_ = false;
};

}  // namespace azexporter::promql
