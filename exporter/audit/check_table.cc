#include "checks.h"

namespace azexporter::audit {

std::span<const Check> Checks() {
  static const std::vector<Check> kTable = {BindingIngressPorts(),
                                            BindingPort(),
                                            BudgetBothFields(),
                                            BudgetOverlap(),
                                            BudgetZoneLoss(),
                                            CnpgPlacement(),
                                            DuplicateKey(),
                                            IstioDistributeWeights(),
                                            IstioEjectsAll(),
                                            IstioFailoverRegions(),
                                            IstioHostMissing(),
                                            IstioHostTwice(),
                                            IstioLocalityExclusive(),
                                            IstioLocalityRegion(),
                                            IstioOutlierDetection(),
                                            LocalTrafficCrossZone(),
                                            NlbAnnotations(),
                                            NodeSelectorValue(),
                                            OpenIngress(),
                                            RedisUnknownFields(),
                                            RedisZoneSpread(),
                                            StorageClassRegional(),
                                            TlsToPlainPort()};
  return kTable;
}

}  // namespace azexporter::audit
