#include "opstree_clusters.h"

#include <utility>

#include "azexporter/base/yaml_path.h"
#include "operator_objects.h"
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

std::string Address(const std::string& ip, int port) {
  const bool v6 = ip.find(':') != std::string::npos;
  return (v6 ? "[" + ip + "]" : ip) + ":" + std::to_string(port);
}

Result<int> PortOf(const kube::RedisCluster& object) {
  AZX_ASSIGN_OR_RETURN(const base::YamlNode root,
                       base::YamlNode::Parse(
                           object.json, "RedisCluster " + object.meta.ns + "/" + object.meta.name));
  const base::YamlNode& port = base::ValueAt(root, {"spec", "port"});
  if (port.is_null()) return 6379;
  AZX_ASSIGN_OR_RETURN(const std::int64_t number, port.AsInt64());
  if (number < 1 || number > 65'535) return base::Fail(port.ErrorHere("not a port"));
  return static_cast<int>(number);
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
    db::RedisCluster redis = Login(name);
    TakePods(cluster, known, redis);
    clusters_.push_back(std::move(redis));
  }
}

void OpstreeClusters::Read(Known& known) const {
  const Result<int> port = PortOf(*known.object);
  if (port) {
    known.port = *port;
  } else {
    log_.Warn("RedisCluster not understood", {{"error", port.error().message()}});
  }
}

void OpstreeClusters::TakePods(const kube::ClusterState& cluster, Known& known,
                               db::RedisCluster& redis) const {
  const int port = config_->port != 0 ? config_->port : known.port;
  for (const auto& pod : cluster.PodsIn(known.object->meta.ns)) {
    if (!IsNode(pod->meta.labels, known.object->meta.name)) continue;
    if (!pod->is_active() || pod->pod_ip.empty()) continue;
    auto& [address, place] = known.pods[pod->meta.name];
    address = Address(pod->pod_ip, port);
    place.instance = pod->meta.name;
    const std::string_view zone = cluster.ZoneOf(*pod);
    if (!zone.empty()) place.zone = zone;
    redis.addresses.push_back(address);
    redis.places[address] = place;
  }
  for (const auto& [name, last] : known.pods) redis.places.insert(last);
}

db::RedisCluster OpstreeClusters::Login(const std::string& name) const {
  db::RedisCluster redis;
  redis.name = name;
  redis.username = config_->username;
  redis.password_file = config_->credentials_folder.empty()
                            ? config_->password_file
                            : config_->credentials_folder + "/" + name + "/password";
  redis.tls = config_->tls;
  return redis;
}

}  // namespace azexporter::app
