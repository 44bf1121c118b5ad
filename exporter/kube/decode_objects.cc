// Every kind but pods, Services and EndpointSlices.

#include <algorithm>
#include <charconv>

#include "decode_fields.h"

namespace azexporter::kube {
namespace {

using base::BadData;
using base::Result;

Result<void> ReadTaint(Value value, Taint& taint) {
  return ForEachField("spec.taints", value, [&](std::string_view k, Value v) -> Result<void> {
    if (k == "key") return Read(k, v, taint.key);
    if (k == "value") return Read(k, v, taint.value);
    if (k == "effect") return Read(k, v, taint.effect);
    return {};
  });
}

Result<void> ReadNodeSpec(Value value, Node& node) {
  return ForEachField("spec", value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "unschedulable") return Read("spec.unschedulable", v, node.unschedulable);
    if (key != "taints") return {};
    return ForEachItem("spec.taints", v,
                       [&](Value item) { return ReadTaint(item, node.taints.emplace_back()); });
  });
}

Result<void> ReadNodeStatus(Value value, Node& node) {
  return ForEachField("status", value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "allocatable") {
      Amounts amounts;
      AZX_RETURN_IF_ERROR(Read("status.allocatable", v, amounts));
      node.allocatable = ResourcesOf(amounts);
      return {};
    }
    if (key != "conditions") return {};
    return ForEachItem("status.conditions", v, [&](Value item) {
      NodeCondition& condition = node.conditions.emplace_back();
      return ForEachField("condition", item, [&](std::string_view k, Value cv) -> Result<void> {
        if (k == "type") return Read(k, cv, condition.type);
        if (k == "status") return Read(k, cv, condition.status);
        return {};
      });
    });
  });
}

Result<void> ReadTemplate(Value value, Workload& workload, DecodeContext& context) {
  return ForEachField("spec.template", value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "metadata") {
      ObjectMeta meta;
      AZX_RETURN_IF_ERROR(ReadMeta(v, {.meta = meta}));
      workload.template_labels = meta.labels;
      return {};
    }
    if (key != "spec") return {};
    PodSpecFields fields;
    AZX_RETURN_IF_ERROR(ReadPodSpec(v, fields));
    workload.claims = std::move(fields.claims);
    workload.template_spec = context.pools.specs.Intern(std::move(fields.spec));
    return {};
  });
}

Result<void> ReadClaimTemplate(Value value, Workload& workload) {
  return ForEachField("spec.volumeClaimTemplates", value,
                      [&](std::string_view key, Value v) -> Result<void> {
                        if (key != "metadata") return {};
                        ObjectMeta meta;
                        AZX_RETURN_IF_ERROR(ReadMeta(v, {.meta = meta}));
                        workload.claim_templates.push_back(std::move(meta.name));
                        return {};
                      });
}

// Where the spec says how many pods are wanted; of a DaemonSet the status does.
std::string_view DesiredField(WorkloadKind kind) {
  switch (kind) {
    case WorkloadKind::kDeployment:
    case WorkloadKind::kReplicaSet:
    case WorkloadKind::kStatefulSet:
      return "replicas";
    case WorkloadKind::kJob:
      return "parallelism";
    case WorkloadKind::kDaemonSet:
      break;
  }
  return "";
}

Result<void> ReadWorkloadSpec(Value value, Workload& workload, DecodeContext& context) {
  const std::string_view desired = DesiredField(workload.kind);
  return ForEachField("spec", value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == desired) return Read("spec." + std::string(desired), v, workload.desired);
    if (key == "selector") return Read("spec.selector", v, workload.selector);
    if (key == "template") return ReadTemplate(v, workload, context);
    if (key != "volumeClaimTemplates") return {};
    return ForEachItem("spec.volumeClaimTemplates", v,
                       [&](Value item) { return ReadClaimTemplate(item, workload); });
  });
}

Result<void> ReadJobCondition(Value value, Workload& workload) {
  std::string type;
  ConditionStatus status = ConditionStatus::kUnknown;
  AZX_RETURN_IF_ERROR(
      ForEachField("condition", value, [&](std::string_view key, Value v) -> Result<void> {
        if (key == "type") return Read(key, v, type);
        if (key == "status") return Read(key, v, status);
        return {};
      }));
  if (status == ConditionStatus::kTrue && (type == "Complete" || type == "Failed")) {
    workload.finished = true;
  }
  return {};
}

Result<void> ReadWorkloadStatus(Value value, Workload& workload) {
  const WorkloadKind kind = workload.kind;
  return ForEachField("status", value, [&](std::string_view key, Value v) -> Result<void> {
    if (kind == WorkloadKind::kDaemonSet) {
      if (key == "desiredNumberScheduled") return Read(key, v, workload.desired);
      if (key == "numberReady") return Read(key, v, workload.ready);
      return {};
    }
    if (kind == WorkloadKind::kJob) {
      if (key == "ready") return Read("status.ready", v, workload.ready);
      if (key != "conditions") return {};
      return ForEachItem("status.conditions", v,
                         [&](Value item) { return ReadJobCondition(item, workload); });
    }
    return key == "readyReplicas" ? Read(key, v, workload.ready) : Result<void>();
  });
}

