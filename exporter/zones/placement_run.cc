#include "placement_run.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace azexporter::zones {

PlacementRun::PlacementRun(const PlacementFacts& facts, std::string_view zone, LossKind kind)
    : facts_(facts),
      lost_(facts.nodes(), zone, kind),
      room_(facts),
      placer_(facts, lost_, room_),
      askers_(facts),
      asking_(facts.nodes().size()) {
  result_.zone = zone;
  result_.kind = kind;
  result_.lost_nodes = lost_.lost();
  result_.receiving_nodes = lost_.receiving();
  for (std::uint32_t node = 0; node < lost_.all_nodes(); ++node) {
    if (lost_.node(node) || !facts.nodes().receives(node)) continue;
    if (facts.room().unlimited[node]) {
      ++result_.unlimited_nodes;
    } else {
      limited_.push_back(node);
    }
  }
}

Placement PlacementRun::Update() {
  ++update_;
  TakePlans();
  placer_.Begin();
  if (update_ == 1 || !room_.CanGoOn()) {
    PlaceAll();
  } else {
    PlaceChanged();
  }
  gone_.clear();
  begun_.clear();
  for (PlanRun& run : plans_) run.counts.reset();
  AddTotals();
  result_.before = HeadroomOf(facts_.room().free);
  result_.after = HeadroomOf(room_.left());
  AddUnplaced();
  return result_;
}

void PlacementRun::TakePlans() {
  plans_.resize(std::max(plans_.size(), facts_.plans().size()));
  for (std::uint32_t slot = 0; slot < plans_.size(); ++slot) {
    const auto& plan = facts_.plans()[slot];
    PlanRun& run = plans_[slot];
    if (run.plan == plan) continue;
    if (run.plan != nullptr) gone_.push_back(std::move(run));
    run = plan == nullptr ? PlanRun() : Begin(plan, slot);
    if (plan != nullptr) begun_.push_back(slot);
  }
}

PlacementRun::PlanRun PlacementRun::Begin(std::shared_ptr<const PlacementPlan> plan,
                                          std::uint32_t slot) const {
  PlanRun run;
  const auto lost = [&](const PodGroup& group) {
    const auto nodes = plan->pods().NodesOf(group);
    return std::count_if(nodes.begin(), nodes.end(),
                         [&](std::uint32_t node) { return lost_.node(node); });
  };
  for (const PodGroup& group : plan->pods().groups()) {
    if (group.role == PodRole::kBare) run.bare += lost(group);
  }
  run.placings.reserve(plan->movers().size());
  for (const Mover& mover : plan->movers()) {
    const PodGroup& group = plan->GroupOf(mover);
    Placing& placing = run.placings.emplace_back();
    placing.pods = lost(group);
    run.displaced += placing.pods;
    if (kube::ControllerOf(group.pod->owners)->kind == "StatefulSet") run.stateful += placing.pods;
  }
  run.updates.resize(run.placings.size());
  run.plan = std::move(plan);
  run.slot = slot;
  return run;
}

// From the beginning.
void PlacementRun::PlaceAll() {
  if (update_ > 1) {
    askers_.Clear();
    for (PlanRun& run : plans_) {
      if (run.plan != nullptr) run = Begin(run.plan, run.slot);
    }
  }
  room_.Begin();
  for (const MoverRef& ref : facts_.order()) Place(ref);
}

// --- again ---------------------------------------------------------------------------------------

void PlacementRun::PlaceChanged() {
  for (const PlanRun& gone : gone_) Forget(gone);
  if (!room_.notes_takers()) NoteTakersAndAskers();
  room_.GoOn();
  FindSteps();
  while (!steps_.empty()) {
    const Step step = steps_.top();
    steps_.pop();
    Perform(step);
  }
  leaving_.clear();
}

void PlacementRun::Forget(const PlanRun& gone) {
  for (std::size_t i = 0; i < gone.placings.size(); ++i) {
    for (const std::uint32_t node : gone.placings[i].nodes) {
      room_.Forget(gone.slot, gone.plan->movers()[i], node);
    }
  }
  askers_.Forget(gone.slot, *gone.plan, gone.placings);
}

// A run from the beginning does not keep them: most are never gone on with.
void PlacementRun::NoteTakersAndAskers() {
  room_.NoteTakers();
  for (const MoverRef& ref : facts_.order()) {
    const PlanRun& run = plans_[ref.slot];
    for (const std::uint32_t node : run.placings[ref.number].nodes) room_.NoteTaker(ref, node);
    askers_.Add(ref, run.placings[ref.number].asked);
  }
}

