#include "remote_storage.h"

namespace azexporter::app {

std::vector<collect::RemoteStorageCounts> CountsOf(const std::vector<remote::WriteStats>& stats) {
  std::vector<collect::RemoteStorageCounts> counts;
  for (const remote::WriteStats& one : stats) {
    counts.push_back({.name = one.name,
                      .url = one.url,
                      .samples = one.samples,
                      .samples_failed = one.samples_failed,
                      .samples_retried = one.samples_retried,
                      .dropped_queue_full = one.dropped_queue_full,
                      .dropped_too_old = one.dropped_too_old,
                      .dropped_relabel = one.dropped_relabel,
                      .dropped_shutdown = one.dropped_shutdown,
                      .dropped_native_histogram = one.dropped_native_histogram,
                      .metadata = one.metadata,
                      .metadata_failed = one.metadata_failed,
                      .bytes = one.bytes,
                      .pending = one.pending,
                      .capacity = one.capacity,
                      .highest_ms = one.highest,
                      .highest_sent_ms = one.highest_sent});
  }
  return counts;
}

exposition::MetadataMap MetadataOf(const collect::Snapshot& snapshot) {
  exposition::MetadataMap metadata;
  for (const auto& block : snapshot.blocks) {
    for (const collect::Block::FamilyText& family : block->families) {
      metadata.try_emplace(family.name, exposition::FamilyMetadata{family.type, family.help});
    }
  }
  return metadata;
}

}  // namespace azexporter::app
