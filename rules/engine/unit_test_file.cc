#include "unit_test_file.h"

#include <algorithm>
#include <limits>

#include "azexporter/base/time_text.h"
#include "azexporter/base/yaml.h"
#include "azexporter/promql/parser.h"

namespace azexporter::rules {
namespace {

using base::Fail;
using base::Result;
using base::YamlMap;
using base::YamlNode;

constexpr std::int64_t kDefaultIntervalMs = 60'000;
// The end of the year 9999: far enough, and a time of a test added to it does not overflow.
constexpr std::int64_t kLastStartMs = 253'402'300'799'000;

class FileReader {
 public:
  explicit FileReader(UnknownKeys unknown) : unknown_(unknown) {}

  Result<UnitTestFile> Read(const YamlNode& root) {
    AZX_ASSIGN_OR_RETURN(YamlMap map, YamlMap::Of(root));
    UnitTestFile file;
    AZX_RETURN_IF_ERROR(ReadStrings(map, "rule_files", file.rule_files));
    AZX_RETURN_IF_ERROR(ReadStrings(map, "group_eval_order", file.group_eval_order));
    AZX_RETURN_IF_ERROR(ReadDuration(map, "evaluation_interval", file.evaluation_interval_ms));
    if (file.evaluation_interval_ms == 0) file.evaluation_interval_ms = kDefaultIntervalMs;
    if (const YamlNode* fuzzy = map.Find("fuzzy_compare")) {
      AZX_ASSIGN_OR_RETURN(file.fuzzy_compare, fuzzy->AsBool());
    }
    AZX_ASSIGN_OR_RETURN(const auto* tests, ListOf(map, "tests"));
    for (const YamlNode& node : *tests) {
      AZX_ASSIGN_OR_RETURN(TestGroup group, ReadGroup(node));
      if (group.interval_ms == 0) group.interval_ms = file.evaluation_interval_ms;
      file.tests.push_back(std::move(group));
    }
    AZX_RETURN_IF_ERROR(CheckKeys(map));
    return file;
  }

 private:
  Result<void> CheckKeys(const YamlMap& map) const {
    return unknown_ == UnknownKeys::kIgnore ? Result<void>() : map.CheckAllRead();
  }

  // The elements under a key; none where it is absent.
  static Result<const std::vector<YamlNode>*> ListOf(YamlMap& map, std::string_view key) {
    static const std::vector<YamlNode> kNone;
    const YamlNode* node = map.Find(key);
    if (node == nullptr) return &kNone;
    if (node->kind() == YamlNode::Kind::kSequence) return &node->items();
    return Fail(node->ErrorHere(std::string(key) + " must be a list"));
  }

  static Result<void> ReadStrings(YamlMap& map, std::string_view key,
                                  std::vector<std::string>& out) {
    const YamlNode* node = map.Find(key);
    if (node == nullptr) return {};
    AZX_ASSIGN_OR_RETURN(out, node->AsStringList());
    return {};
  }

  static Result<void> ReadString(YamlMap& map, std::string_view key, std::string& out) {
    const YamlNode* node = map.Find(key);
    if (node == nullptr) return {};
    AZX_ASSIGN_OR_RETURN(out, node->AsString());
    return {};
  }

  static Result<void> ReadDuration(YamlMap& map, std::string_view key, std::int64_t& out) {
    const YamlNode* node = map.Find(key);
    if (node == nullptr) return {};
    AZX_ASSIGN_OR_RETURN(out, node->AsDurationMs());
    return {};
  }

  static Result<model::Labels> ReadLabels(YamlMap& map, std::string_view key) {
    const YamlNode* node = map.Find(key);
    if (node == nullptr) return model::Labels();
    if (!node->is_map()) return Fail(node->ErrorHere(std::string(key) + " must be a map"));
    model::LabelsBuilder labels;
    for (const auto& [name, value] : node->entries()) {
      if (value.is_null()) continue;
      AZX_ASSIGN_OR_RETURN(const std::string text, value.AsString());
      labels.Set(name.scalar(), text);
    }
    return labels.Build();
  }

