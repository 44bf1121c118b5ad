#include "azexporter/kube/wire_schema.h"

namespace azexporter::kube {
namespace wire {
namespace {

using Count = WireField::Count;
using Type = WireField::Type;

constexpr WireField Text(std::uint32_t number, std::string_view name) {
  return {number, name, Type::kText};
}
constexpr WireField Texts(std::uint32_t number, std::string_view name) {
  return {number, name, Type::kText, nullptr, Count::kMany};
}
constexpr WireField TextMap(std::uint32_t number, std::string_view name) {
  return {number, name, Type::kText, nullptr, Count::kMap};
}
constexpr WireField Bool(std::uint32_t number, std::string_view name) {
  return {number, name, Type::kBool};
}
constexpr WireField Integer(std::uint32_t number, std::string_view name) {
  return {number, name, Type::kInteger};
}
constexpr WireField Time(std::uint32_t number, std::string_view name) {
  return {number, name, Type::kTime};
}
constexpr WireField IntOrString(std::uint32_t number, std::string_view name) {
  return {number, name, Type::kIntOrString};
}
constexpr WireField Quantities(std::uint32_t number, std::string_view name) {
  return {number, name, Type::kQuantity, nullptr, Count::kMap};
}
constexpr WireField One(std::uint32_t number, std::string_view name, const WireMessage& message) {
  return {number, name, Type::kMessage, &message};
}
constexpr WireField Many(std::uint32_t number, std::string_view name, const WireMessage& message) {
  return {number, name, Type::kMessage, &message, Count::kMany};
}
constexpr WireField Inline(std::uint32_t number, const WireMessage& message) {
  return {number, "", Type::kInline, &message};
}

// apimachinery/pkg/apis/meta/v1
constexpr WireField kOwnerReferenceFields[] = {Text(1, "kind"), Text(3, "name"),
                                               Bool(6, "controller")};
constexpr WireMessage kOwnerReference{kOwnerReferenceFields};

constexpr WireField kObjectMetaFields[] = {Text(1, "name"),
                                           Text(3, "namespace"),
                                           Text(5, "uid"),
                                           Text(6, "resourceVersion"),
                                           Integer(7, "generation"),
                                           Time(8, "creationTimestamp"),
                                           Time(9, "deletionTimestamp"),
                                           TextMap(11, "labels"),
                                           TextMap(12, "annotations"),
                                           Many(13, "ownerReferences", kOwnerReference)};
constexpr WireMessage kObjectMeta{kObjectMetaFields};

// A requirement of a label selector and one of a node selector have the same numbers.
constexpr WireField kRequirementFields[] = {Text(1, "key"), Text(2, "operator"),
                                            Texts(3, "values")};
constexpr WireMessage kRequirement{kRequirementFields};

constexpr WireField kLabelSelectorFields[] = {TextMap(1, "matchLabels"),
                                              Many(2, "matchExpressions", kRequirement)};
constexpr WireMessage kLabelSelector{kLabelSelectorFields};

// core/v1: nodes
constexpr WireField kTaintFields[] = {Text(1, "key"), Text(2, "value"), Text(3, "effect")};
constexpr WireMessage kTaint{kTaintFields};

constexpr WireField kNodeSpecFields[] = {Bool(4, "unschedulable"), Many(5, "taints", kTaint)};
constexpr WireMessage kNodeSpec{kNodeSpecFields};

constexpr WireField kNodeConditionFields[] = {Text(1, "type"), Text(2, "status")};
constexpr WireMessage kNodeCondition{kNodeConditionFields};

constexpr WireField kNodeStatusFields[] = {Quantities(2, "allocatable"),
                                           Many(4, "conditions", kNodeCondition)};
constexpr WireMessage kNodeStatus{kNodeStatusFields};

constexpr WireField kNodeFields[] = {One(1, "metadata", kObjectMeta), One(2, "spec", kNodeSpec),
                                     One(3, "status", kNodeStatus)};
constexpr WireMessage kNode{kNodeFields};

// core/v1: pods
constexpr WireField kResourceRequirementsFields[] = {Quantities(1, "limits"),
                                                     Quantities(2, "requests")};
constexpr WireMessage kResourceRequirements{kResourceRequirementsFields};

constexpr WireField kContainerPortFields[] = {Integer(2, "hostPort"), Text(4, "protocol"),
                                              Text(5, "hostIP")};
constexpr WireMessage kContainerPort{kContainerPortFields};

// Of which it matters only whether it is there.
constexpr WireMessage kAnything{};

constexpr WireField kExecActionFields[] = {Texts(1, "command")};
constexpr WireMessage kExecAction{kExecActionFields};
constexpr WireField kSleepActionFields[] = {Integer(1, "seconds")};
constexpr WireMessage kSleepAction{kSleepActionFields};
constexpr WireField kLifecycleHandlerFields[] = {One(1, "exec", kExecAction),
                                                 One(4, "sleep", kSleepAction)};
constexpr WireMessage kLifecycleHandler{kLifecycleHandlerFields};
constexpr WireField kLifecycleFields[] = {One(2, "preStop", kLifecycleHandler)};
constexpr WireMessage kLifecycle{kLifecycleFields};

constexpr WireField kContainerFields[] = {
    Many(6, "ports", kContainerPort), One(8, "resources", kResourceRequirements),
    One(11, "readinessProbe", kAnything), One(12, "lifecycle", kLifecycle),
    Text(24, "restartPolicy")};
constexpr WireMessage kContainer{kContainerFields};

constexpr WireField kNodeSelectorTermFields[] = {Many(1, "matchExpressions", kRequirement),
                                                 Many(2, "matchFields", kRequirement)};
constexpr WireMessage kNodeSelectorTerm{kNodeSelectorTermFields};

constexpr WireField kNodeSelectorFields[] = {Many(1, "nodeSelectorTerms", kNodeSelectorTerm)};
constexpr WireMessage kNodeSelector{kNodeSelectorFields};

constexpr WireField kNodeAffinityFields[] = {
    One(1, "requiredDuringSchedulingIgnoredDuringExecution", kNodeSelector)};
constexpr WireMessage kNodeAffinity{kNodeAffinityFields};

constexpr WireField kPodAffinityTermFields[] = {One(1, "labelSelector", kLabelSelector),
                                                Texts(2, "namespaces"),
                                                Text(3, "topologyKey"),
                                                One(4, "namespaceSelector", kLabelSelector),
                                                Texts(5, "matchLabelKeys"),
                                                Texts(6, "mismatchLabelKeys")};
constexpr WireMessage kPodAffinityTerm{kPodAffinityTermFields};

constexpr WireField kWeightedPodAffinityTermFields[] = {
    Integer(1, "weight"), One(2, "podAffinityTerm", kPodAffinityTerm)};
constexpr WireMessage kWeightedPodAffinityTerm{kWeightedPodAffinityTermFields};

// Affinity and anti-affinity have the same numbers.
constexpr WireField kPodAffinityFields[] = {
    Many(1, "requiredDuringSchedulingIgnoredDuringExecution", kPodAffinityTerm),
    Many(2, "preferredDuringSchedulingIgnoredDuringExecution", kWeightedPodAffinityTerm)};
constexpr WireMessage kPodAffinity{kPodAffinityFields};

constexpr WireField kAffinityFields[] = {One(1, "nodeAffinity", kNodeAffinity),
                                         One(2, "podAffinity", kPodAffinity),
                                         One(3, "podAntiAffinity", kPodAffinity)};
constexpr WireMessage kAffinity{kAffinityFields};

constexpr WireField kTolerationFields[] = {Text(1, "key"), Text(2, "operator"), Text(3, "value"),
                                           Text(4, "effect")};
constexpr WireMessage kToleration{kTolerationFields};

constexpr WireField kTopologySpreadConstraintFields[] = {
    Integer(1, "maxSkew"),        Text(2, "topologyKey"),
    Text(3, "whenUnsatisfiable"), One(4, "labelSelector", kLabelSelector),
    Integer(5, "minDomains"),     Text(6, "nodeAffinityPolicy"),
    Text(7, "nodeTaintsPolicy"),  Texts(8, "matchLabelKeys")};
constexpr WireMessage kTopologySpreadConstraint{kTopologySpreadConstraintFields};

constexpr WireField kClaimSourceFields[] = {Text(1, "claimName")};
constexpr WireMessage kClaimSource{kClaimSourceFields};

constexpr WireField kVolumeSourceFields[] = {One(10, "persistentVolumeClaim", kClaimSource),
                                             One(29, "ephemeral", kAnything)};
constexpr WireMessage kVolumeSource{kVolumeSourceFields};

constexpr WireField kVolumeFields[] = {Text(1, "name"), Inline(2, kVolumeSource)};
constexpr WireMessage kVolume{kVolumeFields};

constexpr WireField kPodSpecFields[] = {
    Many(1, "volumes", kVolume),
    Many(2, "containers", kContainer),
    Integer(4, "terminationGracePeriodSeconds"),
    TextMap(7, "nodeSelector"),
    Text(10, "nodeName"),
    Bool(11, "hostNetwork"),
    One(18, "affinity", kAffinity),
    Many(20, "initContainers", kContainer),
    Many(22, "tolerations", kToleration),
    Text(24, "priorityClassName"),
    Integer(25, "priority"),
    Quantities(32, "overhead"),
    Many(33, "topologySpreadConstraints", kTopologySpreadConstraint),
    One(40, "resources", kResourceRequirements)};
constexpr WireMessage kPodSpec{kPodSpecFields};

constexpr WireField kPodConditionFields[] = {Text(1, "type"), Text(2, "status"), Text(5, "reason")};
constexpr WireMessage kPodCondition{kPodConditionFields};

constexpr WireField kPodStatusFields[] = {Text(1, "phase"), Many(2, "conditions", kPodCondition),
                                          Text(5, "hostIP"), Text(6, "podIP")};
constexpr WireMessage kPodStatus{kPodStatusFields};

constexpr WireField kPodFields[] = {One(1, "metadata", kObjectMeta), One(2, "spec", kPodSpec),
                                    One(3, "status", kPodStatus)};
constexpr WireMessage kPod{kPodFields};

constexpr WireField kPodTemplateFields[] = {One(1, "metadata", kObjectMeta),
                                            One(2, "spec", kPodSpec)};
constexpr WireMessage kPodTemplate{kPodTemplateFields};

// core/v1: the rest
constexpr WireField kConfigMapFields[] = {One(1, "metadata", kObjectMeta), TextMap(2, "data")};
constexpr WireMessage kConfigMap{kConfigMapFields};

constexpr WireField kVolumeNodeAffinityFields[] = {One(1, "required", kNodeSelector)};
constexpr WireMessage kVolumeNodeAffinity{kVolumeNodeAffinityFields};

constexpr WireField kObjectReferenceFields[] = {Text(1, "kind"), Text(2, "namespace"),
                                                Text(3, "name")};
constexpr WireMessage kObjectReference{kObjectReferenceFields};

constexpr WireField kPersistentVolumeSpecFields[] = {
    Quantities(1, "capacity"), One(4, "claimRef", kObjectReference), Text(6, "storageClassName"),
    One(9, "nodeAffinity", kVolumeNodeAffinity)};
constexpr WireMessage kPersistentVolumeSpec{kPersistentVolumeSpecFields};

// Of a volume and of a claim.
constexpr WireField kPhaseFields[] = {Text(1, "phase")};
constexpr WireMessage kPhase{kPhaseFields};

constexpr WireField kPersistentVolumeFields[] = {One(1, "metadata", kObjectMeta),
                                                 One(2, "spec", kPersistentVolumeSpec),
                                                 One(3, "status", kPhase)};
constexpr WireMessage kPersistentVolume{kPersistentVolumeFields};

constexpr WireField kClaimSpecFields[] = {Texts(1, "accessModes"), Text(3, "volumeName"),
                                          Text(5, "storageClassName")};
constexpr WireMessage kClaimSpec{kClaimSpecFields};

constexpr WireField kClaimFields[] = {One(1, "metadata", kObjectMeta), One(2, "spec", kClaimSpec),
                                      One(3, "status", kPhase)};
constexpr WireMessage kClaim{kClaimFields};

constexpr WireField kServicePortFields[] = {Text(1, "name"), Integer(3, "port"),
                                            IntOrString(4, "targetPort")};
constexpr WireMessage kServicePort{kServicePortFields};

constexpr WireField kServiceSpecFields[] = {Many(1, "ports", kServicePort),
                                            TextMap(2, "selector"),
                                            Text(3, "clusterIP"),
                                            Text(4, "type"),
                                            Text(11, "externalTrafficPolicy"),
                                            Bool(13, "publishNotReadyAddresses"),
                                            Text(21, "loadBalancerClass"),
                                            Text(22, "internalTrafficPolicy"),
                                            Text(23, "trafficDistribution")};
constexpr WireMessage kServiceSpec{kServiceSpecFields};

constexpr WireField kServiceFields[] = {One(1, "metadata", kObjectMeta),
                                        One(2, "spec", kServiceSpec)};
constexpr WireMessage kService{kServiceFields};

// apps/v1
constexpr WireField kReplicasSpecFields[] = {
    Integer(1, "replicas"), One(2, "selector", kLabelSelector), One(3, "template", kPodTemplate)};
constexpr WireMessage kReplicasSpec{kReplicasSpecFields};  // of Deployments and ReplicaSets

constexpr WireField kDeploymentStatusFields[] = {Integer(7, "readyReplicas")};
constexpr WireMessage kDeploymentStatus{kDeploymentStatusFields};

constexpr WireField kDeploymentFields[] = {One(1, "metadata", kObjectMeta),
                                           One(2, "spec", kReplicasSpec),
                                           One(3, "status", kDeploymentStatus)};
constexpr WireMessage kDeployment{kDeploymentFields};

constexpr WireField kReplicaSetStatusFields[] = {Integer(4, "readyReplicas")};
constexpr WireMessage kReplicaSetStatus{kReplicaSetStatusFields};

constexpr WireField kReplicaSetFields[] = {One(1, "metadata", kObjectMeta),
                                           One(2, "spec", kReplicasSpec),
                                           One(3, "status", kReplicaSetStatus)};
constexpr WireMessage kReplicaSet{kReplicaSetFields};

constexpr WireField kStatefulSetSpecFields[] = {
    Integer(1, "replicas"), One(2, "selector", kLabelSelector), One(3, "template", kPodTemplate),
    Many(4, "volumeClaimTemplates", kClaim)};
constexpr WireMessage kStatefulSetSpec{kStatefulSetSpecFields};

constexpr WireField kStatefulSetStatusFields[] = {Integer(3, "readyReplicas")};
constexpr WireMessage kStatefulSetStatus{kStatefulSetStatusFields};

constexpr WireField kStatefulSetFields[] = {One(1, "metadata", kObjectMeta),
                                            One(2, "spec", kStatefulSetSpec),
                                            One(3, "status", kStatefulSetStatus)};
constexpr WireMessage kStatefulSet{kStatefulSetFields};

constexpr WireField kDaemonSetSpecFields[] = {One(1, "selector", kLabelSelector),
                                              One(2, "template", kPodTemplate)};
constexpr WireMessage kDaemonSetSpec{kDaemonSetSpecFields};

constexpr WireField kDaemonSetStatusFields[] = {Integer(3, "desiredNumberScheduled"),
                                                Integer(4, "numberReady")};
constexpr WireMessage kDaemonSetStatus{kDaemonSetStatusFields};

constexpr WireField kDaemonSetFields[] = {One(1, "metadata", kObjectMeta),
                                          One(2, "spec", kDaemonSetSpec),
                                          One(3, "status", kDaemonSetStatus)};
constexpr WireMessage kDaemonSet{kDaemonSetFields};

// batch/v1
constexpr WireField kJobSpecFields[] = {Integer(1, "parallelism"),
                                        One(4, "selector", kLabelSelector),
                                        One(6, "template", kPodTemplate)};
constexpr WireMessage kJobSpec{kJobSpecFields};

constexpr WireField kJobStatusFields[] = {Many(1, "conditions", kNodeCondition),
                                          Integer(9, "ready")};
constexpr WireMessage kJobStatus{kJobStatusFields};

constexpr WireField kJobFields[] = {One(1, "metadata", kObjectMeta), One(2, "spec", kJobSpec),
                                    One(3, "status", kJobStatus)};
constexpr WireMessage kJob{kJobFields};

// policy/v1
constexpr WireField kBudgetSpecFields[] = {
    IntOrString(1, "minAvailable"), One(2, "selector", kLabelSelector),
    IntOrString(3, "maxUnavailable"), Text(4, "unhealthyPodEvictionPolicy")};
constexpr WireMessage kBudgetSpec{kBudgetSpecFields};

constexpr WireField kBudgetStatusFields[] = {
    Integer(1, "observedGeneration"), Integer(3, "disruptionsAllowed"),
    Integer(4, "currentHealthy"), Integer(5, "desiredHealthy"), Integer(6, "expectedPods")};
constexpr WireMessage kBudgetStatus{kBudgetStatusFields};

constexpr WireField kBudgetFields[] = {One(1, "metadata", kObjectMeta), One(2, "spec", kBudgetSpec),
                                       One(3, "status", kBudgetStatus)};
constexpr WireMessage kBudget{kBudgetFields};

// storage.k8s.io/v1
constexpr WireField kTopologyLabelFields[] = {Text(1, "key"), Texts(2, "values")};
constexpr WireMessage kTopologyLabel{kTopologyLabelFields};

constexpr WireField kTopologyTermFields[] = {Many(1, "matchLabelExpressions", kTopologyLabel)};
constexpr WireMessage kTopologyTerm{kTopologyTermFields};

constexpr WireField kStorageClassFields[] = {
    One(1, "metadata", kObjectMeta), Text(2, "provisioner"), TextMap(3, "parameters"),
    Text(7, "volumeBindingMode"), Many(8, "allowedTopologies", kTopologyTerm)};
constexpr WireMessage kStorageClass{kStorageClassFields};

// discovery.k8s.io/v1
constexpr WireField kEndpointConditionsFields[] = {Bool(1, "ready"), Bool(2, "serving"),
                                                   Bool(3, "terminating")};
constexpr WireMessage kEndpointConditions{kEndpointConditionsFields};

constexpr WireField kForZoneFields[] = {Text(1, "name")};
constexpr WireMessage kForZone{kForZoneFields};

constexpr WireField kEndpointHintsFields[] = {Many(1, "forZones", kForZone)};
constexpr WireMessage kEndpointHints{kEndpointHintsFields};

constexpr WireField kEndpointFields[] = {Texts(1, "addresses"),
                                         One(2, "conditions", kEndpointConditions),
                                         One(4, "targetRef", kObjectReference),
                                         Text(6, "nodeName"),
                                         Text(7, "zone"),
                                         One(8, "hints", kEndpointHints)};
constexpr WireMessage kEndpoint{kEndpointFields};

constexpr WireField kEndpointPortFields[] = {Text(1, "name"), Text(2, "protocol"),
                                             Integer(3, "port"), Text(4, "appProtocol")};
constexpr WireMessage kEndpointPort{kEndpointPortFields};

constexpr WireField kEndpointSliceFields[] = {
    One(1, "metadata", kObjectMeta), Many(2, "endpoints", kEndpoint),
    Many(3, "ports", kEndpointPort), Text(4, "addressType")};
constexpr WireMessage kEndpointSlice{kEndpointSliceFields};

// coordination.k8s.io/v1
constexpr WireField kLeaseSpecFields[] = {Integer(2, "leaseDurationSeconds"), Time(4, "renewTime")};
constexpr WireMessage kLeaseSpec{kLeaseSpecFields};
constexpr WireField kLeaseFields[] = {One(1, "metadata", kObjectMeta), One(2, "spec", kLeaseSpec)};
constexpr WireMessage kLease{kLeaseFields};

// apimachinery: what objects travel in
constexpr WireField kEnvelopeFields[] = {Text(2, "raw")};
constexpr WireField kListMetaFields[] = {Text(2, "resourceVersion"), Text(3, "continue")};
constexpr WireField kStatusFields[] = {Text(3, "message"), Integer(6, "code")};
constexpr WireField kWatchEventFields[] = {Text(1, "type"), {2, "object", Type::kRaw}};
constexpr WireField kMetadataOnlyFields[] = {One(1, "metadata", kObjectMeta)};

struct Kind {
  std::string_view api_version;
  std::string_view kind;
  const WireMessage* message;
};
constexpr Kind kKinds[] = {
    {"v1", "Node", &kNode},
    {"v1", "Pod", &kPod},
    {"v1", "ConfigMap", &kConfigMap},
    {"v1", "PersistentVolume", &kPersistentVolume},
    {"v1", "PersistentVolumeClaim", &kClaim},
    {"v1", "Service", &kService},
    {"apps/v1", "Deployment", &kDeployment},
    {"apps/v1", "ReplicaSet", &kReplicaSet},
    {"apps/v1", "StatefulSet", &kStatefulSet},
    {"apps/v1", "DaemonSet", &kDaemonSet},
    {"batch/v1", "Job", &kJob},
    {"policy/v1", "PodDisruptionBudget", &kBudget},
    {"storage.k8s.io/v1", "StorageClass", &kStorageClass},
    {"discovery.k8s.io/v1", "EndpointSlice", &kEndpointSlice},
    {"coordination.k8s.io/v1", "Lease", &kLease},
};

}  // namespace

const WireMessage kEnvelope{kEnvelopeFields};
const WireMessage kListMeta{kListMetaFields};
const WireMessage kStatus{kStatusFields};
const WireMessage kWatchEvent{kWatchEventFields};
const WireMessage kMetadataOnly{kMetadataOnlyFields};

}  // namespace wire

const WireField* WireMessage::Find(std::uint32_t number) const {
  for (const WireField& field : fields) {
    if (field.number >= number) return field.number == number ? &field : nullptr;
  }
  return nullptr;
}

Encoding EncodingOf(std::string_view content_type) {
  return content_type.starts_with(kWireContentType) ? Encoding::kProtobuf : Encoding::kJson;
}

const WireMessage* WireMessageOf(std::string_view api_version, std::string_view kind) {
  for (const wire::Kind& known : wire::kKinds) {
    if (known.api_version == api_version && known.kind == kind) return known.message;
  }
  return nullptr;
}

}  // namespace azexporter::kube
