#pragma once

// What ties remote write to the rounds and the metrics. Private to `app`.

#include <vector>

#include "azexporter/collect/self_metrics.h"
#include "azexporter/collect/snapshot.h"
#include "azexporter/exposition/remote_write_encode.h"
#include "azexporter/remote/sender.h"

namespace azexporter::app {

std::vector<collect::RemoteStorageCounts> CountsOf(const std::vector<remote::WriteStats>& stats);

// What the families of a snapshot say of themselves.
exposition::MetadataMap MetadataOf(const collect::Snapshot& snapshot);

}  // namespace azexporter::app
