#include "azexporter/zones/cnpg.h"

#include <initializer_list>
#include <string_view>

#include "azexporter/base/yaml_path.h"

namespace azexporter::zones {
namespace {

using base::Result;
using base::ValueAt;
using base::YamlNode;

Result<std::int64_t> CountAt(const YamlNode& root, std::initializer_list<std::string_view> path) {
  const YamlNode& node = ValueAt(root, path);
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
  status.phase = ValueAt(root, {"status", "phase"}).scalar();
  status.current_primary = ValueAt(root, {"status", "currentPrimary"}).scalar();
  status.target_primary = ValueAt(root, {"status", "targetPrimary"}).scalar();
  status.hibernated =
      ValueAt(root, {"metadata", "annotations", "cnpg.io/hibernation"}).scalar() == "on";
  const YamlNode& names = ValueAt(root, {"status", "instanceNames"});
  if (!names.is_null()) {
    AZX_ASSIGN_OR_RETURN(status.names, names.AsStringList());
  }
  for (const auto& [name, labels] : ValueAt(root, {"status", "topology", "instances"}).entries()) {
    const std::string& zone = ValueAt(labels, {"topology.kubernetes.io/zone"}).scalar();
    if (!zone.empty()) status.zones[name.scalar()] = zone;
  }
  return status;
}

}  // namespace

Result<CnpgStatus> ReadCnpgCluster(const kube::CnpgCluster& object) {
  return Read(object, "Cluster " + object.meta.ns + "/" + object.meta.name);
}

}  // namespace azexporter::zones
