#pragma once

// The families about remote write as a sender. Private to `collect`.
//
// Thread safety: pure functions.

#include <functional>
#include <string>
#include <vector>

#include "azexporter/collect/self_metrics.h"
#include "azexporter/model/metric_family.h"

namespace azexporter::collect {

using DescOf = std::function<const model::MetricDesc*(const std::string& name)>;

// With the series of each server. `desc_of` knows every family.
std::vector<model::MetricFamily> RemoteStorageFamilies(
    const std::vector<RemoteStorageCounts>& servers, const DescOf& desc_of);

}  // namespace azexporter::collect
