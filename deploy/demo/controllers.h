#pragma once

// The controllers of the embedded platform: what follows when nodes and pods change. They set
// statuses; they start no pods and move none.

#include <cstdint>
#include <string_view>

#include "azexporter/base/result.h"
#include "simulator/store.h"

namespace azexporter::platform {

// Brings budgets, endpoint slices and the status of workloads in line with the pods. Writes only
// what differs.
void Reconcile(simulator::Store& store, std::int64_t now_ms);

// A zone's kubelets fall silent, and the node lifecycle controller draws its conclusions: all
// conditions Unknown, then the taint unreachable:NoSchedule, then :NoExecute, then Ready=False on
// the pods there. Cordons and other taints stay as they are.
void LoseZone(simulator::Store& store, std::string_view zone, std::int64_t now_ms);
// The kubelets are back: conditions as before, taints gone, pods ready.
void RestoreZone(simulator::Store& store, std::string_view zone, std::int64_t now_ms);

}  // namespace azexporter::platform
