#include "../checks.h"

#include <set>

#include "../context.h"
#include "azexporter/base/text.h"

namespace azexporter::audit {
namespace {

using base::YamlNode;

bool ClaimsAllZones(const std::string& name) {
  const std::string lower = base::Lower(name);
  for (std::string_view word : {"regional", "multi-az", "multiaz", "multi-zone", "zrs"}) {
    if (lower.find(word) != std::string::npos) return true;
  }
  return false;
}

// Named after a type of EBS, whose volumes live in one zone: "gp3-regional".
bool NamesEbsType(const std::string& name) {
  const std::string first = base::Lower(name.substr(0, name.find('-')));
  for (std::string_view type : {"gp2", "gp3", "io1", "io2", "st1", "sc1", "ebs"}) {
    if (first == type) return true;
  }
  return false;
}

// Why volumes of the class are in one zone; "" where they are not, or that is not known.
std::string WhyZonal(const Context& context, const Object& storage_class) {
  const auto seen = context.zonal_classes.find(storage_class.name);
  if (seen != context.zonal_classes.end()) return seen->second;
  const std::string provisioner = TextAt(storage_class.root, {"provisioner"});
  const auto parameter = [&](std::string_view name) {
    return TextAt(storage_class.root, {"parameters", name});
  };
  if (provisioner == "ebs.csi.aws.com" || provisioner == "kubernetes.io/aws-ebs") {
    return "EBS has no volumes of several zones";
  }
  if ((provisioner == "pd.csi.storage.gke.io" || provisioner == "kubernetes.io/gce-pd") &&
      parameter("replication-type") != "regional-pd") {
    return "replication-type is not regional-pd";
  }
  if (provisioner == "disk.csi.azure.com" && !parameter("skuName").ends_with("_ZRS") &&
      !parameter("skuname").ends_with("_ZRS")) {
    return "skuName is not one of _ZRS";
  }
  return "";
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  std::set<std::string> defined;
  for (const Object* storage_class : context.Of("storage.k8s.io", "StorageClass")) {
    defined.insert(storage_class->name);
    const std::string why = WhyZonal(context, *storage_class);
    const Field provisioner = FieldAt(storage_class->root, {"provisioner"});
    if (why.empty() || !ClaimsAllZones(storage_class->name)) continue;
    problems.push_back(ProblemAt(*storage_class, *provisioner.key,
                                 storage_class->name + " says regional, but " + why));
  }
  for (const Object& object : context.manifests.objects()) {
    ForEachEntry(object.root, [&](const YamlNode& key, const YamlNode& value) {
      if (key.scalar() != "storageClassName" && key.scalar() != "storageClass") return;
      const std::string& name = value.scalar();
      if (defined.contains(name) || !ClaimsAllZones(name) || !NamesEbsType(name)) return;
      problems.push_back(
          ProblemAt(object, key, name + " says regional, but EBS has no volumes of several zones"));
    });
  }
  return problems;
}

}  // namespace

Check StorageClassRegional() {
  return {.name = "storage-class-regional",
          .severity = Severity::kWarning,
          .title = "a storage class calls itself regional and makes volumes of one zone",
          .explanation =
              "What relies on the name is lost with the zone: its pods wait for a volume that no "
              "other zone can mount.",
          .fix =
              "Name it for what it is and replicate above the volume, or use storage of several "
              "zones (EFS, regional-pd, a _ZRS disk).",
          .source = "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volumes.html",
          .run = &Run};
}

}  // namespace azexporter::audit
