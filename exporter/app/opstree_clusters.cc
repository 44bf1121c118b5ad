#include "opstree_clusters.h"

#include <utility>

#include "azexporter/base/yaml_path.h"
#include "operator_objects.h"
#include "pod_servers.h"
#include "selected_objects.h"

namespace azexporter::app {
namespace {

using base::Result;

bool IsNode(const kube::StringMap& labels, const std::string& cluster) {
  const std::string_view app = kube::Lookup(labels, "app");
  const std::string_view setup = kube::Lookup(labels, "redis_setup_type");
  return (setup.empty() || setup == "cluster") &&
         (app == cluster + "-leader" || app == cluster + "-follower");
}

Result<void> ReadText(const base::YamlNode& node, std::string& out) {
  if (node.is_null()) return {};
  AZX_ASSIGN_OR_RETURN(out, node.AsString());
  return {};
}

Result<OpstreeClusters::Spec> ReadSpec(const kube::RedisCluster& object) {
  AZX_ASSIGN_OR_RETURN(const base::YamlNode root,
                       base::YamlNode::Parse(
                           object.json, "RedisCluster " + object.meta.ns + "/" + object.meta.name));
  OpstreeClusters::Spec spec;
  const base::YamlNode& secret = base::ValueAt(root, {"spec", "kubernetesConfig", "redisSecret"});
  AZX_RETURN_IF_ERROR(ReadText(base::ValueAt(secret, {"name"}), spec.secret));
  AZX_RETURN_IF_ERROR(ReadText(base::ValueAt(secret, {"key"}), spec.secret_key));
  const base::YamlNode& port = base::ValueAt(root, {"spec", "port"});
  if (port.is_null()) return spec;
  AZX_ASSIGN_OR_RETURN(const std::int64_t number, port.AsInt64());
  if (number < 1 || number > 65'535) return base::Fail(port.ErrorHere("not a port"));
  spec.port = static_cast<int>(number);
  return spec;
}

}  // namespace

void OpstreeClusters::SetConfig(std::optional<config::OpstreeConfig> config,
                                const std::vector<db::RedisCluster>& configured) {
  config_ = std::move(config);
  configured_.clear();
  for (const db::RedisCluster& cluster : configured) configured_.insert(cluster.name);
}

void OpstreeClusters::Update(const kube::ClusterState& cluster) {
  if (!config_) return;
  // What is not known is not gone.
  if (!AreListed(cluster, kube::RedisCluster::kResource, complete_)) return;
  TakeSelected(cluster.redis_clusters(), config_->selection, objects_,
               [this](Known& known) { Read(known); });
  const std::map<std::string, std::string> names = DatabaseNames(objects_);
  clusters_.clear();
  for (auto& [full_name, known] : objects_) {
    const std::string& name = names.at(full_name);
    if (configured_.contains(name)) continue;
    db::RedisCluster redis = Login(name, known);
    TakePods(cluster, known, redis);
    clusters_.push_back(std::move(redis));
  }
}

void OpstreeClusters::Read(Known& known) const {
  Result<Spec> spec = ReadSpec(*known.object);
  if (spec) {
    known.spec = std::move(*spec);
  } else {
    log_.Warn("RedisCluster not understood", {{"error", spec.error().message()}});
  }
}

void OpstreeClusters::TakePods(const kube::ClusterState& cluster, Known& known,
                               db::RedisCluster& redis) const {
  const int port = config_->access.port != 0 ? config_->access.port : known.spec.port;
  for (const auto& pod : cluster.PodsIn(known.object->meta.ns)) {
    if (!IsNode(pod->meta.labels, known.object->meta.name)) continue;
    if (!pod->is_active() || pod->pod_ip.empty()) continue;
    auto& [address, place] = known.pods[pod->meta.name];
    address = AddressOf(pod->pod_ip, port);
    place.instance = pod->meta.name;
    const std::string_view zone = cluster.ZoneOf(*pod);
    if (!zone.empty()) place.zone = zone;
    redis.addresses.push_back(address);
    redis.places[address] = place;
  }
  for (const auto& [name, last] : known.pods) redis.places.insert(last);
}

db::RedisCluster OpstreeClusters::Login(const std::string& name, const Known& known) const {
  db::RedisCluster redis;
  redis.name = name;
  SetAccess(config_->access, redis);
  if (config_->secret && !known.spec.secret.empty()) {
    redis.login = secrets_.Of({.ns = known.object->meta.ns,
                               .name = known.spec.secret,
                               .user_key = "",
                               .password_key = known.spec.secret_key});
  }
  return redis;
}

}  // namespace azexporter::app
