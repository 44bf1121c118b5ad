#pragma once

// The rows that check_table.cc puts together: one check, one file of checks/. Private to `audit`.

#include "azexporter/audit/audit.h"

namespace azexporter::audit {

Check AntiAffinityTooMany();
Check BindingIngressPorts();
Check BindingPort();
Check BudgetBlocksEvictions();
Check BudgetBothFields();
Check BudgetOverlap();
Check BudgetSelectsNothing();
Check BudgetSpreadStandstill();
Check BudgetZoneLoss();
Check ClaimInOneZone();
Check CnpgAsynchronous();
Check CnpgPlacement();
Check CnpgSingleInstance();
Check CnpgZoneSpread();
Check DuplicateKey();
Check EndpointZones();
Check GracefulTermination();
Check ImmediateBinding();
Check IstioDistributeWeights();
Check IstioEjectsAll();
Check IstioFailoverRegions();
Check IstioHostMissing();
Check IstioHostTwice();
Check IstioLeastConn();
Check IstioLocalityExclusive();
Check IstioLocalityRegion();
Check IstioOutlierDetection();
Check LocalTrafficCrossZone();
Check NlbAnnotations();
Check NodeSelectorValue();
Check OpenIngress();
Check PriorityClassRefused();
Check PriorityNeverPreempts();
Check ReadinessProbe();
Check RedisUnknownFields();
Check RedisZoneSpread();
Check SingleReplica();
Check SpreadHoldsBack();
Check SpreadMinDomains();
Check SpreadMissesOwnPods();
Check SpreadScheduleAnyway();
Check SpreadUnknownKey();
Check StorageClassRegional();
Check TlsToPlainPort();
Check TopologyHints();
Check WorkloadNotSpread();
Check WorkloadOneZone();

}  // namespace azexporter::audit