  Result<TestGroup> ReadGroup(const YamlNode& node) {
    AZX_ASSIGN_OR_RETURN(YamlMap map, YamlMap::Of(node));
    TestGroup group;
    AZX_RETURN_IF_ERROR(ReadString(map, "name", group.name));
    AZX_RETURN_IF_ERROR(ReadDuration(map, "interval", group.interval_ms));
    AZX_RETURN_IF_ERROR(ReadStart(map, group.start));
    AZX_ASSIGN_OR_RETURN(group.external_labels, ReadLabels(map, "external_labels"));
    AZX_RETURN_IF_ERROR(ReadString(map, "external_url", group.external_url));
    AZX_ASSIGN_OR_RETURN(const auto* series, ListOf(map, "input_series"));
    points_ = 0;
    for (const YamlNode& item : *series) AZX_RETURN_IF_ERROR(ReadSeries(item, group));
    AZX_ASSIGN_OR_RETURN(const auto* alerts, ListOf(map, "alert_rule_test"));
    for (const YamlNode& item : *alerts) {
      AZX_ASSIGN_OR_RETURN(AlertTest test, ReadAlertTest(item));
      group.alert_tests.push_back(std::move(test));
    }
    AZX_ASSIGN_OR_RETURN(const auto* exprs, ListOf(map, "promql_expr_test"));
    for (const YamlNode& item : *exprs) {
      AZX_ASSIGN_OR_RETURN(ExprTest test, ReadExprTest(item));
      group.expr_tests.push_back(std::move(test));
    }
    AZX_RETURN_IF_ERROR(CheckKeys(map));
    return group;
  }

  static Result<void> ReadStart(YamlMap& map, model::TimestampMs& start) {
    const YamlNode* node = map.Find("start_timestamp");
    if (node == nullptr) return {};
    AZX_ASSIGN_OR_RETURN(const std::string text, node->AsString());
    const auto time = base::ParseTimeMs(text);
    if (!time) return Fail(node->ErrorHere(time.error().message()));
    if (*time < -kLastStartMs || *time > kLastStartMs) {
      return Fail(node->ErrorHere("start_timestamp is out of range: " + text));
    }
    start = *time;
    return {};
  }

