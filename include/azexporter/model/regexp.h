#pragma once

// Regular expressions as Prometheus uses them: RE2 syntax, with Go's (?<name>...) accepted too.
//
// Thread safety: immutable after Create; thread-safe.

#include <memory>
#include <string>
#include <string_view>

#include "azexporter/base/result.h"

namespace azexporter::model {

class AnchoredRegexp {
 public:
  // Matches whole texts only. kBadData with RE2's reason when `pattern` does not parse.
  static base::Result<AnchoredRegexp> Create(std::string_view pattern);

  bool Matches(std::string_view text) const;
  // Where the whole of `text` matches, expands $1, ${1} and ${name} in `replacement` as Go's
  // Regexp.Expand ("$$" is "$"; unknown groups are empty) into `out` and returns true.
  bool Expand(std::string_view text, std::string_view replacement, std::string& out) const;

 private:
  struct Impl;
  explicit AnchoredRegexp(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  std::shared_ptr<const Impl> impl_;
};

// `text` with every match of `pattern` (not anchored) replaced, "$1" in `replacement` expanded.
// kBadData when `pattern` does not parse, kExecution when the result is longer than `max_bytes`.
base::Result<std::string> ReplaceAll(std::string_view pattern, std::string_view replacement,
                                     std::string_view text,
                                     std::size_t max_bytes = std::string_view::npos);

// Whether `pattern` (not anchored) matches anywhere in `text`. kBadData when it does not parse.
base::Result<bool> FindsMatch(std::string_view pattern, std::string_view text);

}  // namespace azexporter::model
