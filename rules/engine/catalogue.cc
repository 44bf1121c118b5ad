#include "azexporter/rules/catalogue.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "azexporter/model/labels.h"

namespace azexporter::rules {
namespace {

constexpr std::string_view kHistogramSuffixes[] = {"_bucket", "_count", "_sum"};

// What Kubernetes discovery and common relabelling add, and Thanos, Mimir and the Operator.
constexpr std::string_view kScrapeLabels[] = {"__name__",
                                              "__replica__",
                                              "account",
                                              "account_id",
                                              "app",
                                              "az",
                                              "cloud",
                                              "cluster",
                                              "cluster_id",
                                              "component",
                                              "container",
                                              "datacenter",
                                              "dc",
                                              "endpoint",
                                              "env",
                                              "environment",
                                              "host",
                                              "hostname",
                                              "instance",
                                              "job",
                                              "metrics_path",
                                              "monitor",
                                              "namespace",
                                              "node",
                                              "origin_prometheus",
                                              "pod",
                                              "project",
                                              "prometheus",
                                              "prometheus_replica",
                                              "region",
                                              "replica",
                                              "server",
                                              "service",
                                              "shard",
                                              "site",
                                              "stack",
                                              "stage",
                                              "team",
                                              "tenant",
                                              "tenant_id",
                                              "tier",
                                              "zone_id"};

// How many characters must be put in, taken out, replaced or swapped with their neighbour.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      row[j + 1] = std::min({last[j] + (a[i] == b[j] ? 0 : 1), row[j] + 1, last[j + 1] + 1});
      const bool swapped = i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j];
      if (swapped) row[j + 1] = std::min(row[j + 1], before[j - 1] + 1);
    }
  }
  return row.back();
}

// Short words are near to many others: a slip in a long word is more than one letter.
std::size_t MostSlips(std::string_view text) {
  return text.size() < 4 ? 0 : text.size() < 8 ? 1 : 2;
}

}  // namespace

bool IsScrapeLabel(std::string_view label) {
  return label.starts_with("exported_") || label.starts_with("__") ||
         std::ranges::find(kScrapeLabels, label) != std::end(kScrapeLabels);
}

void Catalogue::Add(std::span<const model::MetricDesc> families) {
  for (const model::MetricDesc& family : families) {
    families_.emplace(family.name, &family);
    labels_.insert(family.label_names.begin(), family.label_names.end());
  }
}

const model::MetricDesc* Catalogue::Find(std::string_view series_name) const {
  const auto find = [this](std::string_view name) {
    const auto found = families_.find(name);
    return found == families_.end() ? nullptr : found->second;
  };
  if (const auto* family = find(series_name)) {
    // A histogram has no series of its bare name, unless it is a native one of somebody else.
    return family->type == model::MetricType::kHistogram ? nullptr : family;
  }
  for (const std::string_view suffix : kHistogramSuffixes) {
    if (!series_name.ends_with(suffix)) continue;
    const auto* family = find(series_name.substr(0, series_name.size() - suffix.size()));
    if (family != nullptr && family->type == model::MetricType::kHistogram) return family;
  }
  return nullptr;
}

bool Catalogue::IsOwnName(std::string_view name) {
  return name.starts_with("az_") || name.starts_with("azexporter_");
}

bool Catalogue::IsCounter(std::string_view series_name) const {
  const model::MetricDesc* family = Find(series_name);
  return family != nullptr && family->type != model::MetricType::kGauge;
}

bool Catalogue::IsGauge(std::string_view series_name) const {
  const model::MetricDesc* family = Find(series_name);
  return family != nullptr && family->type == model::MetricType::kGauge;
}

Carries Catalogue::LabelOf(std::string_view series_name, std::string_view label) const {
  const model::MetricDesc& family = *Find(series_name);
  const auto& names = family.label_names;
  if (std::ranges::find(names, label) != names.end()) return Carries::kYes;
  if (label == "le" && series_name.ends_with("_bucket")) return Carries::kYes;
  if (IsScrapeLabel(label)) return Carries::kMaybe;
  if (!NearestLabel(family, label).empty()) return Carries::kNo;
  if (!IsOwnName(family.name)) return Carries::kMaybe;
  return labels_.contains(label) ? Carries::kNo : Carries::kUnlikely;
}

std::set<std::string> Catalogue::LabelsNeverOf(std::string_view series_name) const {
  std::set<std::string> never;
  for (const std::string_view label : labels_) {
    if (LabelOf(series_name, label) == Carries::kNo) never.emplace(label);
  }
  return never;
}

std::string_view Catalogue::Nearest(std::string_view text,
                                    std::span<const std::string_view> known) {
  std::string_view nearest;
  std::size_t least = MostSlips(text) + 1;
  for (const std::string_view one : known) {
    const std::size_t distance = Distance(text, one);
    if (distance == 0 || distance >= least) continue;
    least = distance;
    nearest = one;
  }
  return nearest;
}

std::string_view Catalogue::NearestName(std::string_view name) const {
  std::vector<std::string_view> names;
  for (const auto& [known, family] : families_) names.push_back(known);
  return Nearest(name, names);
}

std::string_view Catalogue::NearestLabel(const model::MetricDesc& family,
                                         std::string_view label) const {
  return Nearest(label, family.label_names);
}

}  // namespace azexporter::rules
