#include "query_output.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "azexporter/base/float_format.h"
#include "azexporter/base/json_writer.h"
#include "azexporter/base/time_text.h"
#include "azexporter/base/utf8.h"
#include "azexporter/web/query_json.h"

namespace azexporter::app {
namespace {

using Row = std::vector<std::string>;

// Characters, roughly: what a terminal shows of it.
std::size_t Width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// A cell of a table on one line.
std::string OnOneLine(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : std::string(1, c);
  return out;
}

std::string Upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::string Table(std::vector<Row> rows) {
  for (std::string& title : rows.front()) title = Upper(title);
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = OnOneLine(row[i]);
      widths[i] = std::max(widths[i], Width(row[i]));
    }
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i] + std::string(widths[i] - Width(row[i]) + 2, ' ');
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

// Source: RFC 4180.
std::string Csv(const std::vector<Row>& rows) {
  std::string out;
  for (const Row& row : rows) {
    for (const std::string& cell : row) {
      if (&cell != row.data()) out += ',';
      if (cell.find_first_of(",\"\r\n") == std::string::npos) {
        out += cell;
        continue;
      }
      out += '"';
      for (const char c : cell) out += c == '"' ? "\"\"" : std::string(1, c);
      out += '"';
    }
    out += '\n';
  }
  return out;
}

// The columns of labels: the metric's name first, where any series has one.
class LabelColumns {
 public:
  template <class All, class GetLabels>
  LabelColumns(const All& all, GetLabels get) {
    std::set<std::string> names;
    for (const auto& one : all) {
      for (const model::Label label : get(one)) names.emplace(label.name);
    }
    if (names.erase(std::string(model::kMetricName)) != 0) names_.emplace_back(model::kMetricName);
    names_.insert(names_.end(), names.begin(), names.end());
  }

  Row Titles() const {
    Row row;
    for (const std::string& name : names_)
      row.push_back(name == model::kMetricName ? "metric" : name);
    return row;
  }
  Row Cells(const model::Labels& labels) const {
    Row row;
    for (const std::string& name : names_) row.emplace_back(labels.Get(name));
    return row;
  }

 private:
  std::vector<std::string> names_;
};

std::vector<Row> RowsOf(const promql::Vector& vector, bool with_time) {
  const LabelColumns columns(vector, [](const model::Sample& sample) { return sample.labels; });
  std::vector<Row> rows = {columns.Titles()};
  if (with_time) rows.front().emplace_back("time");
  rows.front().emplace_back("value");
  for (const model::Sample& sample : vector) {
    Row& row = rows.emplace_back(columns.Cells(sample.labels));
    if (with_time) row.push_back(base::FormatRfc3339(sample.t));
    row.push_back(sample.h != nullptr ? sample.h->ToString() : base::FormatFloatG(sample.f));
  }
  return rows;
}

std::vector<Row> RowsOf(const promql::Matrix& matrix) {
  const LabelColumns columns(matrix,
                             [](const promql::MatrixSeries& series) { return series.labels; });
  std::vector<Row> rows = {columns.Titles()};
  rows.front().insert(rows.front().end(), {"time", "value"});
  for (const promql::MatrixSeries& series : matrix) {
    const Row labels = columns.Cells(series.labels);
    for (const model::FPoint& point : series.points) {
      Row& row = rows.emplace_back(labels);
      row.push_back(base::FormatRfc3339(point.t));
      row.push_back(base::FormatFloatG(point.f));
    }
    for (const model::HPoint& point : series.histograms) {
      Row& row = rows.emplace_back(labels);
      row.push_back(base::FormatRfc3339(point.t));
      row.push_back(point.h->ToString());
    }
  }
  return rows;
}

std::vector<Row> RowsOf(const promql::Value& value, bool with_time) {
  if (const auto* vector = std::get_if<promql::Vector>(&value)) return RowsOf(*vector, with_time);
  if (const auto* matrix = std::get_if<promql::Matrix>(&value)) return RowsOf(*matrix);
  if (const auto* scalar = std::get_if<promql::Scalar>(&value)) {
    return {{"value"}, {base::FormatFloatG(scalar->f)}};
  }
  return {{"value"}, {std::get<promql::String>(value).text}};
}

bool IsEmpty(const promql::Value& value) {
  const auto* vector = std::get_if<promql::Vector>(&value);
  const auto* matrix = std::get_if<promql::Matrix>(&value);
  return (vector != nullptr && vector->empty()) || (matrix != nullptr && matrix->empty());
}

// Takes "LINE:COLUMN: parse error" at `at`.
bool TakePlace(std::string_view text, std::size_t& line, std::size_t& column) {
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, line);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ':') return false;
  const auto second = std::from_chars(first.ptr + 1, end, column);
  return second.ec == std::errc() && line > 0 && column > 0 &&
         std::string_view(second.ptr, static_cast<std::size_t>(end - second.ptr))
             .starts_with(": parse error");
}

}  // namespace

