#pragma once

// The rows that collector_table.cc puts together. Private to `collect`.

#include "azexporter/collect/collector.h"

namespace azexporter::collect {

const Collector& NodesCollector();
const Collector& PodsCollector();
const Collector& PostgresCollector();
const Collector& ProbesCollector();
const Collector& ZonesCollector();

}  // namespace azexporter::collect
