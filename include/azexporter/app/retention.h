#pragma once

// How long the store keeps what: with `storage.keep: rules` as long as the loaded rules look back,
// and everything for a short while; with `all` everything for the retention time, and longer what a
// rule looks further back for.
//
// Thread safety: may be called from any thread.

#include <cstdint>
#include <vector>

#include "azexporter/config/config.h"
#include "azexporter/rules/rule_file.h"
#include "azexporter/storage/memory_store.h"
#include "azexporter/storage/sample_file.h"

namespace azexporter::app {

struct Retention {
  storage::RetentionOf of;
  // Of all that `of` may answer.
  std::int64_t longest_ms = 0;
};

Retention MakeRetention(const config::StorageConfig& config,
                        const std::vector<rules::RuleGroup>& groups,
                        const promql::ParserOptions& parser = {});

// The series that rules look back to, by ranges, subqueries and offsets: what a restart would miss.
std::vector<storage::WantedSeries> LookedBackTo(const std::vector<rules::RuleGroup>& groups,
                                                const promql::ParserOptions& parser = {});

}  // namespace azexporter::app
