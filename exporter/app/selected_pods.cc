#include "selected_pods.h"

#include <algorithm>
#include <utility>

#include "operator_objects.h"

namespace azexporter::app {
namespace {

bool IsOfJob(const kube::Pod& pod) {
  const kube::Owner* owner = kube::ControllerOf(pod.owners);
  return owner != nullptr && owner->kind == "Job";
}

}  // namespace

void SelectedPods::SetConfig(std::vector<config::PodSelection> selections) {
  if (selections == selections_) return;
  selections_ = std::move(selections);
  known_.clear();
  databases_.clear();
}

void SelectedPods::Update(const kube::ClusterState& cluster, const std::set<std::string>& taken) {
  if (selections_.empty()) return;
  // What is not known is not gone.
  if (!AreListed(cluster, kube::Pod::kResource, complete_)) return;
  TakePods(cluster);
  ForgetGone();
  std::map<std::string, std::set<std::string>> namespaces;  // by name
  for (const auto& [key, known] : known_) namespaces[std::get<2>(key)].insert(std::get<1>(key));
  std::set<std::string> names = taken;
  databases_.clear();
  for (const auto& [key, known] : known_) {
    const auto& [selection, ns, name] = key;
    PodDatabase database{.cluster = {.name = name, .ns = ns, .object = name},
                         .selection = selection,
                         .servers = ServersOf(known, selections_[selection].expected)};
    if (namespaces[name].size() > 1) database.cluster.name = ns + "/" + name;
    if (names.insert(database.cluster.name).second) databases_.push_back(std::move(database));
  }
}

void SelectedPods::TakePods(const kube::ClusterState& cluster) {
  std::erase_if(known_, [](const auto& entry) { return entry.second.pods.empty(); });
  for (auto& [key, known] : known_) {
    for (auto& [name, last] : known.pods) last.pod = nullptr;
  }
  std::set<const kube::Pod*> taken;
  std::set<std::string> unnamed;
  for (std::size_t i = 0; i < selections_.size(); ++i) {
    const config::PodSelection& selection = selections_[i];
    const auto take = [&](const auto& pods) {
      for (const auto& pod : pods) {
        if (!selection.objects.Matches(pod->meta) || IsOfJob(*pod)) continue;
        if (!taken.insert(pod.get()).second || Take(cluster, i, *pod)) continue;
        const std::string& name = *unnamed.insert(pod->meta.ns + "/" + pod->meta.name).first;
        if (unnamed_.contains(name)) continue;
        log_.Warn("pod of no database cluster",
                  {{"pod", name}, {"error", "it has no label " + selection.cluster_label}});
      }
    };
    // Of 150,000 pods most are elsewhere.
    for (const std::string& ns : selection.objects.namespaces) take(cluster.PodsIn(ns));
    if (selection.objects.namespaces.empty()) take(cluster.pods());
    ExpectByName(i);
  }
  unnamed_ = std::move(unnamed);
}

// False where it does not tell the name of its database cluster.
bool SelectedPods::Take(const kube::ClusterState& cluster, std::size_t index,
                        const kube::Pod& pod) {
  const config::PodSelection& selection = selections_[index];
  const std::string_view name = selection.name.empty()
                                    ? kube::Lookup(pod.meta.labels, selection.cluster_label)
                                    : std::string_view(selection.name);
  if (name.empty()) return false;
  Known::Last& last = known_[Key(index, pod.meta.ns, name)].pods[pod.meta.name];
  last.pod = &pod;
  if (const std::string_view zone = cluster.ZoneOf(pod); !zone.empty()) last.zone = zone;
  if (!pod.pod_ip.empty()) last.ip = pod.pod_ip;
  return true;
}

// A cluster that is expected by its name is known without any pod.
void SelectedPods::ExpectByName(std::size_t index) {
  const config::PodSelection& selection = selections_[index];
  if (selection.name.empty() || selection.expected == 0) return;
  const auto seen = known_.lower_bound(Key(index, "", ""));
  if (seen != known_.end() && std::get<0>(seen->first) == index) return;
  const std::set<std::string>& namespaces = selection.objects.namespaces;
  known_[Key(index, namespaces.empty() ? "" : *namespaces.begin(), selection.name)];
}

// Where more are expected than there are, those that were seen stay.
void SelectedPods::ForgetGone() {
  for (auto& [key, known] : known_) {
    const auto gone = [](const auto& entry) { return entry.second.pod == nullptr; };
    const auto there = static_cast<std::size_t>(std::count_if(
        known.pods.begin(), known.pods.end(), [&](const auto& e) { return !gone(e); }));
    if (there >= selections_[std::get<0>(key)].expected) std::erase_if(known.pods, gone);
  }
  std::erase_if(known_, [this](const auto& entry) {
    return entry.second.pods.empty() && selections_[std::get<0>(entry.first)].expected == 0;
  });
}

std::vector<PodServer> SelectedPods::ServersOf(const Known& known, std::size_t expected) {
  std::vector<PodServer> servers;
  std::size_t gone = 0;
  const std::size_t there = static_cast<std::size_t>(std::count_if(
      known.pods.begin(), known.pods.end(), [](const auto& e) { return e.second.pod != nullptr; }));
  for (const auto& [name, last] : known.pods) {
    if (last.pod == nullptr && there + gone++ >= expected) continue;
    servers.push_back({name, last.zone, last.ip, std::string(Obstacle(last.pod))});
  }
  for (std::size_t i = 1; servers.size() < expected; ++i) {
    servers.push_back({"missing-" + std::to_string(i), "", "",
                       std::to_string(expected) + " are expected, and there " +
                           (there == 1 ? "is 1 pod" : "are " + std::to_string(there) + " pods")});
  }
  std::sort(servers.begin(), servers.end(),
            [](const PodServer& a, const PodServer& b) { return a.name < b.name; });
  return servers;
}

std::vector<db::PostgresInstance> InstancesOf(const PodDatabase& database,
                                              const config::PostgresAccess& access,
                                              SecretLogins& secrets) {
  std::vector<db::PostgresInstance> instances;
  for (const PodServer& server : database.servers) {
    db::PostgresInstance& instance = instances.emplace_back();
    instance.cluster = database.cluster.name;
    instance.name = server.name;
    instance.zone = server.zone;
    instance.unreachable = server.unreachable;
    if (!server.unreachable.empty()) continue;
    SetAccess(access, database.cluster, "", server.ip, secrets, instance);
  }
  return instances;
}

db::RedisCluster RedisOf(const PodDatabase& database, const config::RedisPods& config,
                         SecretLogins& secrets) {
  constexpr int kPort = 6379;
  const int port = config.access.port == 0 ? kPort : config.access.port;
  db::RedisCluster redis;
  redis.name = database.cluster.name;
  SetAccess(config.access, redis);
  if (!config.secret.empty()) {
    redis.login = secrets.Of({.ns = database.cluster.ns,
                              .name = SecretName(config.secret, database.cluster.object),
                              .user_key = "",
                              .password_key = config.secret_key});
  }
  for (const PodServer& server : database.servers) {
    if (!server.unreachable.empty()) continue;
    redis.addresses.push_back(AddressOf(server.ip, port));
    redis.places[redis.addresses.back()] = {server.name, server.zone};
  }
  for (const PodServer& server : database.servers) {
    if (server.unreachable.empty()) continue;
    // Its last address, under which its peers know it, may be another's by now.
    std::string address = server.ip.empty() ? server.name : AddressOf(server.ip, port);
    if (redis.places.contains(address)) address = server.name;
    redis.unreachable[address] = server.unreachable;
    redis.places[address] = {server.name, server.zone};
  }
  return redis;
}

}  // namespace azexporter::app
