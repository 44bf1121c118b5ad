#include "azexporter/zones/redis.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace azexporter::zones {
namespace {

using db::RedisFacts;
using db::RedisPeer;
using db::RedisView;

// Running pods by address, of the addresses that are asked for. On a node's own network several
// pods have that of the node.
using Pods = std::map<std::string, std::vector<const kube::Pod*>, std::less<>>;

std::string HostOf(std::string_view address) {
  std::string_view host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return std::string(host);
}

std::string_view PortOf(std::string_view address) { return address.substr(address.rfind(':') + 1); }

// A port of the node's network is a host port, too: the API server sees to that.
// Source: github.com/kubernetes/kubernetes, pkg/apis/core/v1/defaults.go, defaultHostNetworkPorts.
bool ListensAt(const kube::Pod& pod, std::string_view port) {
  const std::vector<kube::HostPort>& ports = pod.spec->host_ports;
  return std::any_of(ports.begin(), ports.end(), [&](const kube::HostPort& one) {
    return one.protocol != "UDP" && one.protocol != "SCTP" && std::to_string(one.port) == port;
  });
}

// The one that answers at `address`; nullptr where that cannot be told.
const kube::Pod* PodAt(const std::vector<const kube::Pod*>& pods, std::string_view address) {
  if (pods.size() == 1) return pods[0];
  const kube::Pod* found = nullptr;
  for (const kube::Pod* pod : pods) {
    if (!ListensAt(*pod, PortOf(address))) continue;
    if (found != nullptr) return nullptr;
    found = pod;
  }
  return found;
}

Pods FindPods(std::span<const RedisFacts> facts, const kube::ClusterState& cluster) {
  Pods pods;
  for (const RedisFacts& one : facts) {
    pods[HostOf(one.address)];
    if (!one.view) continue;
    for (const RedisPeer& peer : one.view->peers) pods[HostOf(peer.address)];
  }
  if (pods.empty()) return pods;
  for (const auto& pod : cluster.pods()) {
    if (pod->pod_ip.empty()) continue;
    const auto found = pods.find(pod->pod_ip);
    // A finished pod's address may be another's by now.
    if (found != pods.end() && pod->phase == kube::PodPhase::kRunning) {
      found->second.push_back(pod.get());
    }
  }
  return pods;
}

// What the nodes of one view agree on, as a text that is the same for the same view.
std::string Digest(const RedisView& view) {
  std::vector<std::string> lines;
  for (const RedisPeer& peer : view.peers) {
    if (peer.joining) continue;
    std::string line =
        fmt::format("{} {} {} {}", peer.id, peer.master, peer.failed, peer.master_id);
    for (const db::SlotRange& range : peer.slots) {
      line += fmt::format(" {}-{}", range.first, range.last);
    }
    lines.push_back(std::move(line));
  }
  std::sort(lines.begin(), lines.end());
  return fmt::format("{}\n{}", view.ok, fmt::join(lines, "\n"));
}

// The judgement on one configured cluster.
class Judge {
 public:
  Judge(const db::RedisCluster& config, const kube::ClusterState& cluster, const Pods& pods)
      : config_(config), cluster_(cluster), pods_(pods) {
    status_.cluster = config.name;
  }

  RedisStatus Run(std::span<const RedisFacts> all) {
    for (const RedisFacts& facts : all) {
      if (facts.cluster != config_.name) continue;
      facts_.push_back(&facts);
      status_.known = status_.known || facts.up;
      status_.clustered = status_.clustered || facts.view.has_value();
    }
    const RedisView* view = TakeView();
    for (const RedisFacts* facts : facts_) AddAsked(*facts);
    if (view != nullptr) {
      AddPeers(*view);
    } else {
      LinkReplicas();
    }
    for (RedisNodeStatus& node : status_.nodes) Lag(node);
    if (status_.known) CountZones();
    return std::move(status_);
  }

 private:
  // The view that counts; null where no node has one.
  const RedisView* TakeView() {
    std::map<std::string, std::pair<int, const RedisView*>> views;
    for (const RedisFacts* facts : facts_) {
      if (!facts->view) continue;
      auto& [nodes, view] = views[Digest(*facts->view)];
      ++nodes;
      view = &*facts->view;
    }
    status_.views = static_cast<int>(views.size());
    const std::pair<int, const RedisView*>* best = nullptr;
    for (const auto& [digest, one] : views) {
      if (best == nullptr ||
          std::pair(one.second->ok, one.first) > std::pair(best->second->ok, best->first)) {
        best = &one;
      }
    }
    return best == nullptr ? nullptr : best->second;
  }

