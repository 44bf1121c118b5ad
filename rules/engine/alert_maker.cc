#include "alert_maker.h"

#include <bit>
#include <cstdint>
#include <utility>

#include "azexporter/base/hash_index.h"

namespace azexporter::rules {

base::Result<promql::Vector> SamplesOf(promql::QueryResult result) {
  if (auto* vector = std::get_if<promql::Vector>(&result.value)) return std::move(*vector);
  if (const auto* scalar = std::get_if<promql::Scalar>(&result.value)) {
    return promql::Vector{{model::Labels(), scalar->t, scalar->f}};
  }
  return base::Fail(base::ErrorCode::kExecution, "rule result is not a vector or scalar");
}

AlertMaker::Templates::Templates(const TemplateMap& texts, const std::string& alert) {
  for (const auto& [name, text] : texts) {
    all.emplace_back(name, Template(text, alert));
    look_at_value = look_at_value || all.back().second.looks_at_value();
    look_outside = look_outside || all.back().second.looks_outside();
  }
}

model::Labels AlertMaker::Templates::Expand(const TemplateData& data,
                                            model::LabelsBuilder builder) const {
  for (const auto& [name, text] : all) builder.Set(name, text.ExpandOrExplain(data));
  return builder.Build();
}

AlertMaker::AlertMaker(const Rule& rule)
    : name_(rule.name),
      labels_(rule.labels, rule.name),
      annotations_(rule.annotations, rule.name) {}

const AlertMaker::Made& AlertMaker::MakeOne(const model::Labels& labels, TemplateData& data) {
  const auto entry = made_.try_emplace(labels);
  Made& made = entry.first->second;
  const bool fresh = entry.second;
  const auto stale = [&](const Templates& templates) {
    return fresh || templates.look_outside ||
           (templates.look_at_value &&
            std::bit_cast<std::uint64_t>(made.value) != std::bit_cast<std::uint64_t>(data.value));
  };
  data.labels = labels;
  if (stale(labels_)) {
    model::LabelsBuilder builder(labels);
    builder.Remove(model::kMetricName);
    made.labels = model::LabelsBuilder(labels_.Expand(data, std::move(builder)))
                      .Set(kAlertName, name_)
                      .Build();
  }
  if (stale(annotations_)) made.annotations = annotations_.Expand(data, model::LabelsBuilder());
  made.value = data.value;
  made.used = true;
  return made;
}

base::Result<std::vector<Alert>> AlertMaker::Make(int limit, promql::QueryResult result,
                                                  const Evaluation& evaluation) {
  AZX_ASSIGN_OR_RETURN(const promql::Vector samples, SamplesOf(std::move(result)));
  if (limit > 0 && samples.size() > static_cast<std::size_t>(limit)) {
    return base::Fail(base::ErrorCode::kExecution, "exceeded limit of " + std::to_string(limit) +
                                                       " with " + std::to_string(samples.size()) +
                                                       " alerts");
  }
  TemplateData data{.alert = name_,
                    .labels = {},
                    .external_labels = evaluation.options.external_labels,
                    .external_url = evaluation.options.external_url,
                    .now = evaluation.t,
                    .query = evaluation.query};
  std::vector<Alert> alerts;
  alerts.reserve(samples.size());
  base::HashIndex seen;
  for (const model::Sample& sample : samples) {
    data.value = sample.f;
    const Made& made = MakeOne(sample.labels, data);
    const auto same = [&](std::uint32_t i) { return alerts[i].labels == made.labels; };
    const std::uint64_t hash = made.labels.Hash();
    if (seen.Find(hash, same) != base::HashIndex::kNone) {
      return base::Fail(base::ErrorCode::kExecution,
                        "vector contains metrics with the same labelset after applying alert "
                        "labels: " +
                            made.labels.ToString());
    }
    seen.Insert(hash, static_cast<std::uint32_t>(alerts.size()));
    Alert& alert = alerts.emplace_back();
    alert.state = AlertState::kPending;
    alert.labels = made.labels;
    alert.annotations = made.annotations;
    alert.value = made.value;
    alert.active_at = evaluation.t;
  }
  // What was not asked for is not likely to be.
  if (made_.size() > alerts.size()) {
    std::erase_if(made_, [](const auto& entry) { return !entry.second.used; });
  }
  for (auto& [labels, made] : made_) made.used = false;
  return alerts;
}

}  // namespace azexporter::rules
