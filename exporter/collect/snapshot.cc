#include "azexporter/collect/snapshot.h"

#include <algorithm>
#include <set>

namespace azexporter::collect {

std::shared_ptr<const Block> Block::Make(std::string_view collector,
                                         const std::vector<model::MetricFamily>& families) {
  auto block = std::make_shared<Block>();
  block->collector = collector;
  for (const model::MetricFamily& family : families) {
    std::string text;
    exposition::AppendText(text, family);
    if (text.empty()) continue;
    block->families.push_back({std::string(family.desc->name), std::move(text),
                               std::string(family.desc->help), family.desc->type});
    exposition::AppendSamples(block->samples, family);
  }
  return block;
}

Snapshot Gather(const CollectorInputs& inputs, const std::set<std::string>& disabled,
                const base::Clock& clock) {
  Snapshot snapshot;
  snapshot.timestamp_ms = inputs.report.timestamp_ms;
  for (const Collector& collector : Collectors()) {
    if (disabled.contains(std::string(collector.name))) continue;
    const std::int64_t start_ns = clock.SteadyNs();
    const Collected collected = collector.collect(inputs);
    snapshot.blocks.push_back(Block::Make(collector.name, collected.families));
    CollectorRun& run = snapshot.runs.emplace_back();
    run.collector = collector.name;
    run.success = !collected.fault;
    if (collected.fault) run.error = collected.fault->message();
    run.duration_seconds = static_cast<double>(clock.SteadyNs() - start_ns) / 1e9;
  }
  return snapshot;
}

std::string RenderText(const Snapshot& snapshot, const std::set<std::string>& names) {
  std::vector<const Block::FamilyText*> families;
  std::size_t size = 0;
  for (const auto& block : snapshot.blocks) {
    for (const Block::FamilyText& family : block->families) {
      if (!names.empty() && !names.contains(family.name)) continue;
      families.push_back(&family);
      size += family.text.size();
    }
  }
  std::sort(families.begin(), families.end(),
            [](const auto* a, const auto* b) { return a->name < b->name; });
  std::string text;
  text.reserve(size);
  for (const Block::FamilyText* family : families) text += family->text;
  return text;
}

base::Result<void> SnapshotAppender::Append(const Snapshot& snapshot) {
  std::unordered_set<model::Labels, model::LabelsHash> current;
  const auto appender = store_.NewAppender();
  base::Result<void> refused;  // the first; all others are stored
  const auto append = [&](const model::Labels& labels, double value) {
    const auto outcome = appender->Append(labels, snapshot.timestamp_ms, value);
    if (outcome != storage::AppendOutcome::kAppended && refused) {
      refused = storage::AsResult(outcome, labels, snapshot.timestamp_ms);
    }
  };
  for (const auto& block : snapshot.blocks) {
    for (const exposition::FlatSample& sample : block->samples) {
      append(sample.labels, sample.value);
      previous_.erase(sample.labels);
      current.insert(sample.labels);
    }
  }
  for (const model::Labels& gone : previous_) append(gone, model::StaleNaN());
  previous_ = std::move(current);
  AZX_ASSIGN_OR_RETURN(const storage::LeftOut left_out, appender->Commit());
  AZX_RETURN_IF_ERROR(refused);
  return storage::AsResult(left_out);
}

}  // namespace azexporter::collect
