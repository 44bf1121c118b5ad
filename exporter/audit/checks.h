#pragma once

// The rows that check_table.cc puts together: one check, one file of checks/. Private to `audit`.

#include "azexporter/audit/audit.h"

namespace azexporter::audit {

Check BindingIngressPorts();
Check BindingPort();
Check BudgetBothFields();
Check BudgetOverlap();
Check BudgetZoneLoss();
Check CnpgPlacement();
Check DuplicateKey();
Check IstioDistributeWeights();
Check IstioEjectsAll();
Check IstioFailoverRegions();
Check IstioHostMissing();
Check IstioHostTwice();
Check IstioLocalityExclusive();
Check IstioLocalityRegion();
Check IstioOutlierDetection();
Check LocalTrafficCrossZone();
Check NlbAnnotations();
Check NodeSelectorValue();
Check OpenIngress();
Check RedisUnknownFields();
Check RedisZoneSpread();
Check StorageClassRegional();
Check TlsToPlainPort();

}  // namespace azexporter::audit
