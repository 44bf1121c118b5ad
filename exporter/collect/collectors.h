#pragma once

// The rows that collector_table.cc puts together. Private to `collect`.

#include "azexporter/collect/collector.h"

namespace azexporter::collect {

const Collector& BudgetsCollector();
const Collector& NodeLeasesCollector();
const Collector& NodesCollector();
const Collector& PodsCollector();
const Collector& PolicyCollector();
const Collector& PostgresCollector();
const Collector& ProbesCollector();
const Collector& RedisCollector();
const Collector& ServicesCollector();
const Collector& SpreadCollector();
const Collector& VolumesCollector();
const Collector& WorkloadsCollector();
const Collector& ZoneLossCollector();
const Collector& ZonesCollector();

}  // namespace azexporter::collect
