#pragma once

// Lists as kubectl prints them: a Table of columns, one row an object. Nodes and pods have the
// columns of a real server; the common workloads have the important ones; everything else has Name
// and Age.
// Semantics: kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables.

#include <span>
#include <string>

#include "simulator/api_request.h"
#include "simulator/store.h"

namespace azexporter::simulator {

struct TableOptions {
  std::int64_t now_ms = 0;     // ages are counted up to here
  std::string include_object;  // "None", "Metadata" (also the default) or "Object"
  bool with_columns = true;    // later events of a watch leave the column definitions out
};

// `metadata` is the list's: resourceVersion and, on a page, continue and remainingItemCount.
Json MakeTable(const ResourcePath& path, std::span<const ObjectPtr> objects, Json metadata,
               const TableOptions& options);

// "5s", "2m3s", "11m", "5h1m", "3d", as kubectl shows ages.
// Semantics: k8s.io/apimachinery/pkg/util/duration.HumanDuration.
std::string HumanDuration(std::int64_t ms);

}  // namespace azexporter::simulator
