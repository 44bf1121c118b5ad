#include "azexporter/collect/snapshot.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <unordered_set>
#include <utility>

#include "azexporter/exposition/metric_message.h"

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

exposition::MetricMessage WithLabels(const model::Labels& labels) {
  exposition::MetricMessage metric;
  for (const model::Label label : labels) {
    if (label.name != model::kMetricName) metric.AddLabel(label);
  }
  return metric;
}

std::string MetricFields(const Block& block, const Block::FamilyText& family) {
  std::string fields;
  for (const model::HistogramMetric& histogram : family.histograms) {
    exposition::MetricMessage metric = WithLabels(histogram.labels);
    metric.SetHistogram(histogram.value);
    metric.AppendTo(fields);
  }
  if (!family.histograms.empty()) return fields;
  for (std::size_t i = 0; i < family.sample_count; ++i) {
    const exposition::FlatSample& sample = block.samples[family.first_sample + i];
    exposition::MetricMessage metric = WithLabels(sample.labels);
    metric.SetValue(family.type, sample.value);
    metric.AppendTo(fields);
  }
  return fields;
}

// The families of a page in order, those that stand in several blocks one behind the other.
struct PlacedFamily {
  const Block* block;
  std::size_t place;
  const Block::FamilyText& text() const { return block->families[place]; }
  const base::PackedText& message() const { return block->messages()[place]; }
};
std::vector<PlacedFamily> Families(const Snapshot& snapshot, const std::set<std::string>& names) {
  std::vector<PlacedFamily> families;
  for (const auto& block : snapshot.blocks) {
    for (std::size_t i = 0; i < block->families.size(); ++i) {
      if (!names.empty() && !names.contains(block->families[i].name)) continue;
      families.push_back({block.get(), i});
    }
  }
  std::ranges::stable_sort(families, {}, [](const PlacedFamily& family) -> const std::string& {
    return family.text().name;
  });
  return families;
}

}  // namespace

Block::FamilyText::FamilyText(const model::MetricFamily& family)
    : name(family.desc->name),
      head(HeadOf(*family.desc)),
      text(LinesOf(family)),
      help(family.desc->help),
      type(family.desc->type),
      histograms(family.histograms) {}

std::shared_ptr<const Block> Block::Make(std::string_view collector,
                                         const std::vector<model::MetricFamily>& families) {
  auto block = std::make_shared<Block>();
  block->collector = collector;
  for (const model::MetricFamily& family : families) {
    if (IsEmpty(family)) continue;
    Block::FamilyText& text = block->families.emplace_back(family);
    text.first_sample = block->samples.size();
    exposition::AppendSamples(block->samples, family);
    text.sample_count = block->samples.size() - text.first_sample;
    exposition::AppendHistograms(block->histograms, family);
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

const std::deque<base::PackedText>& Block::messages() const {
  std::call_once(messages_made_, [this] {
    for (const FamilyText& family : families) messages_.emplace_back(MetricFields(*this, family));
  });
  return messages_;
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

// A page is made of texts as they are, or compressed.
void Put(std::string& page, std::string_view text) { page += text; }
void Put(std::string& page, const base::PackedText& text) { text.AppendTo(page); }
void Put(base::GzipJoiner& page, std::string_view text) { page.Add(text); }
void Put(base::GzipJoiner& page, const base::PackedText& text) { text.AddTo(page); }

template <class Page>
void PutText(Page& page, const std::vector<PlacedFamily>& families) {
  std::string_view last;
  for (const PlacedFamily& family : families) {
    if (last != family.text().name) Put(page, family.text().head);
    Put(page, family.text().text);
    last = family.text().name;
  }
}

template <class Page>
void PutProtobuf(Page& page, const std::vector<PlacedFamily>& families) {
  for (auto first = families.begin(); first != families.end();) {
    const Block::FamilyText& text = first->text();
    const auto end = std::find_if(first, families.end(), [&](const PlacedFamily& family) {
      return family.text().name != text.name;
    });
    const std::string head =
        exposition::FamilyHead(text.name, text.help, exposition::FamilyTypeOf(text.type));
    std::size_t size = head.size();
    for (auto part = first; part != end; ++part) size += part->message().size();
    Put(page, exposition::LengthOf(size) + head);
    for (; first != end; ++first) Put(page, first->message());
  }
}

template <class Page>
void Put(Page& page, exposition::PageFormat format, const std::vector<PlacedFamily>& families) {
  if (format == exposition::PageFormat::kProtobuf) {
    PutProtobuf(page, families);
  } else {
    PutText(page, families);
  }
}

}  // namespace

std::string Render(const Snapshot& snapshot, exposition::PageFormat format,
                   const std::set<std::string>& names) {
  const std::vector<PlacedFamily> families = Families(snapshot, names);
  std::size_t size = 0;  // of text; protobuf needs about as much
  for (const PlacedFamily& family : families) {
    size += family.text().head.size() + family.text().text.size();
  }
  std::string page;
  page.reserve(size);
  Put(page, format, families);
  return page;
}

std::string RenderGzip(const Snapshot& snapshot, exposition::PageFormat format,
                       const std::set<std::string>& names) {
  base::GzipJoiner page;
  Put(page, format, Families(snapshot, names));
  return page.Finish();
}

std::string RenderText(const Snapshot& snapshot, const std::set<std::string>& names) {
  return Render(snapshot, exposition::PageFormat::kText, names);
}

std::string RenderProtobuf(const Snapshot& snapshot, const std::set<std::string>& names) {
  return Render(snapshot, exposition::PageFormat::kProtobuf, names);
}

base::Result<void> SnapshotAppender::Append(const Snapshot& snapshot) {
  const auto appender = store_.NewAppender();
  const model::TimestampMs t = snapshot.timestamp_ms;
  base::Result<void> refused;  // the first; all others are stored
  const auto note = [&](storage::AppendOutcome outcome, const model::Labels& labels) {
    if (outcome != storage::AppendOutcome::kAppended && refused) {
      refused = storage::AsResult(outcome, labels, t);
    }
  };
  std::unordered_set<const Block*> known;
  for (const auto& block : previous_) known.insert(block.get());
  // Of blocks that are as they were nothing is gone.
  std::unordered_set<model::Labels, model::LabelsHash> in_fresh;
  for (const auto& block : snapshot.blocks) {
    const bool fresh = known.erase(block.get()) == 0;
    for (const exposition::FlatSample& sample : block->samples) {
      note(appender->Append(sample.labels, t, sample.value), sample.labels);
      if (fresh) in_fresh.insert(sample.labels);
    }
    for (const exposition::FlatHistogram& sample : block->histograms) {
      note(appender->AppendDetailed(sample.labels, t, 0, {sample.value}), sample.labels);
      if (fresh) in_fresh.insert(sample.labels);
    }
  }
  const auto end = [&](const model::Labels& labels) {
    if (!in_fresh.contains(labels)) note(appender->Append(labels, t, model::StaleNaN()), labels);
  };
  for (const Block* left : known) {
    for (const exposition::FlatSample& sample : left->samples) end(sample.labels);
    for (const exposition::FlatHistogram& sample : left->histograms) end(sample.labels);
  }
  previous_ = snapshot.blocks;
  AZX_ASSIGN_OR_RETURN(const storage::LeftOut left_out, appender->Commit());
  AZX_RETURN_IF_ERROR(refused);
  return storage::AsResult(left_out);
}

}  // namespace azexporter::collect
