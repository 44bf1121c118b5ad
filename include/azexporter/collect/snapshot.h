#pragma once

// A Snapshot is what one round of collecting came to: blocks of series with one timestamp, ready to
// be served and to be stored. A block is immutable and carries its text, rendered once.
//
// Thread safety: immutable after construction; shared as shared_ptr<const Snapshot>.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/base/packed_text.h"
#include "azexporter/collect/collector.h"
#include "azexporter/exposition/metric_message.h"
#include "azexporter/exposition/text_writer.h"
#include "azexporter/storage/storage.h"

namespace azexporter::collect {

// Families of one collector, or a part of them.
struct Block {
  std::string collector;
  struct FamilyText {
    explicit FamilyText(const model::MetricFamily& family);

    std::string name;
    std::string head;       // HELP and TYPE
    base::PackedText text;  // samples
    std::string help;
    model::MetricType type;
    // Where its samples stand in those of the block.
    std::size_t first_sample = 0;
    std::size_t sample_count = 0;
    std::vector<model::HistogramMetric> histograms;
  };
  std::deque<FamilyText> families;  // only those with samples
  std::vector<exposition::FlatSample> samples;
  std::vector<exposition::FlatHistogram> histograms;  // native ones

  static std::shared_ptr<const Block> Make(std::string_view collector,
                                           const std::vector<model::MetricFamily>& families);

  // True when it shows just these families; one with histograms is never found to.
  bool Shows(const std::vector<model::MetricFamily>& shown) const;

  // Of each family its metrics as fields of a protobuf message (exposition/metric_message.h); made
  // at the first call, since most are only asked for text. Thread-safe.
  const std::deque<base::PackedText>& messages() const;

 private:
  mutable std::once_flag messages_made_;
  mutable std::deque<base::PackedText> messages_;
};

struct CollectorRun {
  std::string collector;
  bool success = false;
  std::string error;
  double duration_seconds = 0;
};

struct Snapshot {
  std::int64_t timestamp_ms = 0;
  std::vector<std::shared_ptr<const Block>> blocks;
  std::vector<CollectorRun> runs;  // one a collector
};

// Makes snapshots, one after the other. What is said of pods that did not change is the very block
// of the snapshot before, and so is what a collector says again: to show it again costs nothing.
//
// Thread safety: one thread only.
class Gatherer {
 public:
  // Runs every collector that is not in `disabled`.
  Snapshot Gather(const CollectorInputs& inputs, const std::set<std::string>& disabled,
                  const base::Clock& clock);

 private:
  struct Part {
    std::shared_ptr<const PodChunk> pods;
    std::size_t zones = 0;  // a hash of their nodes'
    std::shared_ptr<const Block> block;
  };
  using Parts = std::unordered_map<const PodChunk*, Part>;

  void AddPods(const Collector& collector, const CollectorInputs& inputs, Snapshot& snapshot);

  bool pods_detail_ = false;
  // By the collector's name.
  std::map<std::string_view, std::shared_ptr<const Block>> blocks_;
  std::map<std::string_view, Parts> parts_;
};

// A single one.
Snapshot Gather(const CollectorInputs& inputs, const std::set<std::string>& disabled,
                const base::Clock& clock);

// All blocks as one page of text format 0.0.4, families sorted by name. With `names`, only those.
std::string RenderText(const Snapshot& snapshot, const std::set<std::string>& names = {});
// The same in protobuf, which has native histograms beside the classic ones.
std::string RenderProtobuf(const Snapshot& snapshot, const std::set<std::string>& names = {});
// Either of them.
std::string Render(const Snapshot& snapshot, exposition::PageFormat format,
                   const std::set<std::string>& names = {});
// The same as gzip, of which only what changed since it was last asked for is compressed.
std::string RenderGzip(const Snapshot& snapshot, exposition::PageFormat format,
                       const std::set<std::string>& names = {});

// Appends snapshots to a store, one after the other; a histogram that is kept as a native one, too,
// as both, as Prometheus does with always_scrape_classic_histograms. A series that the previous
// snapshot had and this one has not gets a staleness marker, so that a look-back never shows what
// is gone.
//
// Thread safety: one thread only.
class SnapshotAppender {
 public:
  // `store` must outlive this.
  explicit SnapshotAppender(storage::Appendable& store) : store_(store) {}
  base::Result<void> Append(const Snapshot& snapshot);

 private:
  storage::Appendable& store_;
  std::vector<std::shared_ptr<const Block>> previous_;
};

}  // namespace azexporter::collect
