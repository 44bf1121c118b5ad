#pragma once

// The rules of the PrometheusRule objects that the configuration selects, as the cluster has them.
// Private to `app`.
//
// Thread safety: one thread at a time.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "azexporter/base/logger.h"
#include "azexporter/config/config.h"
#include "azexporter/kube/cluster_state.h"
#include "azexporter/rules/rule_file.h"

namespace azexporter::app {

class ClusterRules {
 public:
  // `parser`: the features that expressions may use.
  explicit ClusterRules(base::Logger log, promql::ParserOptions parser = {})
      : log_(std::move(log)), parser_(parser) {}

  // Looks at the objects anew; true where groups() or complete() changed. An object that cannot be
  // read is logged once, and the rules it had before stay in force. REQUIRES: before the first
  // call, and after a change, SetSelection.
  bool Update(const kube::ClusterState& cluster);
  // Nothing: none are asked for.
  void SetSelection(std::optional<config::ObjectSelection> selection);

  // RuleGroup::file is "PrometheusRule NAMESPACE/NAME".
  std::vector<rules::RuleGroup> groups() const;
  // What the cluster has is known, or that it has no such objects.
  bool complete() const { return !selection_ || complete_; }
  std::size_t refused() const;  // objects whose present text is not in force

 private:
  struct Known {
    kube::Object<kube::PrometheusRule> object;
    std::vector<rules::RuleGroup> groups;  // in force
    bool refused = false;
  };

  void Read(Known& known) const;

  const base::Logger log_;
  const promql::ParserOptions parser_;
  std::optional<config::ObjectSelection> selection_;
  bool changed_ = false;
  bool complete_ = false;
  std::map<std::string, Known> objects_;  // by "NAMESPACE/NAME"
};

}  // namespace azexporter::app
