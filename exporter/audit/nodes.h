#pragma once

// The nodes of a cluster, as far as the checks ask for them: of the manifests, or of a running
// cluster. Private to `audit`.
//
// Thread safety: immutable once made.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/yaml.h"
#include "azexporter/kube/objects.h"

namespace azexporter::audit {

struct NodeView {
  std::string name;
  std::string zone;  // "" where it has none
  kube::Shared<kube::StringMap> labels;
  // Those that keep pods away for good. What a node is tainted with while it is ill or cordoned
  // does not make it another node.
  std::vector<kube::Taint> taints;

  bool operator==(const NodeView&) const = default;
};
bool IsLasting(const kube::Taint& taint);

// The zones that a selector confines to; none where it does not.
std::set<std::string> ZonesOf(const kube::NodeSelector& selector);

// Which nodes the pods of a template may use.
struct NodeDemands {
  kube::StringMap node_selector;
  std::optional<kube::NodeSelector> required;
  std::vector<kube::Toleration> tolerations;

  bool Admit(const NodeView& node) const;
};
NodeDemands DemandsOf(const base::YamlNode& pod_spec);

class Nodes {
 public:
  explicit Nodes(std::vector<NodeView> nodes);

  const std::vector<NodeView>& views() const { return nodes_; }
  const std::set<std::string>& zones() const { return zones_; }
  // How many values of a label there are; 0 where no node carries it.
  std::int64_t Values(std::string_view key) const;
  // The same of the nodes that pods of such demands may use.
  std::int64_t ValuesFor(const NodeDemands& demands, std::string_view key) const;

 private:
  std::vector<NodeView> nodes_;
  std::set<std::string> zones_;
  using Counts = std::map<std::string, std::int64_t, std::less<>>;
  Counts values_;       // of all nodes
  Counts open_values_;  // of those that take pods without any demands
};

}  // namespace azexporter::audit
