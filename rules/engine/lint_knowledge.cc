// What is known of selectors: from the catalogue, and from recording rules.

#include <algorithm>

#include "azexporter/promql/ast.h"
#include "lint_rule.h"

namespace azexporter::rules {
namespace {

using promql::Facts;

// They tell a Prometheus or a target, and are on all series or on none: the part of the labels of a
// scrape that may come and go with it, while pod or namespace, once aggregated away, are gone.
constexpr std::string_view kAmbient[] = {"__replica__", "cluster",
                                         "cluster_id",  "datacenter",
                                         "dc",          "endpoint",
                                         "env",         "environment",
                                         "host",        "hostname",
                                         "instance",    "job",
                                         "monitor",     "origin_prometheus",
                                         "prometheus",  "prometheus_replica",
                                         "receive",     "region",
                                         "replica",     "server",
                                         "shard",       "site",
                                         "stack",       "stage",
                                         "tenant",      "tenant_id"};

// Two rules record the same name: what holds for both.
Facts Either(const Facts& a, const Facts& b) {
  Facts facts;
  facts.labels.open = true;
  if (!a.labels.open && !b.labels.open) {
    facts.labels.open = false;
    facts.labels.possible = a.labels.possible;
    facts.labels.possible.insert(b.labels.possible.begin(), b.labels.possible.end());
  }
  facts.never = false;
  return facts;
}

}  // namespace

bool Knowledge::IsAmbient(std::string_view label) const {
  return std::ranges::find(kAmbient, label) != std::end(kAmbient);
}

Facts Knowledge::RecordedBy(const Rule& rule) const {
  const promql::Analysis analysis(*rule.expr, *this);
  Facts facts = analysis.of(*rule.expr);
  facts.named = true;
  // It is not certain that the rule was evaluated already, nor that it is the only one.
  facts.never = false;
  facts.always = false;
  facts.labels.closed_by = "the rule that records " + rule.name + " does not keep it";
  for (const auto& [name, value] : rule.labels) {
    facts.labels.values.erase(name);
    if (value.empty()) {
      facts.labels.possible.erase(name);
      facts.labels.meant.erase(name);
      if (facts.labels.open) facts.labels.lost.insert(name);
      continue;
    }
    facts.labels.possible.insert(name);
    facts.labels.meant.insert(name);
    facts.labels.lost.erase(name);
    facts.labels.values[name] = {value};
  }
  // It may have come from elsewhere, with the labels of that place.
  facts.labels.possible.insert(std::begin(kAmbient), std::end(kAmbient));
  for (const std::string_view name : kAmbient) facts.labels.lost.erase(std::string(name));
  return facts;
}

void Knowledge::Learn(std::span<const LintedFile> files) {
  // What a rule records may be made of what another one records; a few rounds reach far enough, and
  // until then nothing is assumed of a name.
  constexpr int kRounds = 4;
  for (int round = 0; round < kRounds; ++round) {
    std::map<std::string, Facts, std::less<>> learned;
    for (const LintedFile& file : files) {
      for (const RuleGroup& group : file.groups) {
        for (const Rule& rule : group.rules) {
          if (rule.kind != RuleKind::kRecording) continue;
          Facts facts = RecordedBy(rule);
          const auto [known, fresh] = learned.emplace(rule.name, facts);
          if (!fresh) known->second = Either(known->second, facts);
        }
      }
    }
    recorded_ = std::move(learned);
  }
}

Facts Knowledge::FactsOf(const promql::VectorSelector& selector) const {
  const std::string_view name = promql::MetricNameOf(selector);
  Facts facts;
  if (name.empty()) return facts;
  const auto recorded = recorded_.find(name);
  if (recorded != recorded_.end()) return recorded->second;
  const model::MetricDesc* family = catalogue_.Find(name);
  if (family == nullptr) return facts;
  facts.labels.possible.insert(family->label_names.begin(), family->label_names.end());
  // Others may write the shared names: of these only what all of them keep to is relied on.
  for (const model::LabelValues& closed : family->label_values) {
    facts.labels.values[std::string(closed.label)] = {closed.values.begin(), closed.values.end()};
  }
  if (!Catalogue::IsOwnName(name) && !name.starts_with("kube_")) facts.labels.values.clear();
  facts.labels.lost = catalogue_.LabelsNeverOf(name);
  const bool counts = family->type != model::MetricType::kGauge;
  const model::ValueBounds bounds =
      family->type == model::MetricType::kHistogram ? model::kAmount : family->bounds;
  facts.range = {bounds.least, bounds.most, bounds.whole && !counts, true};
  if (facts.range.bounded()) {
    facts.range.may_be_nan = false;
    facts.range_why = "`" + std::string(name) + "` " + promql::Describe(facts.range);
  }
  return facts;
}

}  // namespace azexporter::rules
