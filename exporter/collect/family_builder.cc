#include "family_builder.h"

#include <map>

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

Ground GroundOf(const zones::ZoneReport& report, const zones::SourceStatus& optional_source) {
  Ground ground;
  ground.known = report.nodes.known && report.pods.known && optional_source.known;
  for (const zones::SourceStatus* source : {&report.nodes, &report.pods, &optional_source}) {
    if (source == &optional_source && source->absent) continue;
    if (!ground.fault) ground.fault = FaultOf(*source);
  }
  return ground;
}

std::string ResourceLabel(std::string_view resource) {
  std::string label(resource);
  for (char& c : label) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!kept) c = '_';
  }
  return label;
}

void AddResources(FamilyBuilder& family, std::string_view zone, const kube::Resources& resources) {
  // Names that come out alike are added up: no series may be there twice.
  std::map<std::string, double> amounts = {{"cpu", static_cast<double>(resources.cpu_milli) / 1000},
                                           {"memory", static_cast<double>(resources.memory_bytes)},
                                           {"pods", static_cast<double>(resources.pods)}};
  for (const auto& [name, amount] : resources.others) {
    amounts[ResourceLabel(name)] += static_cast<double>(amount);
  }
  for (const auto& [name, amount] : amounts) family.Add({zone, name}, amount);
}

}  // namespace azexporter::collect