void PlacementRun::FindSteps() {
  for (const PlanRun& gone : gone_) {
    for (std::uint32_t i = 0; i < gone.placings.size(); ++i) {
      if (gone.placings[i].nodes.empty()) continue;
      const Mover& mover = gone.plan->movers()[i];
      steps_.push({facts_.RankOf(*gone.plan, mover), Step::Kind::kLeave,
                   static_cast<std::uint32_t>(leaving_.size())});
      leaving_.push_back({&mover, &gone.placings[i]});
    }
  }
  for (const std::uint32_t slot : begun_) {
    const auto movers = static_cast<std::uint32_t>(plans_[slot].placings.size());
    for (std::uint32_t i = 0; i < movers; ++i) PlaceLater({slot, i});
  }
  for (const std::uint32_t node : room_.Different()) AskLater(node, 0);
}

void PlacementRun::Perform(const Step& step) {
  switch (step.kind) {
    case Step::Kind::kLeave:
      return Leave(step);
    case Step::Kind::kPlace:
      return Place(facts_.order()[step.rank]);
    case Step::Kind::kAsk:
      return Ask(step);
  }
}

void PlacementRun::Leave(const Step& step) {
  const Leaving& leaving = leaving_[step.number];
  for (const std::uint32_t node : leaving.placing->nodes) {
    room_.NoteDifference(node, *leaving.mover, 1);
    AskLater(node, step.rank);
  }
}

void PlacementRun::Ask(const Step& step) {
  const std::uint32_t node = step.number;
  asking_[node] = false;
  if (!room_.Differs(node)) return;
  const MoverRef& ref = facts_.order()[step.rank];
  const bool placed = plans_[ref.slot].updates[ref.number] == update_;
  if (!placed && room_.AnswersOtherwise(node, ref)) Place(ref);
  AskLater(node, step.rank + 1);
}

void PlacementRun::PlaceLater(const MoverRef& ref) {
  PlanRun& run = plans_[ref.slot];
  if (run.placings[ref.number].pods == 0) return;
  if (std::exchange(run.updates[ref.number], update_) == update_) return;
  steps_.push({facts_.RankOf(ref), Step::Kind::kPlace});
}

void PlacementRun::AskLater(std::uint32_t node, std::uint32_t rank) {
  if (asking_[node] || !room_.Differs(node)) return;
  const std::uint32_t next = askers_.Next(node, rank);
  if (next == PlacementAskers::kNone) return;
  asking_[node] = true;
  steps_.push({next, Step::Kind::kAsk, node});
}

// --- one mover -----------------------------------------------------------------------------------

void PlacementRun::Place(const MoverRef& ref) {
  PlanRun& run = plans_[ref.slot];
  Placing& placing = run.placings[ref.number];
  const Placing before = std::exchange(placing, {.pods = placing.pods});
  for (const std::uint32_t node : before.nodes) room_.GiveBack(ref, node);
  if (placing.pods > 0) {
    CountUpTo(run, ref.number);
    placer_.Place(ref, *run.counts, placing);
    run.counted = ref.number + 1;
  }
  run.updates[ref.number] = update_;
  run.placed += static_cast<std::int64_t>(placing.nodes.size());
  run.placed -= static_cast<std::int64_t>(before.nodes.size());
  if (placing.rest != nullptr && before.rest != nullptr && *placing.rest == *before.rest) {
    placing.rest = before.rest;
  }
  run.unplaced_changed = run.unplaced_changed || placing.rest != before.rest;
  if (!room_.notes_takers()) return;
  if (placing.asked != before.asked) {
    askers_.Remove(ref, before.asked);
    askers_.Add(ref, placing.asked);
  }
  if (placing.nodes == before.nodes) return;
  NoteOtherRoom(ref, before.nodes);
  NoteOtherCounts(ref, before.nodes);
}

void PlacementRun::CountUpTo(PlanRun& run, std::uint32_t number) {
  if (!run.counts) {
    run.counts.emplace(*run.plan, lost_);
    run.counted = 0;
  }
  for (; run.counted < number; ++run.counted) {
    for (const std::uint32_t node : run.placings[run.counted].nodes) {
      run.counts->Add(run.plan->movers()[run.counted], node);
    }
  }
}

void PlacementRun::NoteOtherRoom(const MoverRef& ref, const std::vector<std::uint32_t>& before) {
  const Mover& mover = facts_.mover(ref);
  const std::vector<std::uint32_t>& now = plans_[ref.slot].placings[ref.number].nodes;
  for (const std::uint32_t node : before) room_.NoteDifference(node, mover, 1);
  for (const std::uint32_t node : now) room_.NoteDifference(node, mover, -1);
  for (const auto* nodes : {&before, &now}) {
    for (const std::uint32_t node : *nodes) AskLater(node, facts_.RankOf(ref) + 1);
  }
}

