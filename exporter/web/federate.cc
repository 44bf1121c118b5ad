#include <algorithm>

#include "azexporter/base/float_format.h"
#include "azexporter/exposition/text_writer.h"
#include "handlers.h"

namespace azexporter::web {
namespace {

// A label value in the text format.
void AppendLabelValue(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
}

void AppendQuotedText(std::string& out, std::string_view text) {
  out += '"';
  AppendLabelValue(out, text);
  out += '"';
}

// Labels of the series first, then those of the configuration that it has not.
class FederatedLabels {
 public:
  explicit FederatedLabels(const model::Labels& external) {
    bool has_instance = false;
    for (const model::Label label : external) {
      external_.emplace_back(label.name, label.value);
      has_instance = has_instance || label.name == kInstance;
    }
    // So that the Prometheus that reads this does not set its own instance.
    if (!has_instance) external_.emplace_back(kInstance, "");
    std::ranges::sort(external_);
  }

  void Append(std::string& out, const model::Labels& labels) {
    const std::string_view name = labels.metric_name();
    const bool legacy = model::IsLegacyMetricName(name);
    if (legacy) out += name;
    out += '{';
    if (!legacy) AppendQuotedText(out, name);
    bool first = legacy;
    const auto add = [&](std::string_view label, std::string_view value) {
      if (!first) out += ',';
      first = false;
      if (model::IsLegacyLabelName(label)) {
        out += label;
      } else {
        AppendQuotedText(out, label);
      }
      out += '=';
      AppendQuotedText(out, value);
    };
    for (const model::Label label : labels) {
      if (label.name != model::kMetricName) add(label.name, label.value);
    }
    for (const auto& [label, value] : external_) {
      if (!labels.Has(label)) add(label, value);
    }
    out += '}';
  }

 private:
  static constexpr std::string_view kInstance = "instance";
  std::vector<std::pair<std::string, std::string>> external_;
};

std::string Render(const std::vector<model::Sample>& samples, const model::Labels& external) {
  FederatedLabels labels(external);
  std::string out;
  std::string_view last_name;
  for (const model::Sample& sample : samples) {
    const std::string_view name = sample.labels.metric_name();
    if (name != last_name) {
      out += "# TYPE ";
      if (model::IsLegacyMetricName(name)) {
        out += name;
      } else {
        AppendQuotedText(out, name);
      }
      out += " untyped\n";
      last_name = name;
    }
    labels.Append(out, sample.labels);
    out += ' ';
    base::AppendFloatG(out, sample.f);
    out += ' ' + std::to_string(sample.t) + '\n';
  }
  return out;
}

}  // namespace

// GET /federate: match[]. The newest sample of each series that a selector takes, as text, with the
// time it was taken at. A series that ended, or has no sample within the look-back, is left out.
// Semantics: prometheus/web/federate.go.
Page Federate(const Context& context, const Request& request) {
  const auto selectors = MatchParams(request);
  if (!selectors) return {.status = 400, .body = selectors.error().message() + "\n"};
  const model::TimestampMs now = context.deps.clock.NowMs();
  const model::TimestampMs from = now - context.deps.engine.options().lookback_ms;
  const auto querier = context.deps.store.NewQuerier(from, now);
  if (!querier) return {.status = 500, .body = querier.error().message() + "\n"};
  std::vector<model::Sample> samples;
  for (const auto& matchers : *selectors) {
    const auto set = (*querier)->Select(matchers);
    if (!set) return {.status = 500, .body = set.error().message() + "\n"};
    std::vector<storage::SeriesSet::Latest> latest((*set)->size());
    (*set)->ReadLatest(0, from, now, latest);
    for (const auto& [labels, point] : latest) {
      // The text format has no native histograms.
      if (model::IsStaleNaN(point.f) || model::IsHistogramNaN(point.f)) continue;
      if (labels.Get(model::kMetricName).empty()) continue;
      samples.push_back({labels.ToLabels(), point.t, point.f});
    }
  }
  std::ranges::sort(samples, [](const model::Sample& a, const model::Sample& b) {
    const auto order = a.labels.metric_name() <=> b.labels.metric_name();
    return order != 0 ? order < 0 : a.labels < b.labels;
  });
  const auto twice = std::unique(
      samples.begin(), samples.end(),
      [](const model::Sample& a, const model::Sample& b) { return a.labels == b.labels; });
  samples.erase(twice, samples.end());
  const ConfigView config = context.deps.config ? context.deps.config() : ConfigView();
  return {.type = std::string(exposition::kTextContentType),
          .body = Render(samples, config.external_labels)};
}

}  // namespace azexporter::web
