#pragma once

// Where an answer goes row by row while its label sets are still symbols of the query. Who writes
// it out at once, as the HTTP API does, need not make Labels of them first.
//
// Thread safety: one thread only.

#include <cstddef>
#include <span>

#include "azexporter/model/histogram.h"
#include "azexporter/model/label_view.h"
#include "azexporter/model/sample.h"
#include "azexporter/promql/value.h"

namespace azexporter::promql {

// What comes is one of: a Scalar, a String, a vector (BeginVector, then its samples), a matrix
// (BeginMatrix, then its series). Nothing comes of a query that failed.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  virtual void Take(const Scalar& scalar) = 0;
  virtual void Take(const String& string) = 0;
  // `most`: how many rows there may be.
  virtual void BeginVector(std::size_t most) = 0;
  virtual void BeginMatrix(std::size_t most) = 0;
  // The labels and points are those of the query: not to be kept. A sample is a float or a native
  // histogram.
  virtual void Add(const model::LabelView& labels, const model::FPoint& point) = 0;
  virtual void Add(const model::LabelView& labels, const model::HPoint& point) = 0;
  // At least one point or histogram, both in order of time.
  virtual void Add(const model::LabelView& labels, std::span<const model::FPoint> points,
                   std::span<const model::HPoint> histograms) = 0;
};

}  // namespace azexporter::promql
