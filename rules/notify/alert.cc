#include "azexporter/notify/alert.h"

#include "azexporter/base/json_writer.h"
#include "azexporter/base/text.h"
#include "azexporter/base/time_text.h"
#include "azexporter/net/http_client.h"

namespace azexporter::notify {
namespace {

void WriteLabels(base::JsonWriter& json, std::string_view key, const model::Labels& labels) {
  json.Key(key).BeginObject();
  for (const model::Label label : labels) json.Key(label.name).String(label.value);
  json.EndObject();
}

// FormatRfc3339 leaves a fraction of zero out; Alertmanager's own form always has three digits.
std::string TimeText(model::TimestampMs t) {
  std::string text = base::FormatRfc3339(t);
  if (t % 1000 == 0) text.insert(text.size() - 1, ".000");
  return text;
}

}  // namespace

Alert WithExternalLabels(Alert alert, const model::Labels& external) {
  if (external.empty()) return alert;
  model::LabelsBuilder builder(alert.labels);
  for (const model::Label label : external) {
    if (!alert.labels.Has(label.name)) builder.Set(label.name, label.value);
  }
  alert.labels = builder.Build();
  return alert;
}

std::string AlertsJson(std::span<const Alert> alerts) {
  base::JsonWriter json;
  json.BeginArray();
  for (const Alert& alert : alerts) {
    json.BeginObject();
    WriteLabels(json, "labels", alert.labels);
    WriteLabels(json, "annotations", alert.annotations);
    json.Key("startsAt").String(TimeText(alert.starts_at));
    json.Key("endsAt").String(TimeText(alert.ends_at));
    json.Key("generatorURL").String(alert.generator_url).EndObject();
  }
  json.EndArray();
  return json.Take();
}

std::string GraphPath(std::string_view expr) {
  return "/graph?g0.expr=" + base::QueryEscape(expr) + "&g0.tab=1";
}

}  // namespace azexporter::notify
