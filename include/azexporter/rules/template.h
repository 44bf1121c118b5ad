#pragma once

// The templates of labels and annotations of alerts: Go's text/template with Prometheus's functions
// and variables, expanded once for each alert.
//
//   Zone {{ $labels.zone }} is at {{ $value | humanizePercentage }}
//   {{ range query "up == 0" }}{{ .Labels.instance }} {{ else }}none {{ end }}
//
// $labels, $externalLabels, $externalURL and $value are .Labels, .ExternalLabels, .ExternalURL and
// .Value of the data; as in Prometheus they are variables in front of the text, which the templates
// that it defines do not see.
// Other than there, all times are UTC, complex numbers are refused, and an expansion is bounded: it
// ends with an error after some million steps, 1 MiB of text, 1000 queries or 200 templates within
// each other.
// Semantics: prometheus.io/docs/prometheus/latest/configuration/template_reference/,
// prometheus/template/template.go, prometheus/rules/alerting.go, pkg.go.dev/text/template.
//
// Thread safety: pure functions, as long as the query is.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/model/labels.h"
#include "azexporter/model/sample.h"
#include "azexporter/promql/value.h"

namespace azexporter::rules {

// Answers the template function `query` for the time of the evaluation.
using TemplateQuery = std::function<base::Result<promql::Vector>(std::string_view query)>;

struct TemplateData {
  std::string alert;  // the alert's name, which errors tell
  model::Labels labels;
  model::Labels external_labels;
  std::string external_url;
  double value = 0;
  model::TimestampMs now = 0;  // of the evaluation
  TemplateQuery query = {};    // empty: `query` fails
};

namespace text_template {
struct Tree;
}

// A template that was read, to be expanded many times. Immutable: may be shared by threads.
class Template {
 public:
  // A text that is no template expands to the error.
  Template(std::string_view text, std::string_view alert);

  // As ExpandTemplate and ExpandOrExplain, of the same alert.
  base::Result<std::string> Expand(const TemplateData& data) const;
  std::string ExpandOrExplain(const TemplateData& data) const;

  // Whether the text may depend on the value; on the store or on the clock, by a query or `now`.
  // Otherwise only on labels. May be true where it does not.
  bool looks_at_value() const { return looks_at_value_; }
  bool looks_outside() const { return looks_outside_; }

 private:
  std::string name_;
  std::string plain_;  // where there is no tree
  std::shared_ptr<const base::Result<text_template::Tree>> tree_;
  bool looks_at_value_ = false;
  bool looks_outside_ = false;
};

// What Prometheus finds when it loads a rule. kBadData when the text is no template:
// "template: __alert_NAME:1: unclosed action".
base::Result<void> CheckTemplate(std::string_view text, std::string_view alert);

// kBadData when the text is no template, kExecution when it fails on this data:
// `error executing template __alert_NAME: template: __alert_NAME:1:115: executing "__alert_NAME" at
// <first>: error calling first: first() called on vector with no elements`.
base::Result<std::string> ExpandTemplate(std::string_view text, const TemplateData& data);

// What a rule does with a failing template: the error takes its place in the text.
// "<error expanding template: ...>"
std::string ExpandOrExplain(std::string_view text, const TemplateData& data);

// The queries that stand in a template as they are, `query "up"` or `"up" | query`, in their order;
// what a template puts together first is not known before. Empty where the text is no template.
std::vector<std::string> TemplateQueries(std::string_view text);

// The names of the functions that Prometheus adds to Go's, sorted.
std::vector<std::string_view> TemplateFunctionNames();

// The humanize functions, for people everywhere: 1234567 -> "1.235M", 0.001 -> "1m".
std::string Humanize(double value);
std::string Humanize1024(double value);  // 1048576 -> "1Mi"
std::string HumanizeDuration(double seconds);
std::string HumanizePercentage(double ratio);

}  // namespace azexporter::rules
