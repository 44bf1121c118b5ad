#include "azexporter/exposition/text_writer.h"

#include <limits>

#include "azexporter/base/float_format.h"

namespace azexporter::exposition {
namespace {

void AppendEscaped(std::string& out, std::string_view text, bool escape_quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && escape_quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

void AppendLabel(std::string& out, std::string_view name, std::string_view value, bool first) {
  out += first ? '{' : ',';
  out += name;
  out += "=\"";
  AppendEscaped(out, value, /*escape_quotes=*/true);
  out += '"';
}

// NAME{labels,le="..."} VALUE
void AppendLine(std::string& out, std::string_view name, std::string_view suffix,
                const model::Labels& labels, std::string_view bucket, double value) {
  out += name;
  out += suffix;
  bool first = true;
  for (const model::Label label : labels) {
    AppendLabel(out, label.name, label.value, first);
    first = false;
  }
  if (!bucket.empty()) {
    AppendLabel(out, model::kBucketLabel, bucket, first);
    first = false;
  }
  if (!first) out += '}';
  out += ' ';
  base::AppendFloatG(out, value);
  out += '\n';
}

std::uint64_t TotalCount(const model::HistogramValue& histogram) {
  return histogram.buckets.empty() ? 0 : histogram.buckets.back().cumulative_count;
}

}  // namespace

std::string BucketBoundText(double upper_bound) { return base::FormatFloatG(upper_bound); }

void AppendText(std::string& out, const model::MetricFamily& family) {
  if (family.metrics.empty() && family.histograms.empty()) return;
  AppendHead(out, *family.desc);
  AppendSampleLines(out, family);
}

void AppendHead(std::string& out, const model::MetricDesc& desc) {
  out += "# HELP ";
  out += desc.name;
  out += ' ';
  AppendEscaped(out, desc.help, /*escape_quotes=*/false);
  out += "\n# TYPE ";
  out += desc.name;
  out += ' ';
  // The 0.0.4 word for a type that is not known.
  out += desc.type == model::MetricType::kUnknown ? "untyped" : model::MetricTypeName(desc.type);
  out += '\n';
}

void AppendSampleLines(std::string& out, const model::MetricFamily& family) {
  const model::MetricDesc& desc = *family.desc;
  for (const model::Metric& metric : family.metrics) {
    AppendLine(out, desc.name, "", metric.labels, "", metric.value);
  }
  for (const model::HistogramMetric& metric : family.histograms) {
    for (const auto& bucket : metric.value.buckets) {
      AppendLine(out, desc.name, "_bucket", metric.labels, BucketBoundText(bucket.upper_bound),
                 static_cast<double>(bucket.cumulative_count));
    }
    AppendLine(out, desc.name, "_sum", metric.labels, "", metric.value.sum);
    AppendLine(out, desc.name, "_count", metric.labels, "",
               static_cast<double>(TotalCount(metric.value)));
  }
}

void AppendSamples(std::vector<FlatSample>& out, const model::MetricFamily& family) {
  const std::string name(family.desc->name);
  const auto add = [&](const model::Labels& labels, std::string_view suffix,
                       std::string_view bucket, double value) {
    model::LabelsBuilder builder(labels);
    builder.Set(model::kMetricName, name + std::string(suffix));
    if (!bucket.empty()) builder.Set(model::kBucketLabel, bucket);
    out.push_back({builder.Build(), value});
  };
  for (const model::Metric& metric : family.metrics) add(metric.labels, "", "", metric.value);
  for (const model::HistogramMetric& metric : family.histograms) {
    for (const auto& bucket : metric.value.buckets) {
      add(metric.labels, "_bucket", BucketBoundText(bucket.upper_bound),
          static_cast<double>(bucket.cumulative_count));
    }
    add(metric.labels, "_sum", "", metric.value.sum);
    add(metric.labels, "_count", "", static_cast<double>(TotalCount(metric.value)));
  }
}

std::vector<CumulativeBucket> CumulativeBuckets(const model::FloatHistogram& histogram) {
  std::vector<CumulativeBucket> out;
  const std::vector<model::HistogramBucket> filled = histogram.Buckets();
  auto next = filled.begin();
  double count = 0;
  for (const double bound : histogram.custom_bounds) {
    for (; next != filled.end() && next->upper <= bound; ++next) count += next->count;
    out.push_back({bound, count});
  }
  out.push_back({std::numeric_limits<double>::infinity(), histogram.count});
  return out;
}

void AppendHistograms(std::vector<FlatHistogram>& out, const model::MetricFamily& family) {
  for (const model::HistogramMetric& metric : family.histograms) {
    if (metric.value.native == nullptr) continue;
    model::LabelsBuilder builder(metric.labels);
    builder.Set(model::kMetricName, family.desc->name);
    out.push_back({builder.Build(), metric.value.native});
  }
}

}  // namespace azexporter::exposition
