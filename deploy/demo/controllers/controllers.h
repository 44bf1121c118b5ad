#pragma once

// The controllers of the embedded platform: what follows, in a real cluster, when nodes fail, pods
// go and numbers change. Each looks at the store and writes what differs; none knows another.
//
//   World world{.store = store, .clock = clock};
//   SilenceNode(world, "ip-10-0-0-20.ec2.internal");
//   Settle(world);   // and again as time passes: evictions, starts and ends are due later
//
// Delays are those of a real cluster (a pod tolerates an unreachable node for 300 s), divided by
// World::pace.
//
// Thread safety: one thread at a time for one World; the store itself is thread-safe.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/clock.h"
#include "simulator/store.h"

namespace azexporter::platform {

// What the cluster is beside its objects, and what its controllers remember.
struct World {
  simulator::Store& store;
  const base::Clock& clock;
  double pace = 1;  // 60: what takes a minute takes a second

  std::set<std::string, std::less<>> silent_nodes{};
  // Whose Leases are not renewed, and which nobody calls silent yet.
  std::set<std::string, std::less<>> stalled_nodes{};
  std::int64_t leases_due_ms = 0;  // when Leases are to be renewed next
  std::set<std::string, std::less<>> draining_nodes{};
  std::map<std::string, std::int64_t> timers{};  // "POD UID WHAT" -> when it is due, ms
  int serial = 0;                                // of names and addresses
  // What was looked at last: unchanged objects need not be parsed again at the next look.
  std::vector<simulator::ObjectPtr> looked_at{};

  std::int64_t NowMs() const { return clock.NowMs(); }
  // True, once, when `delay_ms` of the cluster's time have passed since it was first asked for this
  // pod.
  bool IsDue(const simulator::Json& pod, std::string_view what, std::int64_t delay_ms);
};

// Runs every controller until none changes anything any more.
void Settle(World& world);

// --- one controller each, as a real cluster has them

// Silent kubelets: all conditions Unknown, the taints unreachable:NoSchedule and :NoExecute, Ready
// False on the pods there; pods that tolerate this no longer are told to end. Pods whose node is
// gone are removed.
void RunNodeLifecycle(World& world);
// Evicts the pods of draining nodes, as their budgets allow.
void RunDrain(World& world);
// Deployments, ReplicaSets, StatefulSets and the PostgreSQL operator: as many pods as asked for.
void RunReplicas(World& world);
// Binds pending pods where taints, affinities, volumes, spread constraints and room allow, and says
// of the others why not.
void RunScheduler(World& world);
// Starts bound pods and ends terminating ones, on nodes that answer.
void RunKubelets(World& world);
// Every 10 s: the Leases of all nodes that are neither silent nor stalled. Not one of those that
// Settle runs.
void RenewNodeLeases(World& world);
// Endpoint slices, the status of workloads, and disruption budgets.
void RunStatus(World& world);

// --- what somebody does to the cluster

// The kubelet of a node falls silent, and is back: conditions as before, taints gone, pods ready,
// its Lease renewed again.
// Cordons and other taints stay as they are.
void SilenceNode(World& world, const std::string& node);
void WakeNode(World& world, const std::string& node);
void CordonNode(World& world, const std::string& node);
// Also ends a drain.
void UncordonNode(World& world, const std::string& node);

// --- shared by controllers

bool IsTerminating(const simulator::Json& pod);
// The Ready condition is True.
bool IsReady(const simulator::Json& pod);
// Sets the Ready condition, where there is one and it differs.
void SetReady(simulator::Json& pod, bool ready, std::int64_t now_ms);
bool IsCordoned(const simulator::Json& node);
// The condition of that type in status.conditions; nullptr when absent.
simulator::Json* ConditionOf(simulator::Json& object, std::string_view type);
simulator::ObjectKey KeyFor(const simulator::ResourceType& type, const simulator::Json& object);
std::vector<simulator::ObjectPtr> AllPods(const World& world);
// Asks the pod to end, as a DELETE with a grace period: its kubelet does the rest.
void Terminate(World& world, const simulator::Json& pod, std::string_view reason);

}  // namespace azexporter::platform
