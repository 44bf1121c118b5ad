#include <algorithm>
#include <limits>
#include <map>
#include <span>

#include "azexporter/base/utf8.h"
#include "handlers.h"
#include "json_views.h"

namespace azexporter::web {
namespace {

using base::BadData;
using base::JsonWriter;
using base::Result;

Result<std::unique_ptr<storage::Querier>> QuerierFor(const Context& context,
                                                     const Request& request) {
  AZX_ASSIGN_OR_RETURN(const model::TimestampMs start, TimeParam(request, "start", kMinTime));
  AZX_ASSIGN_OR_RETURN(const model::TimestampMs end, TimeParam(request, "end", kMaxTime));
  return context.deps.store.NewQuerier(start, end);
}

// At most `limit` values, 0 being no limit, each written by `write`; with a warning where there are
// more.
template <class T, class Write>
ApiData List(const std::vector<T>& values, std::size_t limit, Write write) {
  ApiData data;
  const bool cut = limit > 0 && values.size() > limit;
  if (cut) data.warnings.emplace_back(kTruncated);
  JsonWriter json;
  json.BeginArray();
  for (const T& value : std::span(values).first(cut ? limit : values.size())) write(json, value);
  json.EndArray();
  data.json = json.Take();
  return data;
}

// What `ask` finds with the selectors of the request.
template <class Ask>
Result<ApiData> Texts(const Context& context, const Request& request, Ask ask) {
  AZX_ASSIGN_OR_RETURN(const std::size_t limit, LimitParam(request));
  AZX_ASSIGN_OR_RETURN(const auto querier, QuerierFor(context, request));
  AZX_ASSIGN_OR_RETURN(Selectors selectors, MatchParams(request));
  AZX_ASSIGN_OR_RETURN(const std::vector<std::string> texts, ask(*querier, std::move(selectors)));
  return List(texts, limit, [](JsonWriter& json, const std::string& text) { json.String(text); });
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A name in the "values" escaping, which begins with U__: "__" stands for an underscore and "_2f_"
// for the character of that number. What is not well-formed is the name as it stands.
// Semantics: github.com/prometheus/common/model.UnescapeName.
std::string UnescapeName(const std::string& name) {
  constexpr std::string_view kPrefix = "U__";
  if (!name.starts_with(kPrefix)) return name;
  const std::string_view text = std::string_view(name).substr(kPrefix.size());
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return name;
    if (text[i] == '_') {
      out += '_';
      continue;
    }
    constexpr int kMaxDigits = 6;
    std::uint32_t code_point = 0;
    int digits = 0;
    for (; i < text.size() && text[i] != '_'; ++i, ++digits) {
      const int value = HexValue(text[i]);
      if (value < 0 || digits == kMaxDigits) return name;
      code_point = code_point * 16 + static_cast<std::uint32_t>(value);
    }
    const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    if (i == text.size() || surrogate || code_point > 0x10FFFF) return name;
    base::AppendUtf8(out, code_point);
  }
  return out;
}

struct Counted {
  std::string name;
  std::uint64_t value = 0;
};

// The largest first, of equals in the order of names.
void WriteTop(JsonWriter& json, std::string_view key, std::vector<Counted> all, std::size_t limit) {
  const std::size_t count = std::min(limit, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(),
                    [](const Counted& a, const Counted& b) {
                      return a.value != b.value ? a.value > b.value : a.name < b.name;
                    });
  json.Key(key).BeginArray();
  for (std::size_t i = 0; i < count; ++i) {
    json.BeginObject().Key("name").String(all[i].name);
    json.Key("value").Int(static_cast<std::int64_t>(all[i].value)).EndObject();
  }
  json.EndArray();
}

struct StoreCounts {
  // Label name -> value -> series.
  std::map<std::string, std::map<std::string, std::uint64_t, std::less<>>, std::less<>> values;
};

void Count(const model::LabelView& labels, StoreCounts& counts) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::string_view label = labels.name(i).text();
    auto name = counts.values.find(label);
    if (name == counts.values.end()) name = counts.values.try_emplace(std::string(label)).first;
    const std::string_view text = labels.value(i).text();
    auto value = name->second.find(text);
    if (value == name->second.end()) value = name->second.emplace(std::string(text), 0).first;
    ++value->second;
  }
}

