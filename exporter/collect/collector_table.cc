#include "collectors.h"

namespace azexporter::collect {

std::span<const Collector> Collectors() {
  static const std::vector<Collector> kTable = {
      BudgetsCollector(),  NodeLeasesCollector(), NodesCollector(),   PodsCollector(),
      PolicyCollector(),   PostgresCollector(),   ProbesCollector(),  RedisCollector(),
      ServicesCollector(), SpreadCollector(),     VolumesCollector(), WorkloadsCollector(),
      ZoneLossCollector(), ZonesCollector()};
  return kTable;
}

}  // namespace azexporter::collect
