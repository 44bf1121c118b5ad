#include "azexporter/collect/snapshot.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <unordered_set>
#include <utility>

namespace azexporter::collect {

namespace {

bool IsEmpty(const model::MetricFamily& family) {
  return family.metrics.empty() && family.histograms.empty();
}

std::string HeadOf(const model::MetricDesc& desc) {
  std::string head;
  exposition::AppendHead(head, desc);
  return head;
}

std::string LinesOf(const model::MetricFamily& family) {
  std::string lines;
  exposition::AppendSampleLines(lines, family);
  return lines;
}

// `flat` is what AppendSamples makes of `metric`, whose family goes by `name`.
bool SameSample(std::string_view name, const model::Metric& metric,
                const exposition::FlatSample& flat) {
  if (metric.labels.size() + 1 != flat.labels.size()) return false;
  if (std::bit_cast<std::uint64_t>(metric.value) != std::bit_cast<std::uint64_t>(flat.value)) {
    return false;
  }
  auto label = metric.labels.begin();
  for (const model::Label shown : flat.labels) {
    if (shown.name == model::kMetricName) {
      if (shown.value != name) return false;
    } else if (label == metric.labels.end() || shown != *label++) {
      return false;
    }
  }
  return true;
}

}  // namespace

Block::FamilyText::FamilyText(const model::MetricFamily& family)
    : name(family.desc->name),
      head(HeadOf(*family.desc)),
      text(LinesOf(family)),
      help(family.desc->help),
      type(family.desc->type) {}

std::shared_ptr<const Block> Block::Make(std::string_view collector,
                                         const std::vector<model::MetricFamily>& families) {
  auto block = std::make_shared<Block>();
  block->collector = collector;
  for (const model::MetricFamily& family : families) {
    if (IsEmpty(family)) continue;
    block->families.emplace_back(family);
    exposition::AppendSamples(block->samples, family);
  }
  return block;
}

bool Block::Shows(const std::vector<model::MetricFamily>& shown) const {
  auto sample = samples.begin();
  for (const model::MetricFamily& family : shown) {
    if (!family.histograms.empty()) return false;
    for (const model::Metric& metric : family.metrics) {
      if (sample == samples.end() || !SameSample(family.desc->name, metric, *sample)) return false;
      ++sample;
    }
  }
  return sample == samples.end();
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

Snapshot Gatherer::Gather(const CollectorInputs& inputs, const std::set<std::string>& disabled,
                          const base::Clock& clock) {
  if (pods_detail_ != inputs.options.pods_detail) parts_.clear();
  pods_detail_ = inputs.options.pods_detail;
  Snapshot snapshot;
  snapshot.timestamp_ms = inputs.report.timestamp_ms;
  for (const Collector& collector : Collectors()) {
    if (disabled.contains(std::string(collector.name))) continue;
    const std::int64_t start_ns = clock.SteadyNs();
    const Collected collected = collector.collect(inputs);
    std::shared_ptr<const Block>& block = blocks_[collector.name];
    if (!block || !block->Shows(collected.families)) {
      block = Block::Make(collector.name, collected.families);
    }
    snapshot.blocks.push_back(block);
    if (collected.with_pods) AddPods(collector, inputs, snapshot);
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

namespace {

// Those of `names`, or all of them, in the order of the page.
std::vector<const Block::FamilyText*> FamiliesOf(const Snapshot& snapshot,
                                                 const std::set<std::string>& names) {
  std::vector<const Block::FamilyText*> families;
  for (const auto& block : snapshot.blocks) {
    for (const Block::FamilyText& family : block->families) {
      if (names.empty() || names.contains(family.name)) families.push_back(&family);
    }
  }
  std::stable_sort(families.begin(), families.end(),
                   [](const auto* a, const auto* b) { return a->name < b->name; });
  return families;
}

// Tells `head` of the text before each family, and `text` of its samples.
template <class Head, class Text>
void Render(const Snapshot& snapshot, const std::set<std::string>& names, Head head, Text text) {
  const Block::FamilyText* last = nullptr;
  for (const Block::FamilyText* family : FamiliesOf(snapshot, names)) {
    if (last == nullptr || last->name != family->name) head(family->head);
    text(family->text);
    last = family;
  }
}

}  // namespace

std::string RenderText(const Snapshot& snapshot, const std::set<std::string>& names) {
  std::size_t size = 0;
  Render(
      snapshot, names, [&](const std::string& head) { size += head.size(); },
      [&](const base::PackedText& text) { size += text.size(); });
  std::string page;
  page.reserve(size);
  Render(
      snapshot, names, [&](const std::string& head) { page += head; },
      [&](const base::PackedText& text) { text.AppendTo(page); });
  return page;
}

std::string RenderGzip(const Snapshot& snapshot, const std::set<std::string>& names) {
  base::GzipJoiner page;
  Render(
      snapshot, names, [&](const std::string& head) { page.Add(head); },
      [&](const base::PackedText& text) { text.AddTo(page); });
  return page.Finish();
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
