#include "cnpg_instances.h"

#include <utility>

#include "operator_objects.h"
#include "pod_servers.h"
#include "selected_objects.h"

namespace azexporter::app {
namespace {

constexpr std::string_view kClusterLabel = "cnpg.io/cluster";
constexpr std::string_view kPodRoleLabel = "cnpg.io/podRole";
constexpr std::string_view kJobRoleLabel = "cnpg.io/jobRole";

// Not a job of the operator, nor a pooler. Operators before 1.22 gave instances no role.
bool IsInstance(const kube::StringMap& labels, std::string_view cluster) {
  const std::string_view role = kube::Lookup(labels, kPodRoleLabel);
  return kube::Lookup(labels, kClusterLabel) == cluster && (role.empty() || role == "instance") &&
         kube::Find(labels, kJobRoleLabel) == nullptr;
}

}  // namespace

void CnpgInstances::SetConfig(std::optional<config::CnpgConfig> config,
                              const std::vector<db::PostgresInstance>& configured) {
  config_ = std::move(config);
  configured_.clear();
  for (const db::PostgresInstance& instance : configured) configured_.insert(instance.cluster);
}

void CnpgInstances::Update(const kube::ClusterState& cluster) {
  if (!config_) return;
  // What is not known is not gone.
  if (!AreListed(cluster, kube::CnpgCluster::kResource, complete_)) return;
  TakeSelected(cluster.cnpg_clusters(), config_->selection, objects_,
               [this](Known& known) { Read(known); });
  NameClusters();
  instances_.clear();
  for (const zones::CnpgStatus& status : clusters_) {
    AddInstances(cluster, status, objects_[status.ns + "/" + status.name]);
  }
}

void CnpgInstances::Read(Known& known) const {
  auto status = zones::ReadCnpgCluster(*known.object);
  if (status) {
    known.status = std::move(*status);
    return;
  }
  log_.Warn("Cluster of CloudNativePG not understood",
            {{"error", status.error().message()},
             {"known", known.status ? "what it was before" : "nothing of it"}});
}

void CnpgInstances::NameClusters() {
  const std::map<std::string, std::string> names = DatabaseNames(objects_);
  clusters_.clear();
  for (const auto& [name, known] : objects_) {
    if (!known.status) continue;
    zones::CnpgStatus status = *known.status;
    status.cluster = names.at(name);
    if (!configured_.contains(status.cluster)) clusters_.push_back(std::move(status));
  }
}

void CnpgInstances::AddInstances(const kube::ClusterState& cluster, const zones::CnpgStatus& status,
                                 Known& known) {
  std::map<std::string, const kube::Pod*> pods;  // by instance; null: its pod is gone
  if (!status.hibernated) {
    for (const std::string& name : status.names) pods[name];
  }
  for (const auto& pod : cluster.PodsIn(status.ns)) {
    if (IsInstance(pod->meta.labels, status.name)) pods[pod->meta.name] = pod.get();
  }
  std::map<std::string, std::string> zones;
  for (const auto& [name, pod] : pods) {
    std::string& zone = zones[name];
    if (pod != nullptr) zone = cluster.ZoneOf(*pod);
    const auto told = status.zones.find(name);
    if (zone.empty()) zone = known.zones[name];
    if (zone.empty() && told != status.zones.end()) zone = told->second;
    db::PostgresInstance instance = Instance(status, name, pod);
    instance.zone = zone;
    instances_.push_back(std::move(instance));
  }
  known.zones = std::move(zones);
}

// The certificate that the operator makes is for the names of its Services: the host is that of the
// one for writing, whatever instance is asked.
// Source: github.com/cloudnative-pg/cloudnative-pg, api/v1/cluster_funcs.go, GetClusterAltDNSNames.
db::PostgresInstance CnpgInstances::Instance(const zones::CnpgStatus& status,
                                             const std::string& name, const kube::Pod* pod) const {
  db::PostgresInstance instance;
  instance.cluster = status.cluster;
  instance.name = name;
  instance.unreachable = Obstacle(pod);
  if (!instance.unreachable.empty()) return instance;
  SetAccess(config_->access, {status.cluster, status.ns, status.name},
            status.name + "-rw." + status.ns, pod->pod_ip, secrets_, instance);
  return instance;
}

}  // namespace azexporter::app