std::string FormatValue(const promql::Value& value, QueryOutput output) {
  switch (output) {
    case QueryOutput::kJson: {
      std::string out;
      web::AppendQueryData(out, value);
      return out + "}\n";
    }
    case QueryOutput::kCsv:
      return Csv(RowsOf(value, /*with_time=*/true));
    case QueryOutput::kTable:
      break;
  }
  return IsEmpty(value) ? "empty result\n" : Table(RowsOf(value, /*with_time=*/false));
}

std::string FormatSeries(const std::vector<model::Labels>& series, QueryOutput output) {
  if (output == QueryOutput::kJson) {
    base::JsonWriter json;
    json.BeginArray();
    for (const model::Labels& labels : series) {
      json.BeginObject();
      for (const model::Label label : labels) json.Key(label.name).String(label.value);
      json.EndObject();
    }
    json.EndArray();
    return json.Take() + "\n";
  }
  const LabelColumns columns(series, [](const model::Labels& labels) { return labels; });
  std::vector<Row> rows = {columns.Titles()};
  for (const model::Labels& labels : series) rows.push_back(columns.Cells(labels));
  if (output == QueryOutput::kCsv) return Csv(rows);
  return series.empty() ? "empty result\n" : Table(std::move(rows));
}

std::string FormatTexts(const std::vector<std::string>& texts, std::string_view header,
                        QueryOutput output) {
  if (output == QueryOutput::kJson) {
    base::JsonWriter json;
    json.BeginArray();
    for (const std::string& text : texts) json.String(text);
    json.EndArray();
    return json.Take() + "\n";
  }
  std::vector<Row> rows = {{std::string(header)}};
  for (const std::string& text : texts) rows.push_back({text});
  if (output == QueryOutput::kCsv) return Csv(rows);
  std::string out;
  for (const std::string& text : texts) out += OnOneLine(text) + "\n";
  return out;
}

std::string CaretText(const std::string& expr, const std::string& message) {
  std::size_t line = 0;
  std::size_t column = 0;
  // A server puts the name of the parameter before it.
  bool found = TakePlace(message, line, column);
  for (std::size_t at = message.find(": "); !found && at != std::string::npos;
       at = message.find(": ", at + 1)) {
    found = TakePlace(std::string_view(message).substr(at + 2), line, column);
  }
  if (!found) return "";
  std::string_view rest = expr;
  for (; line > 1; --line) {
    const std::size_t feed = rest.find('\n');
    if (feed == std::string_view::npos) return "";
    rest.remove_prefix(feed + 1);
  }
  const std::string_view shown = rest.substr(0, rest.find('\n'));
  const std::string_view before = shown.substr(0, std::min(column - 1, shown.size()));
  std::string caret;
  for (const char c : before) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) caret += c == '\t' ? '\t' : ' ';
  }
  return "  " + std::string(shown) + "\n  " + caret + "^\n";
}

}  // namespace azexporter::app