void PlacementRun::NoteOtherCounts(const MoverRef& ref, const std::vector<std::uint32_t>& before) {
  PlanRun& run = plans_[ref.slot];
  const PlacementRules& rules = run.plan->rules();
  for (const std::uint32_t number : rules.TalliesOf(facts_.mover(ref).group)) {
    const Tally& tally = rules.tallies()[number];
    const auto counted = [&](const std::vector<std::uint32_t>& nodes) {
      std::vector<std::uint32_t> domains;
      for (const std::uint32_t node : nodes) {
        if (lost_.CountsOn(tally, node)) domains.push_back(tally.domains->of_node[node]);
      }
      std::sort(domains.begin(), domains.end());
      return domains;
    };
    if (counted(before) == counted(run.placings[ref.number].nodes)) continue;
    const std::vector<std::uint32_t>& readers = ReadersOf(run, number);
    std::for_each(std::upper_bound(readers.begin(), readers.end(), ref.number), readers.end(),
                  [&](std::uint32_t reader) {
                    PlaceLater({ref.slot, reader});
                  });
  }
}

const std::vector<std::uint32_t>& PlacementRun::ReadersOf(PlanRun& run, std::uint32_t tally) const {
  if (run.readers.empty()) {
    run.readers.resize(run.plan->rules().tallies().size());
    for (std::uint32_t i = 0; i < run.placings.size(); ++i) {
      const auto reads = [&](std::uint32_t one) {
        auto& readers = run.readers[one];
        if (readers.empty() || readers.back() != i) readers.push_back(i);
      };
      const GroupRules& rules = run.plan->rules().RulesOf(run.plan->movers()[i].group);
      for (const SpreadRule& rule : rules.spread) reads(rule.tally);
      for (const Exclusion& rule : rules.exclusions) reads(rule.tally);
      if (!rules.affinity) continue;
      std::for_each(rules.affinity->tallies.begin(), rules.affinity->tallies.end(), reads);
    }
  }
  return run.readers[tally];
}

// --- what is told --------------------------------------------------------------------------------

void PlacementRun::AddTotals() {
  result_.displaced = result_.placed = result_.stateful = result_.bare = result_.pending = 0;
  for (const PlanRun& run : plans_) {
    if (run.plan == nullptr) continue;
    result_.displaced += run.displaced;
    result_.placed += run.placed;
    result_.stateful += run.stateful;
    result_.bare += run.bare;
    result_.pending += run.plan->pods().pending();
  }
}

Headroom PlacementRun::HeadroomOf(const std::vector<std::int64_t>& free) const {
  const std::size_t width = facts_.room().width();
  Headroom headroom;
  for (std::size_t i = 0; i < width; ++i) {
    if (i > NodeRoom::kPods && facts_.room().total[i] == 0) continue;  // no node has it
    std::int64_t sum = 0;
    std::int64_t most = 0;
    for (const std::uint32_t node : limited_) {
      const std::int64_t amount = std::max<std::int64_t>(0, free[node * width + i]);
      if (__builtin_add_overflow(sum, amount, &sum)) sum = std::numeric_limits<std::int64_t>::max();
      most = std::max(most, amount);
    }
    headroom.free.Set(facts_.room().names[i], sum);
    headroom.largest.Set(facts_.room().names[i], most);
  }
  return headroom;
}

void PlacementRun::Summarize(PlanRun& run) {
  const auto key = [](const UnplacedPods& row) {
    return std::tie(row.workload, row.reason, row.resource, row.detail);
  };
  UnplacedInNamespace::Rows rows;
  for (const Placing& placing : run.placings) {
    if (placing.rest != nullptr) rows.push_back(placing.rest);
  }
  std::sort(rows.begin(), rows.end(),
            [&](const auto& a, const auto& b) { return key(*a) < key(*b); });
  run.unplaced.clear();
  UnplacedInNamespace::Rows of_namespace;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!of_namespace.empty() && key(*of_namespace.back()) == key(*rows[i])) {
      UnplacedPods both = *of_namespace.back();
      both.pods += rows[i]->pods;
      of_namespace.back() = std::make_shared<const UnplacedPods>(std::move(both));
    } else {
      of_namespace.push_back(rows[i]);
    }
    if (i + 1 == rows.size() || rows[i + 1]->workload.ns != rows[i]->workload.ns) {
      run.unplaced.push_back(
          std::make_shared<const UnplacedInNamespace>(std::exchange(of_namespace, {})));
    }
  }
  run.unplaced_changed = false;
}

void PlacementRun::AddUnplaced() {
  result_.unplaced.clear();
  for (const auto& slot_of : facts_.slots()) {
    PlanRun& run = plans_[slot_of.second];
    if (run.unplaced_changed) Summarize(run);
    const auto ns_of = [](const auto& one) -> const std::string& {
      return one->rows.front()->workload.ns;
    };
    const auto found =
        std::partition_point(run.unplaced.begin(), run.unplaced.end(),
                             [&](const auto& one) { return ns_of(one) < slot_of.first; });
    if (found != run.unplaced.end() && ns_of(*found) == slot_of.first) {
      result_.unplaced.push_back(*found);
    }
  }
}

}  // namespace azexporter::zones
