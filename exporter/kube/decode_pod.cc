// Pods and what the scheduler reads of them.

#include <algorithm>

#include "decode_fields.h"

namespace azexporter::kube {
namespace {

using base::Result;

// "requests" and "limits" of a container. Where there is a limit and no request, the limit is the
// request: the API server writes that into pods, but not into templates.
Result<void> ReadRequests(std::string_view name, Value value, Resources& out) {
  Amounts requests;
  Amounts limits;
  AZX_RETURN_IF_ERROR(ForEachField(name, value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "requests") return Read(std::string(name) + ".requests", v, requests);
    if (key == "limits") return Read(std::string(name) + ".limits", v, limits);
    return {};
  }));
  out = ResourcesOf(limits);
  for (const auto& [resource, amount] : requests) out.Set(resource, amount);
  return {};
}

struct Container {
  Resources requests;
  std::vector<HostPort> host_ports;
  bool readiness_probe = false;
  std::int64_t pre_stop_seconds = 0;
  bool sidecar = false;  // an init container that keeps running
};

Result<void> ReadPorts(Value value, std::vector<HostPort>& out) {
  return ForEachItem("ports", value, [&](Value item) -> Result<void> {
    HostPort port{.port = 0, .protocol = "TCP", .ip = ""};
    AZX_RETURN_IF_ERROR(
        ForEachField("ports", item, [&](std::string_view key, Value v) -> Result<void> {
          if (key == "hostPort") return Read("hostPort", v, port.port);
          if (key == "protocol") return Read("protocol", v, port.protocol);
          if (key == "hostIP") return Read("hostIP", v, port.ip);
          return {};
        }));
    if (port.port != 0) out.push_back(std::move(port));
    return {};
  });
}

// The sleep of a preStop hook: of its own kind, or as a command.
Result<void> ReadPreStop(Value value, std::int64_t& seconds) {
  constexpr std::string_view kName = "lifecycle.preStop";
  return ForEachField(kName, value, [&](std::string_view kind, Value v) -> Result<void> {
    if (kind != "sleep" && kind != "exec") return {};
    return ForEachField(kName, v, [&](std::string_view key, Value hv) -> Result<void> {
      if (key == "seconds") return Read(kName, hv, seconds);
      if (key != "command") return {};
      std::vector<std::string> command;
      AZX_RETURN_IF_ERROR(Read(kName, hv, command));
      seconds = SleepSeconds(command);
      return {};
    });
  });
}

Result<void> ReadContainers(std::string_view name, Value value, std::vector<Container>& out) {
  return ForEachItem(name, value, [&](Value item) {
    Container& container = out.emplace_back();
    return ForEachField(name, item, [&](std::string_view key, Value v) -> Result<void> {
      if (key == "resources") {
        return ReadRequests(std::string(name) + ".resources", v, container.requests);
      }
      if (key == "ports") return ReadPorts(v, container.host_ports);
      if (key == "readinessProbe") {
        container.readiness_probe = !IsNull(v);
        return {};
      }
      if (key == "lifecycle") {
        return ForEachField(key, v, [&](std::string_view hook, Value hv) -> Result<void> {
          return hook == "preStop" ? ReadPreStop(hv, container.pre_stop_seconds) : Result<void>();
        });
      }
      if (key != "restartPolicy") return {};
      std::string policy;
      AZX_RETURN_IF_ERROR(Read(key, v, policy));
      container.sidecar = policy == "Always";
      return {};
    });
  });
}

// Semantics:
// kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers.
Resources EffectiveRequests(const std::vector<Container>& containers,
                            const std::vector<Container>& init_containers) {
  Resources running;  // what runs once the pod is started
  for (const Container& container : containers) running.Add(container.requests);
  Resources sidecars;  // started before the init container at hand
  Resources starting;  // the most that is needed while it starts
  for (const Container& container : init_containers) {
    Resources now = container.requests;
    now.Add(sidecars);
    if (container.sidecar) {
      running.Add(container.requests);
      sidecars = now;
    }
    starting.RaiseTo(now);
  }
  running.RaiseTo(starting);
  return running;
}

