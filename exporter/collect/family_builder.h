#pragma once

// What the collectors share in making families. Private to `collect`.

#include <initializer_list>
#include <string_view>

#include "azexporter/collect/collector.h"

namespace azexporter::collect {

// A family of `desc`, filled row by row; values of labels stand in the order of desc.label_names.
// An empty value drops its label.
class FamilyBuilder {
 public:
  explicit FamilyBuilder(const model::MetricDesc& desc) { family_.desc = &desc; }

  void Add(std::initializer_list<std::string_view> values, double value);
  void Add(std::initializer_list<std::string_view> values, model::HistogramValue histogram);
  model::MetricFamily Take() { return std::move(family_); }

 private:
  model::Labels MakeLabels(std::initializer_list<std::string_view> values) const;

  model::MetricFamily family_;
};

// The fault of a collector that stands on `source`, none where it is well.
std::optional<base::Error> FaultOf(const zones::SourceStatus& source);

}  // namespace azexporter::collect
