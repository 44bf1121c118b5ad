#include "collectors.h"

namespace azexporter::collect {

std::span<const Collector> Collectors() {
  static const std::vector<Collector> kTable = {
      NodesCollector(), PodsCollector(), PostgresCollector(), ProbesCollector(), ZonesCollector()};
  return kTable;
}

}  // namespace azexporter::collect
