#include "family_builder.h"

#include "azexporter/base/check.h"

namespace azexporter::collect {

model::Labels FamilyBuilder::MakeLabels(std::initializer_list<std::string_view> values) const {
  AZX_CHECK(values.size() == family_.desc->label_names.size(), family_.desc->name);
  std::vector<model::Label> labels;
  labels.reserve(values.size());
  std::size_t i = 0;
  for (std::string_view value : values) labels.push_back({family_.desc->label_names[i++], value});
  return model::Labels::Of(std::move(labels));
}

void FamilyBuilder::Add(std::initializer_list<std::string_view> values, double value) {
  family_.metrics.push_back({MakeLabels(values), value});
}

void FamilyBuilder::Add(std::initializer_list<std::string_view> values,
                        model::HistogramValue histogram) {
  family_.histograms.push_back({MakeLabels(values), std::move(histogram)});
}

std::optional<base::Error> FaultOf(const zones::SourceStatus& source) {
  if (source.known && !source.failing) return std::nullopt;
  return base::Error(base::ErrorCode::kUnavailable, source.error);
}

}  // namespace azexporter::collect
