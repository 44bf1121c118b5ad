#pragma once

// One side of a histogram laid out flat: every bucket with its index. Arithmetic works on this;
// spans come back at the end. Private to `model`.
//
// Thread safety: pure functions.

#include <cstdint>
#include <limits>
#include <vector>

#include "azexporter/model/histogram.h"

namespace azexporter::model {

struct Cell {
  std::int32_t index = 0;
  double count = 0;
  double lost = 0;  // what rounding has lost of the count so far
};
using Cells = std::vector<Cell>;

// value += increment, and what rounding loses of it to `lost`.
// Semantics: prometheus/util/kahansum (Neumaier's form).
void KahanAdd(double increment, double& value, double& lost);

// `lost`: null, or a side of the same layout.
Cells ToCells(const BucketCounts& side, const BucketCounts* lost = nullptr);
void FromCells(const Cells& cells, BucketCounts& side, BucketCounts* lost = nullptr);

// The index of the bucket of a coarser schema that a bucket falls into.
std::int32_t CoarserIndex(std::int32_t index, std::int32_t from, std::int32_t to);
// Merges buckets of schema `from` into those of `to`, in order of their index.
Cells Coarser(const Cells& cells, std::int32_t from, std::int32_t to, bool compensated);

}  // namespace azexporter::model
