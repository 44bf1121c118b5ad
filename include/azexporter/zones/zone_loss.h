#pragma once

// What if all nodes of a zone went now: what would be broken that is whole, and what would only be
// thinner.
//
// A zone's loss is survived where all of these hold: the control plane keeps its quorum, no
// disruption budget is broken, no workload is left without a ready pod or under the quorum of its
// members, every Service that has a ready endpoint keeps one, every database keeps a writable
// primary or has a standby elsewhere to become one (postgres.h), with all commits that it promised
// to keep, and all Redis slots keep a master or get one (redis.h). Judged is the moment of the
// loss, before anything is placed anew. Lost redundancy alone is a note, and so are the last
// commits of a database that replicates asynchronously; so is what controllers make good later:
// Jobs, pods bound to the zone's nodes, and a Service that selects the primary of a database by its
// role where other ready pods of it are elsewhere. What was broken before is not the zone's doing.
//
// Of an evacuation, where nodes are drained and pods may move first, the questions are others:
// which evictions budgets never allow, and what finds no other place (placement.h).
//
// Thread safety: values; the functions are pure.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/kube/cluster_state.h"
#include "azexporter/zones/placement.h"

namespace azexporter::zones {

struct NamespaceReport;

enum class LossReason {
  kControlPlaneQuorum,  // half of the control plane's nodes or fewer are left ready
  kBudget,              // fewer healthy pods are left than the budget wants
  kAtZero,              // no ready pod of a workload is left
  kQuorum,              // half of a StatefulSet's voting members or fewer are left
  kService,             // no ready endpoint is left
  kDatabase,            // no writable primary, and no standby to become one without losing commits
  kRedis,               // slots without a master, and no replica to become one
  kEviction,            // of an evacuation: budgets that let a pod of the zone never go
  kUnplaceable,         // pods that find no other node; of a failure a note
};
std::string_view LossReasonName(LossReason reason);  // "control_plane_quorum"
// kAtZero for a name that is not known.
LossReason LossReasonOf(std::string_view name);
std::span<const LossReason> AllLossReasons();

struct LossFinding {
  LossReason reason = LossReason::kAtZero;
  bool blocker = false;  // else a note
  std::string ns;        // empty: of the cluster
  std::string object;    // "Deployment web"; "control plane"
  std::string text;      // "no ready pod is left of 2": what the loss does to the object
  bool operator==(const LossFinding&) const = default;
};

// "Deployment shop/web: its only ready pod is there".
std::string TextOf(const LossFinding& finding);

// By zone, of one namespace; zones without a finding are absent. Sorted by reason, then object.
using LossFindings = std::map<std::string, std::vector<LossFinding>, std::less<>>;
// `accepted`: namespaces, and objects as NAMESPACE/NAME, that may break: their findings are notes.
LossFindings LossFindingsOf(const NamespaceReport& report, const kube::ClusterState& cluster,
                            const std::set<std::string>& accepted);
LossFindings EvictionFindingsOf(const NamespaceReport& report);

// Of the control plane, if the zone went. Nothing where no control plane node is seen: a managed
// one is not visible, which is not the same as fine. `lost_already`: its nodes count as members.
struct ControlPlaneNodes {
  int members = 0;  // all of them, ready or not
  int ready = 0;
  int ready_in_zone = 0;
};
std::optional<LossFinding> ControlPlaneFinding(const ControlPlaneNodes& nodes);

// What finds no other node, one finding a reason. Blockers of an evacuation, since a drain then
// leaves pods behind or waits; notes of a failure.
std::vector<LossFinding> PlacementFindings(const Placement& placement);

// The verdict on one zone.
enum class Verdict {
  kSurvived,
  kNotSurvived,
  kUnknown,      // no blocker was seen, but not all that could be one is known
  kLostAlready,  // the zone is down or missing: there is nothing left to lose
};
std::string_view VerdictName(Verdict verdict);  // "survived"

struct ZoneLoss {
  std::string zone;
  Verdict verdict = Verdict::kUnknown;
  std::vector<LossFinding> findings;  // blockers first, then by namespace
  // What was not known of what a verdict needs: "poddisruptionbudgets".
  std::vector<std::string> not_known;
  bool control_plane_visible = false;
  // Where its pods would go. Null where nodes or pods are not known, or nobody asked.
  std::shared_ptr<const Placement> placement;

  std::int64_t blockers() const;
};

// "Deployment shop/web: its only ready pod is there (and 3 more)"; "" where there is no blocker.
// `ns`: only what is of that namespace; empty: all.
std::string BlockersText(const ZoneLoss& loss, std::string_view ns = "");

// Whether a StatefulSet's pods are voting members of one group that works only while more than half
// of them do, by the names their charts and operators give them (app.kubernetes.io/name, app):
// etcd, ZooKeeper, Consul, Vault, NATS, RabbitMQ and others.
bool IsConsensusGroup(const kube::Workload& workload);

}  // namespace azexporter::zones