Result<void> ReadIntOrPercent(std::string_view name, Value value,
                              std::optional<IntOrPercent>& out) {
  if (IsNull(value)) return {};
  std::string text;
  AZX_RETURN_IF_ERROR(ReadNumberText(name, value, text));
  IntOrPercent amount;
  std::string_view number = text;
  amount.percent = number.ends_with('%');
  if (amount.percent) number.remove_suffix(1);
  const char* const last = number.data() + number.size();
  const auto [end, error] = std::from_chars(number.data(), last, amount.value);
  constexpr std::int64_t kMost = 1'000'000'000;  // so that percentages of it do not overflow
  if (error != std::errc() || end != last || amount.value < 0 || amount.value > kMost) {
    return BadData(std::string(name) + ": \"" + text + "\" is neither a count nor a percentage");
  }
  out = amount;
  return {};
}

Result<void> ReadBudgetSpec(Value value, PodDisruptionBudget& budget) {
  return ForEachField("spec", value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "minAvailable")
      return ReadIntOrPercent("spec.minAvailable", v, budget.min_available);
    if (key == "maxUnavailable") {
      return ReadIntOrPercent("spec.maxUnavailable", v, budget.max_unavailable);
    }
    if (key == "selector") return Read("spec.selector", v, budget.selector);
    if (key != "unhealthyPodEvictionPolicy") return {};
    std::string policy;
    AZX_RETURN_IF_ERROR(Read("spec.unhealthyPodEvictionPolicy", v, policy));
    budget.unhealthy_pod_eviction = policy == "AlwaysAllow"
                                        ? UnhealthyPodEviction::kAlwaysAllow
                                        : UnhealthyPodEviction::kIfHealthyBudget;
    return {};
  });
}

Result<void> ReadBudgetStatus(Value value, PodDisruptionBudget& budget) {
  return ForEachField("status", value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "observedGeneration") return Read(key, v, budget.observed_generation);
    if (key == "currentHealthy") return Read(key, v, budget.current_healthy);
    if (key == "desiredHealthy") return Read(key, v, budget.desired_healthy);
    if (key == "disruptionsAllowed") return Read(key, v, budget.disruptions_allowed);
    if (key == "expectedPods") return Read(key, v, budget.expected_pods);
    return {};
  });
}

Result<void> ReadVolumeSpec(Value value, PersistentVolume& volume) {
  return ForEachField("spec", value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "storageClassName") return Read("spec.storageClassName", v, volume.storage_class);
    if (key == "capacity") {
      Amounts amounts;
      AZX_RETURN_IF_ERROR(Read("spec.capacity", v, amounts));
      volume.capacity_bytes = ResourcesOf(amounts).Get("storage");
      return {};
    }
    if (key == "nodeAffinity") {
      return ForEachField(
          "spec.nodeAffinity", v, [&](std::string_view k, Value av) -> Result<void> {
            return k == "required" ? Read("spec.nodeAffinity", av, volume.node_affinity)
                                   : Result<void>();
          });
    }
    if (key != "claimRef") return {};
    return ForEachField("spec.claimRef", v, [&](std::string_view k, Value cv) -> Result<void> {
      if (k == "namespace") return Read("spec.claimRef.namespace", cv, volume.claim_ns);
      if (k == "name") return Read("spec.claimRef.name", cv, volume.claim_name);
      return {};
    });
  });
}

// The phase of a volume or a claim.
Result<void> ReadPhase(Value value, std::string& phase) {
  return ForEachField("status", value, [&](std::string_view key, Value v) -> Result<void> {
    return key == "phase" ? Read("status.phase", v, phase) : Result<void>();
  });
}

bool IsOfOneNode(std::string_view access_mode) {
  return access_mode == "ReadWriteOnce" || access_mode == "ReadWriteOncePod";
}

Result<void> ReadClaimSpec(Value value, PersistentVolumeClaim& claim) {
  return ForEachField("spec", value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "volumeName") return Read("spec.volumeName", v, claim.volume_name);
    if (key == "storageClassName") return Read("spec.storageClassName", v, claim.storage_class);
    if (key != "accessModes") return {};
    std::vector<std::string> modes;
    AZX_RETURN_IF_ERROR(Read("spec.accessModes", v, modes));
    claim.one_node = !modes.empty() && std::all_of(modes.begin(), modes.end(), IsOfOneNode);
    return {};
  });
}

Result<void> ReadTopologyTerm(Value value, TopologyTerm& term) {
  constexpr std::string_view kName = "allowedTopologies";
  return ForEachField(kName, value, [&](std::string_view key, Value v) -> Result<void> {
    if (key != "matchLabelExpressions") return {};
    return ForEachItem(kName, v, [&](Value item) {
      Requirement& requirement = term.match_expressions.emplace_back();
      requirement.op = SelectorOp::kIn;
      return ForEachField(kName, item, [&](std::string_view k, Value rv) -> Result<void> {
        if (k == "key") return Read(kName, rv, requirement.key);
        if (k == "values") return Read(kName, rv, requirement.values);
        return {};
      });
    });
  });
}

