#include "azexporter/collect/snapshot.h"

#include <algorithm>
#include <functional>
#include <unordered_set>
#include <utility>

namespace azexporter::collect {

std::shared_ptr<const Block> Block::Make(std::string_view collector,
                                         const std::vector<model::MetricFamily>& families) {
  auto block = std::make_shared<Block>();
  block->collector = collector;
  for (const model::MetricFamily& family : families) {
    if (family.metrics.empty() && family.histograms.empty()) continue;
    Block::FamilyText& text = block->families.emplace_back();
    text.name = family.desc->name;
    text.help = family.desc->help;
    text.type = family.desc->type;
    exposition::AppendHead(text.head, *family.desc);
    exposition::AppendSampleLines(text.text, family);
    exposition::AppendSamples(block->samples, family);
  }
  return block;
}

namespace {

std::size_t ZonesHash(const PodChunk& pods, const kube::ClusterState& cluster) {
  std::size_t hash = 0;
  for (const auto& pod : pods) {
    hash = hash * 31 + std::hash<std::string_view>()(cluster.ZoneOf(*pod));
  }
  return hash;
}

}  // namespace

void Gatherer::AddPods(const Collector& collector, const CollectorInputs& inputs,
                       Snapshot& snapshot) {
  Parts& before = parts_[collector.name];
  Parts now;
  for (const std::shared_ptr<const PodChunk>& pods : inputs.cluster.pods().chunks()) {
    const std::size_t zones = ZonesHash(*pods, inputs.cluster);
    const auto known = before.find(pods.get());
    Part& part = now[pods.get()];
    if (known != before.end() && known->second.zones == zones) {
      part = std::move(known->second);
    } else {
      part = {pods, zones, Block::Make(collector.name, collector.of_pods(*pods, inputs))};
    }
    snapshot.blocks.push_back(part.block);
  }
  before = std::move(now);
}

void Gatherer::AddOfSource(const Collector& collector, std::shared_ptr<const void> source,
                           const CollectorInputs& inputs, Snapshot& snapshot) {
  OfSource& known = of_sources_[collector.name];
  if (known.source != source) {
    known = {std::move(source), Block::Make(collector.name, collector.of_source(inputs))};
  }
  snapshot.blocks.push_back(known.block);
}

Snapshot Gatherer::Gather(const CollectorInputs& inputs, const std::set<std::string>& disabled,
                          const base::Clock& clock) {
  if (pods_detail_ != inputs.options.pods_detail) parts_.clear();
  pods_detail_ = inputs.options.pods_detail;
  Snapshot snapshot;
  snapshot.timestamp_ms = inputs.report.timestamp_ms;
  for (const Collector& collector : Collectors()) {
    if (disabled.contains(std::string(collector.name))) continue;
    const std::int64_t start_ns = clock.SteadyNs();
    Collected collected = collector.collect(inputs);
    snapshot.blocks.push_back(Block::Make(collector.name, collected.families));
    if (collected.with_pods) AddPods(collector, inputs, snapshot);
    if (collected.source) AddOfSource(collector, std::move(collected.source), inputs, snapshot);
    CollectorRun& run = snapshot.runs.emplace_back();
    run.collector = collector.name;
    run.success = !collected.fault;
    if (collected.fault) run.error = collected.fault->message();
    run.duration_seconds = static_cast<double>(clock.SteadyNs() - start_ns) / 1e9;
  }
  return snapshot;
}

Snapshot Gather(const CollectorInputs& inputs, const std::set<std::string>& disabled,
                const base::Clock& clock) {
  return Gatherer().Gather(inputs, disabled, clock);
}

std::string RenderText(const Snapshot& snapshot, const std::set<std::string>& names) {
  std::vector<const Block::FamilyText*> families;
  std::size_t size = 0;
  for (const auto& block : snapshot.blocks) {
    for (const Block::FamilyText& family : block->families) {
      if (!names.empty() && !names.contains(family.name)) continue;
      families.push_back(&family);
      size += family.head.size() + family.text.size();
    }
  }
  std::stable_sort(families.begin(), families.end(),
                   [](const auto* a, const auto* b) { return a->name < b->name; });
  std::string text;
  text.reserve(size);
  const Block::FamilyText* last = nullptr;
  for (const Block::FamilyText* family : families) {
    if (last == nullptr || last->name != family->name) text += family->head;
    text += family->text;
    last = family;
  }
  return text;
}

base::Result<void> SnapshotAppender::Append(const Snapshot& snapshot) {
  const auto appender = store_.NewAppender();
  base::Result<void> refused;  // the first; all others are stored
  const auto append = [&](const model::Labels& labels, double value) {
    const auto outcome = appender->Append(labels, snapshot.timestamp_ms, value);
    if (outcome != storage::AppendOutcome::kAppended && refused) {
      refused = storage::AsResult(outcome, labels, snapshot.timestamp_ms);
    }
  };
  std::unordered_set<const Block*> known;
  for (const auto& block : previous_) known.insert(block.get());
  // Of blocks that are as they were nothing is gone.
  std::unordered_set<model::Labels, model::LabelsHash> in_fresh;
  for (const auto& block : snapshot.blocks) {
    const bool fresh = known.erase(block.get()) == 0;
    for (const exposition::FlatSample& sample : block->samples) {
      append(sample.labels, sample.value);
      if (fresh) in_fresh.insert(sample.labels);
    }
  }
  for (const Block* left : known) {
    for (const exposition::FlatSample& sample : left->samples) {
      if (!in_fresh.contains(sample.labels)) append(sample.labels, model::StaleNaN());
    }
  }
  previous_ = snapshot.blocks;
  AZX_ASSIGN_OR_RETURN(const storage::LeftOut left_out, appender->Commit());
  AZX_RETURN_IF_ERROR(refused);
  return storage::AsResult(left_out);
}

}  // namespace azexporter::collect