void WriteHead(JsonWriter& json, const StoreCounts& counts,
               const storage::MemoryStoreStats& stats) {
  std::size_t pairs = 0;
  for (const auto& [name, values] : counts.values) pairs += values.size();
  json.Key("headStats").BeginObject();
  json.Key("numSeries").Int(static_cast<std::int64_t>(stats.series));
  json.Key("numLabelPairs").Int(static_cast<std::int64_t>(pairs));
  json.Key("chunkCount").Int(static_cast<std::int64_t>(stats.chunks));
  // As in Prometheus the last and the first number there is where there is no sample.
  constexpr auto kFirst = std::numeric_limits<model::TimestampMs>::min();
  constexpr auto kLast = std::numeric_limits<model::TimestampMs>::max();
  json.Key("minTime").Int(stats.min_t.value_or(kLast));
  json.Key("maxTime").Int(stats.min_t ? stats.max_t.value_or(kFirst) : kFirst).EndObject();
}

void WriteCardinality(JsonWriter& json, const StoreCounts& counts, std::size_t limit) {
  std::vector<Counted> metrics;
  std::vector<Counted> values;
  std::vector<Counted> bytes;
  std::vector<Counted> pairs;
  for (const auto& [name, of_name] : counts.values) {
    std::uint64_t size = 0;
    for (const auto& [value, series] : of_name) {
      if (name == model::kMetricName) metrics.push_back({value, series});
      pairs.push_back({name + "=" + value, series});
      size += value.size() * series;
    }
    values.push_back({name, of_name.size()});
    bytes.push_back({name, size});
  }
  WriteTop(json, "seriesCountByMetricName", std::move(metrics), limit);
  WriteTop(json, "labelValueCountByLabelName", std::move(values), limit);
  WriteTop(json, "memoryInBytesByLabelName", std::move(bytes), limit);
  WriteTop(json, "seriesCountByLabelValuePair", std::move(pairs), limit);
}

}  // namespace

// GET, POST /api/v1/series: match[], start, end, limit.
Result<ApiData> Series(const Context& context, const Request& request) {
  if (!request.params.contains("match[]")) return BadData("no match[] parameter provided");
  AZX_ASSIGN_OR_RETURN(const std::size_t limit, LimitParam(request));
  AZX_ASSIGN_OR_RETURN(const auto querier, QuerierFor(context, request));
  const auto selectors = MatchParams(request);
  if (!selectors) return InvalidParam("match[]", selectors.error().message());
  AZX_ASSIGN_OR_RETURN(const std::vector<model::Labels> found,
                       storage::LabelSetsOf(*querier, *selectors));
  return List(found, limit, WriteLabels);
}

// GET, POST /api/v1/labels: match[], start, end, limit.
Result<ApiData> LabelNames(const Context& context, const Request& request) {
  return Texts(context, request, storage::LabelNamesOf);
}

// GET /api/v1/label/NAME/values: match[], start, end, limit.
Result<ApiData> LabelValues(const Context& context, const Request& request) {
  const std::string name = UnescapeName(request.path_params.at("name"));
  if (name.empty() || !base::IsValidUtf8(name)) {
    std::string quoted;
    model::AppendQuoted(quoted, name);
    return BadData("invalid label name: " + quoted);
  }
  return Texts(context, request, [&](storage::Querier& querier, Selectors selectors) {
    return storage::LabelValuesOf(querier, name, std::move(selectors));
  });
}

// GET /api/v1/status/tsdb: limit. What the store holds, counted by walking all of it.
Result<ApiData> TsdbStatus(const Context& context, const Request& request) {
  constexpr std::int64_t kMaxLimit = 10'000;
  std::int64_t limit = 10;
  if (const std::string text = request.Param("limit"); !text.empty()) {
    const auto given = ParseInt(text);
    if (!given || *given < 1) return BadData("limit must be a positive number");
    if (*given > kMaxLimit) return BadData("limit must not exceed " + std::to_string(kMaxLimit));
    limit = *given;
  }
  AZX_ASSIGN_OR_RETURN(const auto querier, context.deps.store.NewQuerier(kMinTime, kMaxTime));
  AZX_ASSIGN_OR_RETURN(const storage::SeriesSet* const all, querier->Select({}));
  StoreCounts counts;
  for (std::size_t i = 0; i < all->size(); ++i) Count(all->labels(i), counts);
  storage::MemoryStoreStats stats;
  if (context.deps.store_stats) stats = context.deps.store_stats();
  JsonWriter json;
  json.BeginObject();
  WriteHead(json, counts, stats);
  WriteCardinality(json, counts, static_cast<std::size_t>(limit));
  json.EndObject();
  return ApiData{json.Take()};
}

}  // namespace azexporter::web
