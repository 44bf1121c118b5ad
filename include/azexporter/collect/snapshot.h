#pragma once

// A Snapshot is what one round of collecting came to: blocks of series with one timestamp, ready to
// be served and to be stored. A block is immutable and carries its text, rendered once.
//
// Thread safety: immutable after construction; shared as shared_ptr<const Snapshot>.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/collect/collector.h"
#include "azexporter/exposition/text_writer.h"
#include "azexporter/storage/storage.h"

namespace azexporter::collect {

// Families of one collector, or a part of them.
struct Block {
  std::string collector;
  struct FamilyText {
    std::string name;
    std::string head;  // HELP and TYPE
    std::string text;  // samples
    std::string help = {};
    model::MetricType type = model::MetricType::kUnknown;
  };
  std::vector<FamilyText> families;  // only those with samples
  std::vector<exposition::FlatSample> samples;

  static std::shared_ptr<const Block> Make(std::string_view collector,
                                           const std::vector<model::MetricFamily>& families);
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

// Makes snapshots, one after the other. What is said of pods that did not change, or of another
// source that did not, is the very block of the snapshot before: to show it again costs nothing.
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

  struct OfSource {
    std::shared_ptr<const void> source;
    std::shared_ptr<const Block> block;
  };

  void AddPods(const Collector& collector, const CollectorInputs& inputs, Snapshot& snapshot);
  void AddOfSource(const Collector& collector, std::shared_ptr<const void> source,
                   const CollectorInputs& inputs, Snapshot& snapshot);

  bool pods_detail_ = false;
  std::map<std::string_view, Parts> parts_;  // by the collector's name, as those below
  std::map<std::string_view, OfSource> of_sources_;
};

// A single one.
Snapshot Gather(const CollectorInputs& inputs, const std::set<std::string>& disabled,
                const base::Clock& clock);

// All blocks as one page of text format 0.0.4, families sorted by name. With `names`, only those.
std::string RenderText(const Snapshot& snapshot, const std::set<std::string>& names = {});

// Appends snapshots to a store, one after the other. A series that the previous snapshot had and
// this one has not gets a staleness marker, so that a look-back never shows what is gone.
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
