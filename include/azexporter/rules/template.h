#pragma once

// The templates of labels and annotations: Go's template language as far as alerts use it.
//
//   Zone {{ $labels.zone }} is at {{ $value | humanizePercentage }}
//
// Understood: $labels, $externalLabels, $externalURL, $value (and .Labels, .ExternalLabels,
// .ExternalURL, .Value), strings, numbers, true and false, pipelines, parentheses, trim markers,
// comments, if / else if / else / end, and the functions of kTemplateFunctions. Not yet: variables
// of one's own, range, with, define and the functions that query.
// Source: prometheus.io/docs/prometheus/latest/configuration/template_reference/.
//
// Thread safety: pure functions.

#include <string>
#include <string_view>

#include "azexporter/base/result.h"
#include "azexporter/model/labels.h"

namespace azexporter::rules {

struct TemplateData {
  model::Labels labels;
  model::Labels external_labels;
  std::string external_url;
  double value = 0;
};

// kBadData when the text is no template.
base::Result<void> CheckTemplate(std::string_view text);

// kBadData when the text is no template, kExecution when it fails on this data.
base::Result<std::string> ExpandTemplate(std::string_view text, const TemplateData& data);

// What a rule does with a failing template: the error takes its place in the text.
// "<error expanding template: ...>"
std::string ExpandOrExplain(std::string_view text, const TemplateData& data);

// The humanize functions, for people everywhere: 1234567 -> "1.235M", 0.001 -> "1m".
std::string Humanize(double value);
std::string HumanizeDuration(double seconds);
std::string HumanizePercentage(double ratio);

}  // namespace azexporter::rules