Result<void> ReadLeaseSpec(Value value, NodeLease& lease) {
  return ForEachField("spec", value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "renewTime") return ReadTime("spec.renewTime", v, lease.renewed_ms);
    if (key != "leaseDurationSeconds") return {};
    std::int64_t seconds = 0;
    AZX_RETURN_IF_ERROR(Read("spec.leaseDurationSeconds", v, seconds));
    constexpr std::int64_t kMostSeconds = 86'400;
    lease.duration_ms = std::clamp<std::int64_t>(seconds, 0, kMostSeconds) * 1'000;
    return {};
  });
}

}  // namespace

Result<void> ReadField(std::string_view key, Value v, Node& node, DecodeContext& context) {
  if (key == "metadata") {
    return ReadMeta(v, {.meta = node.meta,
                        .annotations = MetaFields::Annotations::kAll,
                        .resource_version = context.resource_version});
  }
  if (key == "spec") return ReadNodeSpec(v, node);
  if (key == "status") return ReadNodeStatus(v, node);
  return {};
}

Result<void> ReadField(std::string_view key, Value v, ConfigMap& map, DecodeContext& context) {
  if (key == "metadata") {
    return ReadMeta(v, {.meta = map.meta, .resource_version = context.resource_version});
  }
  if (key == "data") return Read("data", v, map.data);
  return {};
}

Result<void> ReadField(std::string_view key, Value v, Workload& workload, DecodeContext& context) {
  if (key == "metadata") {
    return ReadMeta(v, {.meta = workload.meta,
                        .annotations = MetaFields::Annotations::kAudit,
                        .owners = &workload.owners,
                        .resource_version = context.resource_version});
  }
  if (key == "spec") return ReadWorkloadSpec(v, workload, context);
  if (key == "status") return ReadWorkloadStatus(v, workload);
  return {};
}

Result<void> ReadField(std::string_view key, Value v, PodDisruptionBudget& budget,
                       DecodeContext& context) {
  if (key == "metadata") {
    return ReadMeta(v, {.meta = budget.meta,
                        .annotations = MetaFields::Annotations::kAudit,
                        .generation = &budget.generation,
                        .resource_version = context.resource_version});
  }
  if (key == "spec") return ReadBudgetSpec(v, budget);
  if (key == "status") return ReadBudgetStatus(v, budget);
  return {};
}

Result<void> ReadField(std::string_view key, Value v, PersistentVolume& volume,
                       DecodeContext& context) {
  if (key == "metadata") {
    return ReadMeta(v, {.meta = volume.meta, .resource_version = context.resource_version});
  }
  if (key == "spec") return ReadVolumeSpec(v, volume);
  if (key == "status") return ReadPhase(v, volume.phase);
  return {};
}

Result<void> ReadField(std::string_view key, Value v, PersistentVolumeClaim& claim,
                       DecodeContext& context) {
  if (key == "metadata") {
    return ReadMeta(v, {.meta = claim.meta,
                        .annotations = MetaFields::Annotations::kAudit,
                        .resource_version = context.resource_version});
  }
  if (key == "spec") return ReadClaimSpec(v, claim);
  if (key == "status") return ReadPhase(v, claim.phase);
  return {};
}

Result<void> ReadField(std::string_view key, Value v, NodeLease& lease, DecodeContext& context) {
  if (key == "metadata") {
    return ReadMeta(v, {.meta = lease.meta, .resource_version = context.resource_version});
  }
  if (key == "spec") return ReadLeaseSpec(v, lease);
  return {};
}

Result<void> ReadField(std::string_view key, Value v, StorageClass& storage_class,
                       DecodeContext& context) {
  if (key == "metadata") {
    ObjectMeta& meta = storage_class.meta;
    AZX_RETURN_IF_ERROR(ReadMeta(v, {.meta = meta,
                                     .annotations = MetaFields::Annotations::kAll,
                                     .resource_version = context.resource_version}));
    constexpr std::string_view kDefault = "storageclass.kubernetes.io/is-default-class";
    storage_class.is_default = Lookup(meta.annotations, kDefault) == "true";
    std::erase_if(meta.annotations,
                  [](const auto& a) { return a.first != kAuditIgnoreAnnotation; });
    return {};
  }
  if (key == "provisioner") return Read(key, v, storage_class.provisioner);
  if (key == "parameters") return Read(key, v, storage_class.parameters);
  if (key == "allowedTopologies") {
    return ForEachItem(key, v, [&](Value item) {
      return ReadTopologyTerm(item, storage_class.allowed_topologies.emplace_back());
    });
  }
  if (key != "volumeBindingMode") return {};
  std::string mode;
  AZX_RETURN_IF_ERROR(Read(key, v, mode));
  storage_class.binding = mode == "WaitForFirstConsumer" ? VolumeBinding::kWaitForFirstConsumer
                                                         : VolumeBinding::kImmediate;
  return {};
}

}  // namespace azexporter::kube
