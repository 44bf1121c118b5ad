#pragma once

// What the collectors share in making families. Private to `collect`.

#include <initializer_list>
#include <optional>
#include <string>
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

// What a collector stands on that reads the namespaces' reports: nodes and pods, without which
// there are none, and one optional source.
struct Ground {
  bool known = false;                // else there is nothing to show
  std::optional<base::Error> fault;  // none where nobody was asked for the optional source
};
Ground GroundOf(const zones::ZoneReport& report, const zones::SourceStatus& optional_source);

// A resource's name as kube-state-metrics writes it in labels: "nvidia_com_gpu".
std::string ResourceLabel(std::string_view resource);

// The amounts of a zone by resource: cpu in cores, memory in bytes, pods, and the others. `family`
// has the labels zone and resource.
void AddResources(FamilyBuilder& family, std::string_view zone, const kube::Resources& resources);

}  // namespace azexporter::collect