Result<void> ReadPodAffinityTerm(std::string_view name, Value value, PodAffinityTerm& term) {
  return ForEachField(name, value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "labelSelector") return Read(name, v, term.selector);
    if (key == "namespaces") return Read(name, v, term.namespaces);
    if (key == "namespaceSelector") return Read(name, v, term.namespace_selector);
    if (key == "topologyKey") return Read(name, v, term.topology_key);
    if (key == "matchLabelKeys") return Read(name, v, term.match_label_keys);
    if (key == "mismatchLabelKeys") return Read(name, v, term.mismatch_label_keys);
    return {};
  });
}

constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";

Result<void> ReadRequiredTerms(std::string_view name, Value value,
                               std::vector<PodAffinityTerm>& out) {
  return ForEachItem(
      name, value, [&](Value item) { return ReadPodAffinityTerm(name, item, out.emplace_back()); });
}

Result<void> ReadPreferredTerms(std::string_view name, Value value,
                                std::vector<PodAffinityTerm>& out) {
  return ForEachItem(name, value, [&](Value item) {
    PodAffinityTerm& term = out.emplace_back();
    return ForEachField(name, item, [&](std::string_view key, Value v) -> Result<void> {
      if (key == "weight") return Read(name, v, term.weight);
      if (key == "podAffinityTerm") return ReadPodAffinityTerm(name, v, term);
      return {};
    });
  });
}

Result<void> ReadAffinity(Value value, PodSpec& spec) {
  return ForEachField("spec.affinity", value, [&](std::string_view kind, Value kind_value) {
    const std::string name = "spec.affinity." + std::string(kind);
    return ForEachField(name, kind_value, [&](std::string_view key, Value v) -> Result<void> {
      if (kind == "nodeAffinity" && key == kRequired) {
        return Read(name, v, spec.required_node_affinity);
      }
      if (kind == "podAffinity" && key == kRequired) {
        return ReadRequiredTerms(name, v, spec.required_affinity);
      }
      if (kind == "podAntiAffinity" && key == kRequired) {
        return ReadRequiredTerms(name, v, spec.required_anti_affinity);
      }
      if (kind == "podAntiAffinity" && key == kPreferred) {
        return ReadPreferredTerms(name, v, spec.preferred_anti_affinity);
      }
      return {};
    });
  });
}

Result<void> ReadToleration(Value value, Toleration& toleration) {
  constexpr std::string_view kName = "spec.tolerations";
  return ForEachField(kName, value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "key") return Read(kName, v, toleration.key);
    if (key == "value") return Read(kName, v, toleration.value);
    if (key == "effect") return Read(kName, v, toleration.effect);
    if (key != "operator") return {};
    std::string op;
    AZX_RETURN_IF_ERROR(Read(kName, v, op));
    toleration.op = op.empty() || op == "Equal" ? Toleration::Op::kEqual
                    : op == "Exists"            ? Toleration::Op::kExists
                                                : Toleration::Op::kOther;
    return {};
  });
}

Result<void> ReadPolicy(Value value, NodeInclusionPolicy& policy) {
  std::string text;
  AZX_RETURN_IF_ERROR(Read("spec.topologySpreadConstraints", value, text));
  if (text == "Honor") policy = NodeInclusionPolicy::kHonor;
  if (text == "Ignore") policy = NodeInclusionPolicy::kIgnore;
  return {};
}

Result<void> ReadSpreadConstraint(Value value, TopologySpreadConstraint& constraint) {
  constexpr std::string_view kName = "spec.topologySpreadConstraints";
  return ForEachField(kName, value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "maxSkew") return Read(kName, v, constraint.max_skew);
    if (key == "topologyKey") return Read(kName, v, constraint.topology_key);
    if (key == "labelSelector") return Read(kName, v, constraint.selector);
    if (key == "minDomains") return Read(kName, v, constraint.min_domains);
    if (key == "nodeAffinityPolicy") return ReadPolicy(v, constraint.node_affinity_policy);
    if (key == "nodeTaintsPolicy") return ReadPolicy(v, constraint.node_taints_policy);
    if (key == "matchLabelKeys") return Read(kName, v, constraint.match_label_keys);
    if (key != "whenUnsatisfiable") return {};
    std::string text;
    AZX_RETURN_IF_ERROR(Read(kName, v, text));
    constraint.when_unsatisfiable = text == "ScheduleAnyway" ? WhenUnsatisfiable::kScheduleAnyway
                                                             : WhenUnsatisfiable::kDoNotSchedule;
    return {};
  });
}

