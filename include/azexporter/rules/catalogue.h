#pragma once

// What is known of metrics by their names: azexporter's own families with their labels, values and
// bounds. The module `rules` knows no collectors; who does puts their tables in here.
//
// Some names of azexporter's are shared with other exporters (kube_*, pg_*, http_*), by agreement
// with the same meaning: of these only what holds for all of them may be relied on.
//
// Thread safety: thread-compatible; const methods may be called from many threads.

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "azexporter/model/metric_family.h"

namespace azexporter::rules {

// Whether series of a family can carry a label.
enum class Carries {
  kYes,       // the family has it
  kMaybe,     // whoever scrapes may add it: never to be judged
  kUnlikely,  // it is nobody's that is known, but a scrape could still add it
  kNo,        // it is another family's, or a slip of the pen
};

class Catalogue {
 public:
  // The rows must outlive this.
  void Add(std::span<const model::MetricDesc> families);

  // The family that a series of this name belongs to, of a histogram by its name with _bucket,
  // _sum or _count; nullptr where there is none.
  const model::MetricDesc* Find(std::string_view series_name) const;

  // Whether the series are written by azexporter alone: az_*, azexporter_*.
  static bool IsOwnName(std::string_view name);
  // Whether a series with this name is a counter; that of a gauge or of nothing known is none.
  bool IsCounter(std::string_view series_name) const;
  bool IsGauge(std::string_view series_name) const;

  // REQUIRES: Find(series_name) is not null.
  Carries LabelOf(std::string_view series_name, std::string_view label) const;
  // Labels of other families for which LabelOf is kNo.
  // REQUIRES: the same.
  std::set<std::string> LabelsNeverOf(std::string_view series_name) const;

  // The known name that is nearest to a misspelt one; "" where none is near.
  std::string_view NearestName(std::string_view name) const;
  // The label of the family, or the value among `values`, that is nearest; "" where none is near.
  std::string_view NearestLabel(const model::MetricDesc& family, std::string_view label) const;
  static std::string_view Nearest(std::string_view text, std::span<const std::string_view> known);

 private:
  std::map<std::string_view, const model::MetricDesc*> families_;
  std::set<std::string_view> labels_;  // of all families
};

// Labels that a scrape, a relabelling or the external labels of a Prometheus add: instance, job,
// cluster, prometheus, ...
bool IsScrapeLabel(std::string_view label);

}  // namespace azexporter::rules
