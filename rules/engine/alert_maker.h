#pragma once

// Makes the alerts that a result of a rule's expression stands for: labels, annotations, value.
//
// Templates are read once. What they make of a sample is made again only where what they look at
// changed: mostly nothing did since the last evaluation.
//
// Thread safety: one thread at a time.

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/promql/value.h"
#include "azexporter/rules/alert.h"
#include "azexporter/rules/manager.h"
#include "azexporter/rules/template.h"

namespace azexporter::rules {

// When and with what rules are evaluated.
struct Evaluation {
  const ManagerOptions& options;
  model::TimestampMs t = 0;
  TemplateQuery query = {};
};

class AlertMaker {
 public:
  // Every evaluation to come has the same options.
  explicit AlertMaker(const Rule& rule);

  // In the order of the result; pending, active at the evaluation. kExecution when two samples come
  // to the same labels, or there are more than the limit (0: no limit).
  base::Result<std::vector<Alert>> Make(int limit, promql::QueryResult result,
                                        const Evaluation& evaluation);

 private:
  // Of labels or annotations.
  struct Templates {
    explicit Templates(const TemplateMap& texts, const std::string& alert);
    model::Labels Expand(const TemplateData& data, model::LabelsBuilder builder) const;

    std::vector<std::pair<std::string, Template>> all;
    bool look_at_value = false;
    bool look_outside = false;  // at the store, or at the clock
  };
  struct Made {
    model::Labels labels;
    model::Labels annotations;
    double value = 0;
    bool used = false;  // by the evaluation under way
  };

  const Made& MakeOne(const model::Labels& labels, TemplateData& data);

  const std::string name_;
  const Templates labels_;
  const Templates annotations_;
  std::unordered_map<model::Labels, Made, model::LabelsHash> made_;  // by labels of the sample
};

// The samples of a vector; a scalar is one without labels. kExecution otherwise.
base::Result<promql::Vector> SamplesOf(promql::QueryResult result);

}  // namespace azexporter::rules