Result<void> ReadVolume(Value value, PodSpecFields& fields) {
  constexpr std::string_view kName = "spec.volumes";
  std::string name;
  bool ephemeral = false;
  AZX_RETURN_IF_ERROR(
      ForEachField(kName, value, [&](std::string_view key, Value v) -> Result<void> {
        if (key == "name") return Read(kName, v, name);
        if (key == "ephemeral") ephemeral = !IsNull(v);
        if (key != "persistentVolumeClaim") return {};
        return ForEachField(kName, v, [&](std::string_view k, Value cv) -> Result<void> {
          return k == "claimName" ? Read(kName, cv, fields.claims.emplace_back()) : Result<void>();
        });
      }));
  if (ephemeral) fields.ephemeral_volumes.push_back(std::move(name));
  return {};
}

// The lists and maps of a spec.
Result<void> ReadSpecPart(std::string_view key, Value v, PodSpecFields& fields) {
  PodSpec& spec = fields.spec;
  if (key == "nodeSelector") return Read("spec.nodeSelector", v, spec.node_selector);
  if (key == "affinity") return ReadAffinity(v, spec);
  if (key == "tolerations") {
    return ForEachItem("spec.tolerations", v, [&](Value item) {
      return ReadToleration(item, spec.tolerations.emplace_back());
    });
  }
  if (key == "topologySpreadConstraints") {
    return ForEachItem("spec.topologySpreadConstraints", v, [&](Value item) {
      return ReadSpreadConstraint(item, spec.spread_constraints.emplace_back());
    });
  }
  if (key == "volumes") {
    return ForEachItem("spec.volumes", v, [&](Value item) { return ReadVolume(item, fields); });
  }
  return {};
}

// A DaemonSet's controller pins each pod to its node in the place of every other term. Taken out of
// the spec, the specs of all its pods are one.
void TakePin(PodSpec& spec, std::string& pinned_node) {
  if (!spec.required_node_affinity || spec.required_node_affinity->terms.size() != 1) return;
  NodeSelectorTerm& term = spec.required_node_affinity->terms[0];
  if (!term.match_expressions.empty() || term.match_fields.size() != 1) return;
  Requirement& field = term.match_fields[0];
  if (field.key != "metadata.name" || field.op != SelectorOp::kIn || field.values.size() != 1) {
    return;
  }
  pinned_node = std::move(field.values[0]);
  spec.required_node_affinity.reset();
}

Result<void> ReadPodPhase(Value value, PodPhase& phase) {
  std::string text;
  AZX_RETURN_IF_ERROR(Read("status.phase", value, text));
  for (PodPhase candidate : {PodPhase::kPending, PodPhase::kRunning, PodPhase::kSucceeded,
                             PodPhase::kFailed, PodPhase::kUnknown}) {
    if (PodPhaseName(candidate) == text) phase = candidate;
  }
  return {};
}

Result<void> ReadPodCondition(Value value, Pod& pod) {
  std::string type;
  std::string reason;
  ConditionStatus status = ConditionStatus::kUnknown;
  AZX_RETURN_IF_ERROR(
      ForEachField("condition", value, [&](std::string_view key, Value v) -> Result<void> {
        if (key == "type") return Read(key, v, type);
        if (key == "status") return Read(key, v, status);
        if (key == "reason") return Read(key, v, reason);
        return {};
      }));
  if (type == "Ready") pod.ready = status;
  if (type == "PodScheduled") {
    pod.unschedulable = status == ConditionStatus::kFalse && reason == "Unschedulable";
  }
  return {};
}

