#include "cluster_rules.h"

#include <algorithm>
#include <utility>

#include "selected_objects.h"

namespace azexporter::app {

void ClusterRules::Read(Known& known) const {
  const kube::ObjectMeta& meta = known.object->meta;
  const std::string name = "PrometheusRule " + meta.ns + "/" + meta.name;
  auto groups =
      rules::ParseRuleFile(known.object->json, name, rules::UnknownKeys::kRefuse, parser_);
  known.refused = !groups.has_value();
  if (groups) {
    known.groups = std::move(*groups);
    return;
  }
  log_.Warn("PrometheusRule refused",
            {{"error", groups.error().message()},
             {"in force", known.groups.empty() ? "nothing of it" : "what it was before"}});
}

void ClusterRules::SetSelection(std::optional<config::ObjectSelection> selection) {
  selection_ = std::move(selection);
  changed_ = selection_.has_value();
}

bool ClusterRules::Update(const kube::ClusterState& cluster) {
  bool changed = std::exchange(changed_, false);
  if (!selection_) return changed;
  const kube::ResourceHealth* health = cluster.HealthOf(kube::PrometheusRule::kResource);
  if (!complete_ && health != nullptr && (health->synced || health->absent)) {
    complete_ = true;
    changed = true;
  }
  // What is not known is not gone.
  if (health == nullptr || !health->synced) return changed;
  const bool taken = TakeSelected(cluster.prometheus_rules(), *selection_, objects_,
                                  [this](Known& known) { Read(known); });
  return changed || taken;
}

std::vector<rules::RuleGroup> ClusterRules::groups() const {
  std::vector<rules::RuleGroup> groups;
  for (const auto& [name, known] : objects_) {
    groups.insert(groups.end(), known.groups.begin(), known.groups.end());
  }
  return groups;
}

std::size_t ClusterRules::refused() const {
  return static_cast<std::size_t>(std::count_if(
      objects_.begin(), objects_.end(), [](const auto& entry) { return entry.second.refused; }));
}

}  // namespace azexporter::app
