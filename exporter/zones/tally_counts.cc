#include "tally_counts.h"

#include <algorithm>
#include <utility>

namespace azexporter::zones {

TallyCounts::TallyCounts(const PlacementPlan& plan, const LostNodes& lost)
    : plan_(&plan), lost_(&lost) {
  std::vector<std::uint32_t> domains;  // one for each pod
  counts_.reserve(plan.rules().tallies().size());
  for (const Tally& tally : plan.rules().tallies()) {
    domains.clear();
    for (const std::uint32_t number : tally.groups) {
      const PodGroup& group = plan.pods().groups()[number];
      const bool stays = group.role == PodRole::kStays;
      for (const std::uint32_t node : plan.pods().NodesOf(group)) {
        if ((lost.node(node) && !stays) || !lost.CountsOn(tally, node)) continue;
        const std::uint32_t domain = tally.domains->of_node[node];
        if (domain != Domains::kNone) domains.push_back(domain);
      }
    }
    std::sort(domains.begin(), domains.end());
    std::vector<std::pair<std::uint32_t, std::int64_t>> counts;
    counts.reserve(std::min(domains.size(), tally.domains->names.size()));
    for (const std::uint32_t domain : domains) {
      if (counts.empty() || counts.back().first != domain) counts.emplace_back(domain, 0);
      ++counts.back().second;
    }
    counts_.emplace_back(std::move(counts));
  }
}

void TallyCounts::Add(const Mover& mover, std::uint32_t node) {
  for (const std::uint32_t number : plan_->rules().TalliesOf(mover.group)) {
    const Tally& tally = plan_->rules().tallies()[number];
    if (!lost_->CountsOn(tally, node)) continue;
    const std::uint32_t domain = tally.domains->of_node[node];
    if (domain != Domains::kNone) counts_[number].Add(domain);
  }
}

}  // namespace azexporter::zones