  RedisNodeStatus& Add(const std::string& address) {
    RedisNodeStatus& node = status_.nodes.emplace_back();
    node.address = address;
    const auto place = config_.places.find(address);
    if (place != config_.places.end()) {
      node.instance = place->second.instance;
      node.zone = place->second.zone;
    }
    if (const auto pods = pods_.find(HostOf(address)); pods != pods_.end()) {
      const kube::Pod* pod = PodAt(pods->second, address);
      if (pod != nullptr && node.instance.empty()) node.instance = pod->meta.name;
      if (node.zone.empty()) node.zone = CommonZone(pods->second);
    }
    if (node.instance.empty()) node.instance = address;
    return node;
  }

  // That all of the pods are in, whichever of them it is; else empty.
  std::string_view CommonZone(const std::vector<const kube::Pod*>& pods) const {
    std::string_view zone = pods.empty() ? "" : cluster_.ZoneOf(*pods[0]);
    for (const kube::Pod* pod : pods) {
      if (cluster_.ZoneOf(*pod) != zone) return "";
    }
    return zone;
  }

  void AddAsked(const RedisFacts& facts) {
    RedisNodeStatus& node = Add(facts.address);
    node.id = facts.id;
    node.up = facts.up;
    node.error = facts.error;
    node.facts = facts;
    node.master = facts.up && facts.master;
    node.link_up = facts.up && facts.link_up;
    if (!facts.view) return;
    for (const RedisPeer& peer : facts.view->peers) {
      const bool reached = peer.connected && !peer.suspected;
      if (!reached && !peer.failed && !peer.joining) ++node.unreached;
    }
    const auto seen = status_.zone_ok.emplace(node.zone, true).first;
    seen->second = seen->second && facts.view->ok;
  }

  // Of the members the view tells roles, failures and slots; those that could not be asked are
  // there by it alone.
  void AddPeers(const RedisView& view) {
    for (const RedisPeer& peer : view.peers) {
      if (peer.joining) continue;
      RedisNodeStatus* node = Find(peer);
      if (node == nullptr) {
        node = &Add(peer.address.empty() ? peer.id : peer.address);
        node->error = peer.address.empty() ? "no address of it is known" : "not asked yet";
      }
      node->id = peer.id;
      node->master = peer.master;
      node->failed = peer.failed;
      node->slots = peer.slot_count();
    }
    for (const RedisPeer& peer : view.peers) {
      for (std::size_t i = 0; i < status_.nodes.size(); ++i) {
        if (peer.joining || peer.master_id.empty() || status_.nodes[i].id != peer.master_id)
          continue;
        Find(peer)->master_node = i;
      }
    }
    status_.ok = view.ok;
    status_.slots_uncovered = db::kRedisSlots;
    for (const RedisNodeStatus& node : status_.nodes) {
      if (!node.failed) status_.slots_uncovered -= node.slots;
    }
  }

  RedisNodeStatus* Find(const RedisPeer& peer) {
    for (RedisNodeStatus& node : status_.nodes) {
      if (node.id == peer.id || (node.id.empty() && node.address == peer.address)) return &node;
    }
    return nullptr;
  }

  // Without a cluster a replica belongs to the master whose address it tells, or whose history.
  void LinkReplicas() {
    status_.ok = status_.known;
    for (RedisNodeStatus& replica : status_.nodes) {
      if (!replica.up || replica.master) continue;
      const std::string told =
          fmt::format("{}:{}", replica.facts.master_host, replica.facts.master_port);
      for (std::size_t i = 0; i < status_.nodes.size(); ++i) {
        const RedisNodeStatus& master = status_.nodes[i];
        const bool same = master.up && master.master && master.facts.replid == replica.facts.replid;
        if (master.address == told || same) replica.master_node = i;
      }
    }
  }

  void Lag(RedisNodeStatus& node) const {
    const RedisNodeStatus* master = status_.MasterOf(node);
    if (master == nullptr || !node.up || !master->up || !master->facts.master) return;
    if (master->facts.replid != node.facts.replid) return;
    node.lag_bytes = std::max<std::int64_t>(0, master->facts.offset - node.facts.offset);
  }

  bool Votes(const RedisNodeStatus& node) const {
    return node.master && (!status_.clustered || node.slots > 0);
  }