Result<void> ReadPodStatus(Value value, Pod& pod) {
  return ForEachField("status", value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "phase") return ReadPodPhase(v, pod.phase);
    if (key == "hostIP") return Read("status.hostIP", v, pod.host_ip);
    if (key == "podIP") return Read("status.podIP", v, pod.pod_ip);
    if (key != "conditions") return {};
    return ForEachItem("status.conditions", v,
                       [&](Value item) { return ReadPodCondition(item, pod); });
  });
}

}  // namespace

Result<void> ReadPodSpec(Value value, PodSpecFields& fields) {
  PodSpec& spec = fields.spec;
  std::vector<Container> containers;
  std::vector<Container> init_containers;
  Amounts overhead;
  Amounts of_pod;
  AZX_RETURN_IF_ERROR(
      ForEachField("spec", value, [&](std::string_view key, Value v) -> Result<void> {
        if (key == "nodeName") return Read("spec.nodeName", v, fields.node_name);
        if (key == "priorityClassName") {
          return Read("spec.priorityClassName", v, spec.priority_class);
        }
        if (key == "priority") return Read("spec.priority", v, spec.priority);
        if (key == "terminationGracePeriodSeconds") {
          return Read("spec.terminationGracePeriodSeconds", v, spec.grace_seconds);
        }
        if (key == "hostNetwork") return Read("spec.hostNetwork", v, spec.host_network);
        if (key == "containers") {
          return ReadContainers("spec.containers", v, containers);
        }
        if (key == "initContainers") {
          return ReadContainers("spec.initContainers", v, init_containers);
        }
        if (key == "overhead") return Read("spec.overhead", v, overhead);
        if (key == "resources") {
          return ForEachField("spec.resources", v,
                              [&](std::string_view k, Value rv) -> Result<void> {
                                return k == "requests" ? Read("spec.resources.requests", rv, of_pod)
                                                       : Result<void>();
                              });
        }
        return ReadSpecPart(key, v, fields);
      }));
  spec.requests = EffectiveRequests(containers, init_containers);
  for (const Container& container : containers) {
    spec.readiness_probe = spec.readiness_probe || container.readiness_probe;
    spec.pre_stop_seconds = std::max(spec.pre_stop_seconds, container.pre_stop_seconds);
  }
  std::erase_if(init_containers, [](const Container& container) { return !container.sidecar; });
  for (const auto* list : {&containers, &init_containers}) {
    for (const Container& container : *list) {
      spec.host_ports.insert(spec.host_ports.end(), container.host_ports.begin(),
                             container.host_ports.end());
    }
  }
  // What is asked for as a whole stands in the place of the sum.
  for (const auto& [resource, amount] : of_pod) spec.requests.Set(resource, amount);
  spec.requests.Add(ResourcesOf(overhead));
  return {};
}

Result<void> ReadField(std::string_view key, Value v, Pod& pod, DecodeContext& context) {
  if (key == "metadata") {
    std::vector<Owner> owners;
    AZX_RETURN_IF_ERROR(ReadMeta(v, {.meta = pod.meta,
                                     .label_pool = &context.pools.labels,
                                     .owners = &owners,
                                     .resource_version = context.resource_version}));
    pod.owners = Shared(context.pools.owners.Intern(std::move(owners)));
    return {};
  }
  if (key == "status") return ReadPodStatus(v, pod);
  if (key != "spec") return {};
  PodSpecFields fields;
  AZX_RETURN_IF_ERROR(ReadPodSpec(v, fields));
  TakePin(fields.spec, pod.pinned_node);
  pod.node_name = std::move(fields.node_name);
  pod.claims = std::move(fields.claims);
  // The API server writes "metadata" before "spec", as kubectl does.
  for (const std::string& volume : fields.ephemeral_volumes) {
    pod.claims.push_back(pod.meta.name + "-" + volume);
  }
  pod.spec = context.pools.specs.Intern(std::move(fields.spec));
  return {};
}

}  // namespace azexporter::kube
