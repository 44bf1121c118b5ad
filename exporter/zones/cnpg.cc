#include "azexporter/zones/cnpg.h"

#include <initializer_list>
#include <string_view>

#include "azexporter/base/yaml.h"

namespace azexporter::zones {
namespace {

using base::Result;
using base::YamlNode;

// The value at the path; a null one where there is none. Of the server's JSON no key is there
// twice.
const YamlNode& At(const YamlNode& root, std::initializer_list<std::string_view> path) {
  static const YamlNode kNone;
  const YamlNode* node = &root;
  for (const std::string_view key : path) {
    const YamlNode* next = &kNone;
    for (const auto& [name, value] : node->entries()) {
      if (name.scalar() == key) next = &value;
    }
    node = next;
  }
  return *node;
}

Result<std::int64_t> CountAt(const YamlNode& root, std::initializer_list<std::string_view> path) {
  const YamlNode& node = At(root, path);
  return node.is_null() ? Result<std::int64_t>(0) : node.AsInt64();
}

Result<CnpgStatus> Read(const kube::CnpgCluster& object, const std::string& source) {
  AZX_ASSIGN_OR_RETURN(const YamlNode root, YamlNode::Parse(object.json, source));
  CnpgStatus status;
  status.cluster = object.meta.name;
  status.ns = object.meta.ns;
  status.name = object.meta.name;
  AZX_ASSIGN_OR_RETURN(status.instances, CountAt(root, {"spec", "instances"}));
  AZX_ASSIGN_OR_RETURN(status.ready, CountAt(root, {"status", "readyInstances"}));
  status.phase = At(root, {"status", "phase"}).scalar();
  status.current_primary = At(root, {"status", "currentPrimary"}).scalar();
  status.target_primary = At(root, {"status", "targetPrimary"}).scalar();
  status.hibernated = At(root, {"metadata", "annotations", "cnpg.io/hibernation"}).scalar() == "on";
  const YamlNode& names = At(root, {"status", "instanceNames"});
  if (!names.is_null()) {
    AZX_ASSIGN_OR_RETURN(status.names, names.AsStringList());
  }
  for (const auto& [name, labels] : At(root, {"status", "topology", "instances"}).entries()) {
    const std::string& zone = At(labels, {"topology.kubernetes.io/zone"}).scalar();
    if (!zone.empty()) status.zones[name.scalar()] = zone;
  }
  return status;
}

}  // namespace

Result<CnpgStatus> ReadCnpgCluster(const kube::CnpgCluster& object) {
  return Read(object, "Cluster " + object.meta.ns + "/" + object.meta.name);
}

}  // namespace azexporter::zones
