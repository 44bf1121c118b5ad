#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "azexporter/base/fnv.h"
#include "azexporter/base/text.h"
#include "handlers.h"
#include "json_views.h"

namespace azexporter::web {
namespace {

using base::BadData;
using base::Fail;
using base::JsonWriter;
using base::Result;

// What /api/v1/rules is asked to show.
struct RuleFilter {
  bool alerting = true;
  bool recording = true;
  bool with_alerts = true;
  bool with_history = false;
  std::set<std::string> names;   // empty: all
  std::set<std::string> groups;  // empty: all
  std::set<std::string> files;   // empty: all
  Selectors selectors;           // of the labels in the rule file; empty: all
  std::int64_t group_limit = 0;  // 0: all
  std::string next_token;        // the group to begin with

  bool TakesGroup(const rules::RuleGroup& group) const;
  bool TakesRule(const rules::Rule& rule) const;
};

bool RuleFilter::TakesGroup(const rules::RuleGroup& group) const {
  return (groups.empty() || groups.contains(group.name)) &&
         (files.empty() || files.contains(group.file));
}

bool RuleFilter::TakesRule(const rules::Rule& rule) const {
  if (!(rule.kind == rules::RuleKind::kAlerting ? alerting : recording)) return false;
  if (!names.empty() && !names.contains(rule.name)) return false;
  if (selectors.empty()) return true;
  const auto value_of = [&rule](const std::string& name) -> std::string_view {
    for (const auto& [label, value] : rule.labels) {
      if (label == name) return value;
    }
    return "";
  };
  return std::ranges::any_of(selectors, [&](const std::vector<model::Matcher>& matchers) {
    return std::ranges::all_of(matchers, [&](const model::Matcher& matcher) {
      return matcher.Matches(value_of(matcher.name()));
    });
  });
}

// As Go's strconv.ParseBool, of a text in lower case.
Result<bool> ParseBool(const std::string& text) {
  if (text == "1" || text == "t" || text == "true") return true;
  if (text == "0" || text == "f" || text == "false") return false;
  std::string quoted;
  model::AppendQuoted(quoted, text);
  return BadData("strconv.ParseBool: parsing " + quoted + ": invalid syntax");
}

// As Go's strconv.ParseInt(text, 10, 32).
Result<std::int64_t> ParseInt32(const std::string& text) {
  std::string quoted;
  model::AppendQuoted(quoted, text);
  const std::string fault = "strconv.ParseInt: parsing " + quoted + ": ";
  const auto number = ParseInt(text);
  const bool out_of_range = number ? *number < std::numeric_limits<std::int32_t>::min() ||
                                         *number > std::numeric_limits<std::int32_t>::max()
                                   : number.error().message().ends_with("out of range");
  if (out_of_range) return BadData(fault + "value out of range");
  if (!number) return BadData(fault + "invalid syntax");
  return *number;
}

// By file and name, as Prometheus lists them: what a page begins with does not hang on the order of
// the configuration.
rules::GroupViews SortedGroups(const Context& context) {
  rules::GroupViews groups = context.deps.rules.Groups();
  std::ranges::stable_sort(groups, [](const auto& a, const auto& b) {
    return std::tie(a->group->file, a->group->name) < std::tie(b->group->file, b->group->name);
  });
  return groups;
}

// The page of groups that is asked for.
Result<void> TakePage(const Request& request, RuleFilter& filter) {
  const std::string limit = request.UrlParam("group_limit");
  filter.next_token = request.UrlParam("group_next_token");
  if (limit.empty() && !filter.next_token.empty()) {
    return InvalidParam("group_next_token",
                        "group_limit needs to be present in order to paginate over the groups");
  }
  if (limit.empty()) return {};
  const auto groups = ParseInt32(limit);
  if (!groups) {
    return InvalidParam("group_limit",
                        "group_limit needs to be a valid number: " + groups.error().message());
  }
  if (*groups <= 0) return InvalidParam("group_limit", "group_limit needs to be greater than 0");
  filter.group_limit = *groups;
  return {};
}

// False where it is not given.
Result<bool> SwitchParam(const Request& request, const char* name) {
  const std::string text = base::Lower(request.UrlParam(name));
  if (text.empty()) return false;
  const auto on = ParseBool(text);
  if (on) return *on;
  return InvalidParam(name, "error converting " + std::string(name) + ": " + on.error().message());
}

Result<RuleFilter> TakeFilter(const Request& request) {
  const auto set_of = [&request](const char* name) {
    const std::vector<std::string> values = request.Params(name);
    return std::set<std::string>(values.begin(), values.end());
  };
  RuleFilter filter{
      .names = set_of("rule_name[]"), .groups = set_of("rule_group[]"), .files = set_of("file[]")};
  AZX_ASSIGN_OR_RETURN(filter.selectors, MatchParams(request));
  const std::string type = base::Lower(request.UrlParam("type"));
  if (!type.empty() && type != "alert" && type != "record") {
    return InvalidParam("type", "not supported value \"" + type + "\"");
  }
  filter.alerting = type.empty() || type == "alert";
  filter.recording = type.empty() || type == "record";
  AZX_ASSIGN_OR_RETURN(const bool exclude_alerts, SwitchParam(request, "exclude_alerts"));
  filter.with_alerts = !exclude_alerts;
  AZX_ASSIGN_OR_RETURN(filter.with_history, SwitchParam(request, "history"));
  AZX_RETURN_IF_ERROR(TakePage(request, filter));
  return filter;
}

// Names a group where a page of them begins; means nothing to the client.
std::string GroupToken(const rules::RuleGroup& group) {
  const std::uint64_t hash = base::Fnv1a(group.file + ";" + group.name);
  constexpr int kHex = 16;
  std::array<char, 16> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), hash, kHex);
  return std::string(text.data(), end.ptr);
}

