#pragma once

// What is asked of azexporter and of Prometheus 2.42 alike. The samples are those of
// prometheus_e2e_test.cc.

#include <span>
#include <string_view>

namespace azexporter::test {

std::span<const std::string_view> ComparedQueries();

// A query that version 3 of Prometheus, and so azexporter, answers otherwise than 2.42, and why.
struct KnownDifference {
  std::string_view query;
  std::string_view reason;
};
std::span<const KnownDifference> KnownDifferences();

}  // namespace azexporter::test
