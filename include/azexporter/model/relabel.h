#pragma once

// Relabelling: rules that change a set of labels, or drop what has it, on its way out.
// Semantics: prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config.
//
// Thread safety: RelabelRule is immutable after Create; the functions are pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/model/labels.h"
#include "azexporter/model/regexp.h"

namespace azexporter::model {

enum class RelabelAction {
  kReplace,
  kKeep,
  kDrop,
  kKeepEqual,
  kDropEqual,
  kHashMod,
  kLabelMap,
  kLabelDrop,
  kLabelKeep,
  kLowercase,  // of ASCII letters; all others stay
  kUppercase,
};
// "labelmap"; any case is taken. nullopt for every other text.
std::optional<RelabelAction> ParseRelabelAction(std::string_view text);
std::string_view RelabelActionName(RelabelAction action);

// As written; what is not given has its default.
struct RelabelOptions {
  RelabelAction action = RelabelAction::kReplace;
  std::vector<std::string> source_labels;
  std::optional<std::string> separator;    // between the values of the source labels; ";"
  std::optional<std::string> regex;        // matches whole texts; "(.*)"
  std::uint64_t modulus = 0;               // of hashmod
  std::string target_label;                // of replace with $1, ${name} of the match
  std::optional<std::string> replacement;  // "$1"

  friend bool operator==(const RelabelOptions&, const RelabelOptions&) = default;
};

class RelabelRule {
 public:
  // kBadData where the regex does not parse, the action lacks what it needs, or has what it does
  // not take.
  static base::Result<RelabelRule> Create(RelabelOptions options);

  const RelabelOptions& options() const { return options_; }
  // False: what has these labels is dropped.
  [[nodiscard]] bool Apply(LabelsBuilder& labels) const;

  friend bool operator==(const RelabelRule& a, const RelabelRule& b) {
    return a.options_ == b.options_;
  }

 private:
  RelabelRule(RelabelOptions options, AnchoredRegexp regex)
      : options_(std::move(options)), regex_(std::move(regex)) {}

  std::string Source(const LabelsBuilder& labels) const;
  void Replace(const std::string& source, LabelsBuilder& labels) const;
  void ChangeNames(LabelsBuilder& labels) const;

  RelabelOptions options_;
  AnchoredRegexp regex_;
};

using RelabelRules = std::vector<RelabelRule>;

// Applies the rules in order. nullopt where one of them drops.
std::optional<Labels> Relabel(const Labels& labels, const RelabelRules& rules);

}  // namespace azexporter::model