  void CountZones() {
    std::set<std::string> zones;
    std::map<std::string, int> live_masters;
    for (const RedisNodeStatus& node : status_.nodes) {
      // A configured address that never answered is perhaps no member.
      const bool member = !status_.clustered || !node.id.empty();
      if (member && node.zone.empty()) ++status_.without_zone;
      if (Votes(node)) {
        ++status_.masters;
        ++status_.masters_by_zone[node.zone];
        if (!node.failed) ++live_masters[node.zone];
      }
      if (!node.failed && !node.zone.empty()) zones.insert(node.zone);
    }
    std::map<std::string, int> lost;
    for (std::size_t i = 0; i < status_.nodes.size(); ++i) {
      if (Votes(status_.nodes[i])) CountShard(i, lost);
    }
    int live = 0;
    for (const auto& [zone, masters] : live_masters) live += masters;
    for (const std::string& zone : zones) {
      const int left = live - live_masters[zone];
      const bool majority = status_.clustered && live * 2 > status_.masters;
      status_.majority_in[zone] = majority && left * 2 <= status_.masters;
      status_.slots_lost_with[zone] =
          status_.majority_in[zone] ? db::kRedisSlots - status_.slots_uncovered : lost[zone];
    }
  }

  // A master with its replicas.
  void CountShard(std::size_t index, std::map<std::string, int>& lost) {
    const RedisNodeStatus& master = status_.nodes[index];
    ++status_.shards;
    std::set<std::string> zones;
    bool successor = false;
    if (!master.failed) zones.insert(master.zone);
    for (const RedisNodeStatus& replica : status_.nodes) {
      if (replica.master_node != index || replica.failed) continue;
      zones.insert(replica.zone);
      // Of one that cannot be asked its peers say that it lives.
      successor = successor || (replica.zone != master.zone && (replica.link_up || !replica.up));
    }
    if (zones.size() == 1 && !zones.begin()->empty()) {
      ++status_.shards_in_one_zone[*zones.begin()];
    }
    if (!master.failed && !successor) lost[master.zone] += master.slots;
  }

  const db::RedisCluster& config_;
  const kube::ClusterState& cluster_;
  const Pods& pods_;
  std::vector<const RedisFacts*> facts_;
  RedisStatus status_;
};

// Of servers that form no cluster.
void JudgeServers(const RedisStatus& redis, std::string_view zone,
                  std::vector<LossFinding>& findings) {
  for (const RedisNodeStatus& master : redis.nodes) {
    if (!master.master || master.zone != zone) continue;
    const RedisNodeStatus* successor = nullptr;
    for (const RedisNodeStatus& replica : redis.nodes) {
      if (redis.MasterOf(replica) == &master && replica.link_up && replica.zone != zone) {
        successor = &replica;
      }
    }
    findings.push_back(
        {LossReason::kRedis, successor == nullptr, "", "redis " + redis.cluster,
         successor == nullptr
             ? "its master is there, and no replica elsewhere is linked to it"
             : fmt::format("its master is there; {} in {} could take over, not by itself",
                           successor->instance, successor->zone)});
  }
}

}  // namespace

const RedisNodeStatus* RedisStatus::MasterOf(const RedisNodeStatus& replica) const {
  return replica.master_node ? &nodes[*replica.master_node] : nullptr;
}

std::vector<RedisStatus> JudgeRedis(std::span<const db::RedisCluster> clusters,
                                    std::span<const RedisFacts> facts,
                                    const kube::ClusterState& cluster) {
  std::vector<RedisStatus> all;
  const Pods pods = FindPods(facts, cluster);
  for (const db::RedisCluster& config : clusters) {
    all.push_back(Judge(config, cluster, pods).Run(facts));
  }
  return all;
}

std::vector<LossFinding> RedisFindings(std::span<const RedisStatus> all, std::string_view zone) {
  std::vector<LossFinding> findings;
  for (const RedisStatus& redis : all) {
    if (!redis.clustered) {
      JudgeServers(redis, zone, findings);
      continue;
    }
    const auto lost = redis.slots_lost_with.find(std::string(zone));
    if (lost == redis.slots_lost_with.end()) continue;
    const auto there = redis.masters_by_zone.find(lost->first);
    const int masters = there == redis.masters_by_zone.end() ? 0 : there->second;
    LossFinding finding{LossReason::kRedis, lost->second > 0, "", "redis " + redis.cluster, ""};
    if (redis.majority_in.at(lost->first)) {
      finding.text = fmt::format(
          "{} of {} masters are there, without them no other can take over: {} slots lost", masters,
          redis.masters, lost->second);
    } else if (lost->second > 0) {
      finding.text = fmt::format("{} slots have no other replica elsewhere", lost->second);
    } else if (masters > 0) {
      finding.text = fmt::format("{} of {} masters are there; replicas elsewhere take over",
                                 masters, redis.masters);
    } else {
      continue;
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace azexporter::zones
