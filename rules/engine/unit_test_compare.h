#pragma once

// Whether what the rules made is what a unit test expects, and the words for it where it is not.
// Private to `rules`.
//
// Thread safety: pure functions.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unit_test_file.h"

namespace azexporter::rules {

struct CompareOptions {
  std::string_view test_name;  // of the entry of `tests`; "" is not told
  bool diff = false;
  bool fuzzy = false;  // neighbouring doubles are equal
};

// "    name: N,\n    alertname: A, time: 5m, line: 12,": what a failure begins with.
std::string AlertTestHead(const AlertTest& test, const CompareOptions& options);
std::string ExprTestHead(const ExprTest& test, const CompareOptions& options);

// What differs, told in indented lines; nothing where all is as expected. `got` are the alerts of
// that name, pending and firing. Pending ones count only where the test expects any.
std::optional<std::string> CompareAlerts(const AlertTest& test, std::vector<ExpectedAlert> got,
                                         const CompareOptions& options);
std::optional<std::string> CompareSamples(const ExprTest& test, std::vector<ExpectedSample> got,
                                          const CompareOptions& options);

}  // namespace azexporter::rules