// What is known of a family, by its name.
using FamilyMap = std::map<std::string_view, const collect::Block::FamilyText*>;

FamilyMap FamiliesOf(const collect::Round* round) {
  FamilyMap families;
  if (round == nullptr) return families;
  for (const auto& block : round->snapshot.blocks) {
    for (const auto& family : block->families) families.emplace(family.name, &family);
  }
  return families;
}

}  // namespace

// GET /api/v1/rules: type, rule_name[], rule_group[], file[], match[], exclude_alerts, group_limit,
// group_next_token, as Prometheus; and history=true, azexporter's own.
Result<ApiData> Rules(const Context& context, const Request& request) {
  AZX_ASSIGN_OR_RETURN(const RuleFilter filter, TakeFilter(request));
  rules::GroupViews shown;
  RulesShown options{.alerts = filter.with_alerts, .history = filter.with_history};
  bool begun = filter.next_token.empty();
  for (const auto& group : SortedGroups(context)) {
    begun = begun || GroupToken(*group->group) == filter.next_token;
    if (!begun || !filter.TakesGroup(*group->group)) continue;
    const auto taken = std::make_shared<rules::GroupView>(*group);
    std::erase_if(taken->rules,
                  [&](const rules::RuleView& rule) { return !filter.TakesRule(*rule.rule); });
    if (taken->rules.empty()) continue;
    if (filter.group_limit > 0 && static_cast<std::int64_t>(shown.size()) == filter.group_limit) {
      options.next_token = GroupToken(*group->group);
      break;
    }
    shown.push_back(taken);
  }
  if (!begun) {
    return InvalidParam("group_next_token", "invalid group_next_token '" + filter.next_token +
                                                "'. were rule groups changed?");
  }
  JsonWriter json;
  WriteRules(json, shown, options);
  return ApiData{json.Take()};
}

// GET /api/v1/alerts.
Result<ApiData> Alerts(const Context& context, const Request&) {
  JsonWriter json;
  WriteAlerts(json, SortedGroups(context));
  return ApiData{json.Take()};
}

// GET /api/v1/alertmanagers.
Result<ApiData> Alertmanagers(const Context& context, const Request&) {
  AlertmanagersView shown;
  if (context.deps.alertmanagers) shown = context.deps.alertmanagers();
  JsonWriter json;
  const auto write = [&](std::string_view key, const std::vector<std::string>& urls) {
    json.Key(key).BeginArray();
    for (const std::string& url : urls) json.BeginObject().Key("url").String(url).EndObject();
    json.EndArray();
  };
  json.BeginObject();
  write("activeAlertmanagers", shown.active);
  write("droppedAlertmanagers", shown.dropped);
  json.EndObject();
  return ApiData{json.Take()};
}

// GET /api/v1/metadata: metric, limit, limit_per_metric. Of the families of the latest round, each
// of which is described once.
Result<ApiData> Metadata(const Context& context, const Request& request) {
  std::int64_t limit = -1;
  for (const char* name : {"limit_per_metric", "limit"}) {
    const std::string text = request.Param(name);
    if (text.empty()) continue;
    const auto number = ParseInt(text);
    if (!number) return BadData(std::string(name) + " must be a number");
    if (std::string_view(name) == "limit") limit = *number;
  }
  const std::string metric = request.Param("metric");
  const auto round = context.deps.latest.Get();
  JsonWriter json;
  json.BeginObject();
  std::int64_t written = 0;
  for (const auto& [name, family] : FamiliesOf(round.get())) {
    if (limit >= 0 && written == limit) break;
    if (!metric.empty() && name != metric) continue;
    json.Key(name).BeginArray().BeginObject();
    json.Key("type").String(model::MetricTypeName(family->type));
    json.Key("help").String(family->help).Key("unit").String("").EndObject().EndArray();
    ++written;
  }
  json.EndObject();
  return ApiData{json.Take()};
}

// GET /api/v1/scrape_pools. azexporter scrapes nothing: its series come from its own collectors,
// from rules and by remote write.
Result<ApiData> ScrapePools(const Context&, const Request&) {
  return ApiData{R"({"scrapePools":[]})"};
}

// GET /api/v1/targets: state. None, for the same reason.
Result<ApiData> Targets(const Context&, const Request& request) {
  const std::string state = base::Lower(request.UrlParam("state"));
  const bool dropped = state.empty() || state == "any" || state == "dropped";
  return ApiData{R"({"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":)" +
                 std::string(dropped ? "{}" : "null") + "}"};
}

// GET /api/v1/targets/metadata: match_target, metric, limit.
Result<ApiData> TargetsMetadata(const Context&, const Request& request) {
  if (const std::string limit = request.Param("limit"); !limit.empty() && !ParseInt(limit)) {
    return BadData("limit must be a number");
  }
  return ApiData{"[]"};
}

// GET /api/v1/zones: zone, namespace, only (again and again). The ZoneReport of the latest round,
// with the findings in scope.
Result<ApiData> Zones(const Context& context, const Request& request) {
  zones::Scope scope{.only = {}, .zone = request.Param("zone"), .ns = request.Param("namespace")};
  for (const std::string& name : request.Params("only")) {
    const auto topic = zones::TopicOf(name);
    if (!topic) return InvalidParam("only", "there is no topic \"" + name + "\"");
    scope.only.insert(*topic);
  }
  const auto round = context.deps.latest.Get();
  if (!round) return Fail(base::ErrorCode::kUnavailable, "no round is finished yet");
  JsonWriter json;
  WriteZones(json, round->report, scope);
  return ApiData{json.Take()};
}

}  // namespace azexporter::web
