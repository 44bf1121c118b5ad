#pragma once

// Label and field selectors, as the query parameters of lists and watches carry them.
// Semantics: kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors and
// kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors.
//
// Thread safety: values; thread-compatible.

#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "simulator/json.h"

namespace azexporter::simulator {

class LabelSelector {
 public:
  // "a=b,c!=d,e in (f,g),h notin (i),j,!k"; empty selects everything.
  static base::Result<LabelSelector> Parse(std::string_view text);
  // The `matchLabels` and `matchExpressions` of an object; an absent selector selects nothing.
  static LabelSelector FromObject(const Json* selector);

  // `labels` is metadata.labels; nullptr for an object without.
  bool Matches(const Json* labels) const;
  // The same of labels that are still text; empty for an object without.
  bool MatchesText(std::string_view labels) const;
  bool empty() const { return requirements_.empty(); }

 private:
  enum class Operator { kIn, kNotIn, kExists, kNotExists };
  struct Requirement {
    std::string key;
    Operator op = Operator::kExists;
    std::vector<std::string> values;
  };

  static base::Result<Requirement> ParseRequirement(std::string_view text);
  // `value` answers a label's value, nullopt where there is none.
  template <class Value>
  bool MatchesAll(const Value& value) const;

  bool nothing_ = false;
  std::vector<Requirement> requirements_;
};

class FieldSelector {
 public:
  // "metadata.name=x,spec.nodeName!=y". Which fields a kind knows is not checked here.
  static base::Result<FieldSelector> Parse(std::string_view text);

  // `object` is JSON text.
  bool Matches(std::string_view object) const;
  bool empty() const { return terms_.empty(); }
  // The value that a field must have; empty when it is not asked for.
  std::string Required(std::string_view field) const;
  // The fields that are asked for, e.g. "spec.nodeName".
  std::vector<std::string> Fields() const;

 private:
  struct Term {
    std::string field;
    bool equal = true;
    std::string value;
  };
  std::vector<Term> terms_;
};

}  // namespace azexporter::simulator
