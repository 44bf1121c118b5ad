#pragma once

// WATCH: a chunked stream of JSON lines that follows the store until its time is up, the client
// goes away or the server stops.
//
// An object that enters or leaves the selection is told as ADDED or DELETED. Bookmarks come about
// once a minute and near the end. A start that has been forgotten is answered with 200 and one
// ERROR event that carries a 410, as the real server does. Semantics:
// kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes,
// #watch-bookmarks and #streaming-lists.

#include <cstdint>
#include <functional>

#include "azexporter/base/clock.h"
#include "simulator/api_request.h"

namespace azexporter::simulator {

struct WatchOptions {
  ListOptions list;
  Representation representation = Representation::kObject;
  std::int64_t bookmark_interval_ms = 60'000;
  // How long before its end a watch sends its last bookmark.
  std::int64_t final_bookmark_ms = 2'000;
  // Asked between events; true ends the stream properly, as a server does that sheds its watches.
  std::function<bool()> close_now;
};

// 422 for an impossible combination of parameters.
ApiResult<void> CheckWatchOptions(const ListOptions& options);

// Writes the stream. `store` and `clock` must outlive the call.
StreamEnd StreamWatch(Store& store, const base::Clock& clock, const ResourcePath& path,
                      const WatchOptions& options, BodyStream& body);

}  // namespace azexporter::simulator
