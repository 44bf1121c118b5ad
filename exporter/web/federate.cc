#include <algorithm>

#include "azexporter/base/float_format.h"
#include "azexporter/exposition/metric_message.h"
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

  // Calls `add` with each label but the name.
  template <class Add>
  void Each(const model::Labels& labels, const Add& add) const {
    for (const model::Label label : labels) {
      if (label.name != model::kMetricName) add(label);
    }
    for (const auto& [name, value] : external_) {
      if (!labels.Has(name)) add(model::Label{name, value});
    }
  }

  // NAMEsuffix{labels}, with `le` where there is a bucket.
  void AppendText(std::string& out, const model::Labels& labels, std::string_view suffix = "",
                  std::string_view bucket = "") const {
    const std::string name = std::string(labels.metric_name()) + std::string(suffix);
    const bool legacy = model::IsLegacyMetricName(name);
    if (legacy) out += name;
    out += '{';
    if (!legacy) AppendQuotedText(out, name);
    bool first = legacy;
    const auto add = [&](const model::Label& label) {
      if (!first) out += ',';
      first = false;
      if (model::IsLegacyLabelName(label.name)) {
        out += label.name;
      } else {
        AppendQuotedText(out, label.name);
      }
      out += '=';
      AppendQuotedText(out, label.value);
    };
    Each(labels, add);
    if (!bucket.empty()) add({model::kBucketLabel, bucket});
    out += '}';
  }

 private:
  static constexpr std::string_view kInstance = "instance";
  std::vector<std::pair<std::string, std::string>> external_;
};

using exposition::FamilyType;

FamilyType TypeOf(const model::Sample& sample) {
  if (sample.h == nullptr) return FamilyType::kUntyped;
  return sample.h->hint == model::CounterResetHint::kGauge ? FamilyType::kGaugeHistogram
                                                           : FamilyType::kHistogram;
}

// Calls `begin` with the first sample of each family and `add` with every one. A series of floats
// and one of histograms that share a name are two families, as there.
template <class Begin, class Add>
void EachFamily(const std::vector<model::Sample>& samples, const Begin& begin, const Add& add) {
  const model::Sample* last = nullptr;
  for (const model::Sample& sample : samples) {
    const bool same = last != nullptr &&
                      last->labels.metric_name() == sample.labels.metric_name() &&
                      TypeOf(*last) == TypeOf(sample);
    if (!same) begin(sample);
    add(sample);
    last = &sample;
  }
}

void AppendValue(std::string& out, double value, model::TimestampMs t) {
  out += ' ';
  base::AppendFloatG(out, value);
  out += ' ' + std::to_string(t) + '\n';
}

// Of native histograms the text format can only say those with custom buckets.
std::string RenderText(std::vector<model::Sample> samples, const FederatedLabels& labels) {
  std::erase_if(samples, [](const model::Sample& sample) {
    return sample.h != nullptr && !sample.h->has_custom_buckets();
  });
  std::string out;
  const auto begin = [&](const model::Sample& sample) {
    const std::string_view name = sample.labels.metric_name();
    out += "# TYPE ";
    if (model::IsLegacyMetricName(name)) {
      out += name;
    } else {
      AppendQuotedText(out, name);
    }
    out += sample.h == nullptr ? " untyped\n" : " histogram\n";
  };
  EachFamily(samples, begin, [&](const model::Sample& sample) {
    if (sample.h == nullptr) {
      labels.AppendText(out, sample.labels);
      return AppendValue(out, sample.f, sample.t);
    }
    for (const auto& [bound, count] : exposition::CumulativeBuckets(*sample.h)) {
      labels.AppendText(out, sample.labels, "_bucket", exposition::BucketBoundText(bound));
      AppendValue(out, count, sample.t);
    }
    labels.AppendText(out, sample.labels, "_sum");
    AppendValue(out, sample.h->sum, sample.t);
    labels.AppendText(out, sample.labels, "_count");
    AppendValue(out, sample.h->count, sample.t);
  });
  return out;
}

std::string RenderProtobuf(const std::vector<model::Sample>& samples,
                           const FederatedLabels& labels) {
  std::string out;
  std::string family;
  const auto begin = [&](const model::Sample& sample) {
    if (!family.empty()) exposition::AppendDelimited(out, family);
    family = exposition::FamilyHead(sample.labels.metric_name(), "", TypeOf(sample));
  };
  EachFamily(samples, begin, [&](const model::Sample& sample) {
    exposition::MetricMessage metric;
    labels.Each(sample.labels, [&](const model::Label& label) { metric.AddLabel(label); });
    metric.SetTime(sample.t);
    if (sample.h == nullptr) {
      metric.SetValue(model::MetricType::kUnknown, sample.f);
    } else {
      metric.SetHistogram(*sample.h);
    }
    metric.AppendTo(family);
  });
  if (!family.empty()) exposition::AppendDelimited(out, family);
  return out;
}

// The newest sample of each series of `set` between two times that has one.
void AppendLatest(const storage::SeriesSet& set, model::TimestampMs from, model::TimestampMs now,
                  std::vector<model::Sample>& out) {
  std::vector<storage::SeriesSet::Latest> latest(set.size());
  set.ReadLatest(0, from, now, latest);
  std::vector<storage::DetailPoint> details;
  for (std::size_t i = 0; i < latest.size(); ++i) {
    const auto& [labels, point] = latest[i];
    if (model::IsStaleNaN(point.f) || labels.Get(model::kMetricName).empty()) continue;
    model::Sample& sample =
        out.emplace_back(model::Sample{.labels = labels.ToLabels(), .t = point.t, .f = point.f});
    if (!model::IsHistogramNaN(point.f)) continue;
    details.clear();
    set.ReadDetails(i, point.t, point.t, details);
    if (details.empty()) {
      out.pop_back();  // expired meanwhile
    } else {
      sample.h = details.front().detail.histogram;
    }
  }
}

}  // namespace

// GET /federate: match[]. The newest sample of each series that a selector takes, with the time it
// was taken at, as text or protobuf. A series that ended, or has no sample within the look-back, is
// left out, and so is of text a native histogram with exponential buckets.
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
    AppendLatest(**set, from, now, samples);
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
  const FederatedLabels labels(config.external_labels);
  const exposition::PageFormat format = exposition::Negotiate(request.accept);
  return {.type = std::string(exposition::ContentTypeOf(format)),
          .body = format == exposition::PageFormat::kProtobuf
                      ? RenderProtobuf(samples, labels)
                      : RenderText(std::move(samples), labels)};
}

}  // namespace azexporter::web