  Result<void> ReadSeries(const YamlNode& node, TestGroup& group) {
    AZX_ASSIGN_OR_RETURN(YamlMap map, YamlMap::Of(node));
    AZX_ASSIGN_OR_RETURN(const YamlNode* name, map.Require("series"));
    AZX_ASSIGN_OR_RETURN(const std::string text, name->AsString());
    std::string values;
    AZX_RETURN_IF_ERROR(ReadString(map, "values", values));
    AZX_RETURN_IF_ERROR(CheckKeys(map));
    // A long sequence may be written over several lines.
    std::replace_if(
        values.begin(), values.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    auto labels = promql::ParseMetric(text);
    auto sequence = promql::ParseSequence(values);
    if (!labels || !sequence) {
      const base::Error& why = labels ? sequence.error() : labels.error();
      group.bad_series.push_back(name->ErrorHere(text + ": " + why.message()).message());
      return {};
    }
    points_ += sequence->size();
    if (points_ > kMaxTestPoints) return Fail(name->ErrorHere("too many points in one test"));
    // A series given twice is as it was given last.
    const auto known = std::find_if(group.series.begin(), group.series.end(),
                                    [&](const auto& have) { return have.labels == *labels; });
    if (known != group.series.end()) group.series.erase(known);
    group.series.push_back({std::move(*labels), std::move(*sequence)});
    return {};
  }

  Result<AlertTest> ReadAlertTest(const YamlNode& node) {
    AZX_ASSIGN_OR_RETURN(YamlMap map, YamlMap::Of(node));
    AlertTest test;
    test.line = node.line();
    AZX_RETURN_IF_ERROR(ReadDuration(map, "eval_time", test.eval_time_ms));
    AZX_RETURN_IF_ERROR(ReadString(map, "alertname", test.name));
    AZX_ASSIGN_OR_RETURN(const auto* alerts, ListOf(map, "exp_alerts"));
    for (const YamlNode& item : *alerts) {
      AZX_ASSIGN_OR_RETURN(ExpectedAlert alert, ReadExpectedAlert(item, test.name));
      test.expected.push_back(std::move(alert));
    }
    AZX_RETURN_IF_ERROR(CheckKeys(map));
    return test;
  }

  Result<ExpectedAlert> ReadExpectedAlert(const YamlNode& node, const std::string& alertname) {
    AZX_ASSIGN_OR_RETURN(YamlMap map, YamlMap::Of(node));
    ExpectedAlert alert;
    if (const YamlNode* state = map.Find("state")) {
      AZX_ASSIGN_OR_RETURN(const std::string text, state->AsString());
      if (text == AlertStateName(AlertState::kPending)) {
        alert.state = AlertState::kPending;
      } else if (text != AlertStateName(AlertState::kFiring)) {
        return Fail(state->ErrorHere("state must be firing or pending, got \"" + text + "\""));
      }
    }
    AZX_ASSIGN_OR_RETURN(const model::Labels labels, ReadLabels(map, "exp_labels"));
    alert.labels = model::LabelsBuilder(labels).Set(kAlertName, alertname).Build();
    AZX_ASSIGN_OR_RETURN(alert.annotations, ReadLabels(map, "exp_annotations"));
    AZX_RETURN_IF_ERROR(CheckKeys(map));
    return alert;
  }

  Result<ExprTest> ReadExprTest(const YamlNode& node) {
    AZX_ASSIGN_OR_RETURN(YamlMap map, YamlMap::Of(node));
    ExprTest test;
    test.line = node.line();
    AZX_RETURN_IF_ERROR(ReadString(map, "expr", test.expr));
    AZX_RETURN_IF_ERROR(ReadDuration(map, "eval_time", test.eval_time_ms));
    AZX_ASSIGN_OR_RETURN(const auto* samples, ListOf(map, "exp_samples"));
    for (const YamlNode& item : *samples) AZX_RETURN_IF_ERROR(ReadSample(item, test));
    AZX_RETURN_IF_ERROR(CheckKeys(map));
    return test;
  }

  Result<void> ReadSample(const YamlNode& node, ExprTest& test) {
    AZX_ASSIGN_OR_RETURN(YamlMap map, YamlMap::Of(node));
    std::string labels;
    std::string histogram;
    ExpectedSample sample;
    AZX_RETURN_IF_ERROR(ReadString(map, "labels", labels));
    AZX_RETURN_IF_ERROR(ReadString(map, "histogram", histogram));
    if (const YamlNode* value = map.Find("value")) {
      AZX_ASSIGN_OR_RETURN(sample.value, ReadValue(*value));
    }
    AZX_RETURN_IF_ERROR(CheckKeys(map));
    if (!labels.empty()) {
      auto parsed = promql::ParseMetric(labels);
      if (!parsed) test.unreadable = "labels \"" + labels + "\": " + parsed.error().message();
      if (parsed) sample.labels = std::move(*parsed);
    }
    if (!histogram.empty()) {
      const auto read = promql::ParseSequence(histogram);
      if (read && read->size() == 1 && read->front() && read->front()->h != nullptr) {
        // As it would be printed, so that it can be compared.
        sample.histogram = read->front()->h->ToNotation();
      } else {
        test.unreadable = "histogram \"" + histogram +
                          "\": " + (read ? "not one histogram" : read.error().message());
      }
    }
    test.expected.push_back(std::move(sample));
    return {};
  }

  // A number, or one of YAML's words for what is none.
  static Result<double> ReadValue(const YamlNode& node) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const std::string& text = node.scalar();
    if (text == ".inf" || text == "+.inf") return kInfinity;
    if (text == "-.inf") return -kInfinity;
    if (text == ".nan") return std::numeric_limits<double>::quiet_NaN();
    return node.AsDouble();
  }

  const UnknownKeys unknown_;
  std::size_t points_ = 0;  // of the test that is being read
};

}  // namespace

Result<UnitTestFile> ParseUnitTestFile(std::string_view text, const std::string& file,
                                       UnknownKeys unknown) {
  AZX_ASSIGN_OR_RETURN(const YamlNode root, YamlNode::Parse(text, file));
  return FileReader(unknown).Read(root);
}

}  // namespace azexporter::rules
