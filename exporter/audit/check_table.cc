#include "checks.h"

namespace azexporter::audit {

std::span<const Check> Checks() {
  static const std::vector<Check> kTable = {
      AntiAffinityTooMany(),   BindingIngressPorts(),   BindingPort(),
      BudgetBlocksEvictions(), BudgetBothFields(),      BudgetOverlap(),
      BudgetSelectsNothing(),  BudgetZoneLoss(),        ClaimInOneZone(),
      CnpgAsynchronous(),      CnpgPlacement(),         CnpgSingleInstance(),
      CnpgZoneSpread(),        DuplicateKey(),          EndpointZones(),
      GracefulTermination(),   ImmediateBinding(),      IstioDistributeWeights(),
      IstioEjectsAll(),        IstioFailoverRegions(),  IstioHostMissing(),
      IstioHostTwice(),        IstioLeastConn(),        IstioLocalityExclusive(),
      IstioLocalityRegion(),   IstioOutlierDetection(), LocalTrafficCrossZone(),
      NlbAnnotations(),        NodeSelectorValue(),     OpenIngress(),
      PriorityClassRefused(),  PriorityNeverPreempts(), ReadinessProbe(),
      RedisUnknownFields(),    RedisZoneSpread(),       SingleReplica(),
      SpreadHoldsBack(),       SpreadMinDomains(),      SpreadMissesOwnPods(),
      SpreadScheduleAnyway(),  SpreadUnknownKey(),      StorageClassRegional(),
      TlsToPlainPort(),        TopologyHints(),         WorkloadNotSpread(),
      WorkloadOneZone()};
  return kTable;
}

}  // namespace azexporter::audit
