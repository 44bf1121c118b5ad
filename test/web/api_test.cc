// Prometheus's HTTP API: parameters, messages and the form of answers.

#include "server_fixture.h"

namespace azexporter::web {
namespace {

struct ApiCase {
  const char* target;
  int status;
  const char* body;  // of `data`, or of an error: {type, text}
};

class ApiTest : public ServerTest {
 protected:
  void Expect(std::span<const ApiCase> cases) {
    for (const ApiCase& c : cases) {
      const net::HttpResponse response = Ask(Encode(c.target));
      EXPECT_EQ(response.status, c.status) << c.target << "\n" << response.body;
      const std::string prefix =
          c.status == 200 ? R"({"status":"success",)" : R"({"status":"error",)";
      EXPECT_EQ(response.body, prefix + c.body + "}") << c.target;
    }
  }
};

TEST_F(ApiTest, ChecksTheParametersOfQueriesInPrometheusOrder) {
  const ApiCase cases[] = {
      {"/api/v1/query?query=up{&limit=x&time=noon", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"limit\": strconv.Atoi: parsing )"
       R"(\"x\": invalid syntax")"},
      {"/api/v1/query?query=up&limit=99999999999999999999", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"limit\": strconv.Atoi: parsing )"
       R"(\"99999999999999999999\": value out of range")"},
      {"/api/v1/query?query=up&limit=-1", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"limit\": limit must be )"
       R"(non-negative")"},
      {"/api/v1/query?query=up&timeout=soon", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"timeout\": cannot parse \"soon\" )"
       R"(to a valid duration")"},
      {"/api/v1/query?query=up&timeout=0", 503,
       R"("errorType":"timeout","error":"query timed out in query execution")"},
      {"/api/v1/query?query=up&timeout=1e30", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"timeout\": cannot parse \"1e30\" )"
       R"(to a valid duration. It overflows int64")"},
      {"/api/v1/query?query=up&lookback_delta=long", 400,
       R"("errorType":"bad_data","error":"error parsing lookback delta duration: cannot parse )"
       R"(\"long\" to a valid duration")"},
      {"/api/v1/query?query=", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"query\": unknown position: parse )"
       R"(error: no expression found in input")"},
      {"/api/v1/query_range?query=up&start=&end=1&step=1", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"start\": cannot parse \"\" to a )"
       R"(valid timestamp")"},
      {"/api/v1/query_range?query=up&start=2&end=1&step=1", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"end\": end timestamp must not be )"
       R"(before start time")"},
      {"/api/v1/query_range?query=up&start=0&end=1&step=", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"step\": cannot parse \"\" to a )"
       R"(valid duration")"},
      {"/api/v1/query_range?query=up&start=0&end=1&step=-1", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"step\": zero or negative query )"
       R"(resolution step widths are not accepted. Try a positive integer")"},
      {"/api/v1/query_range?query=up&start=0&end=11001&step=1", 400,
       R"("errorType":"bad_data","error":"exceeded maximum resolution of 11,000 points per )"
       R"x(timeseries. Try decreasing the query resolution (?step=XX)")x"},
      {"/api/v1/query_range?query=up&start=0&end=11000&step=1", 200,
       R"("data":{"resultType":"matrix","result":[]})"},
      {"/api/v1/query_range?query=up[5m]&start=0&end=1&step=1", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"query\": invalid expression type )"
       R"(\"range vector\" for range query, must be Scalar or instant Vector")"},
  };
  Expect(cases);
}

TEST_F(ApiTest, CutsAndWarns) {
  const ApiCase cases[] = {
      {"/api/v1/query?query=up&limit=1", 200,
       R"("data":{"resultType":"vector","result":[{"metric":{"__name__":"up","zone":"a"},)"
       R"("value":[1800000000,"0.5"]}]},"warnings":["results truncated due to limit"])"},
      {"/api/v1/query?query=count(up)&limit=1", 200,
       R"("data":{"resultType":"vector","result":[{"metric":{},"value":[1800000000,"2"]}]})"},
      {"/api/v1/query_range?query=up&start=1799999985&end=1799999985&step=1&limit=1", 200,
       R"("data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","zone":"a"},)"
       R"("values":[[1799999985,"1"]]}]},"warnings":["results truncated due to limit"])"},
      {"/api/v1/labels?match[]=up&limit=1", 200,
       R"("data":["__name__"],"warnings":["results truncated due to limit"])"},
      {"/api/v1/labels?match[]=up&limit=2", 200, R"("data":["__name__","zone"])"},
      {"/api/v1/label/zone/values?match[]=up&limit=1", 200,
       R"("data":["a"],"warnings":["results truncated due to limit"])"},
      {"/api/v1/series?match[]=up&limit=1", 200,
       R"("data":[{"__name__":"up","zone":"a"}],"warnings":["results truncated due to limit"])"},
  };
  Expect(cases);
}

TEST_F(ApiTest, WritesTimesAndNumbersAsPrometheus) {
  struct NumberCase {
    const char* query;
    const char* time;
    const char* point;
  };
  const NumberCase samples[] = {
      {"vector(1e-7)", "1.5", R"([1.500,"1e-07"])"},
      {"vector(-0.000001)", "-1.05", R"([-1.050,"-0.000001"])"},
      {"vector(1e21)", "0", R"([0,"1e+21"])"},
      {"vector(123456789012345680000)", "0", R"([0,"123456789012345680000"])"},
      {"vector(1e15%2B0.5)", "1970-01-01T00:00:01.001Z", R"([1.001,"1000000000000000.5"])"},
      {"vector(-0*1)", "0", R"([0,"-0"])"},
      {"vector(NaN)", "0.02", R"([0.020,"NaN"])"},
      {"vector(-Inf)", "0", R"([0,"-Inf"])"},
      {"vector(0.1)*3", "1", R"([1,"0.30000000000000004"])"},
  };
  for (const NumberCase& c : samples) {
    EXPECT_EQ(Ask(Encode(std::string("/api/v1/query?query=") + c.query + "&time=" + c.time)).body,
              std::string(R"({"status":"success","data":{"resultType":"vector","result":[)") +
                  R"({"metric":{},"value":)" + c.point + "}]}}")
        << c.query;
  }
  const ApiCase cases[] = {
      {"/api/v1/query?query=1e21&time=1.5", 200,
       R"("data":{"resultType":"scalar","result":[1.5,"1000000000000000000000"]})"},
      {"/api/v1/query?query=1e-7&time=0", 200,
       R"("data":{"resultType":"scalar","result":[0,"0.0000001"]})"},
      {"/api/v1/query?query=\"a\\n\"&time=0.02", 200,
       R"("data":{"resultType":"string","result":[0.02,"a\n"]})"},
      {"/api/v1/query?query=up{zone=\"a\"}[1m]&time=1800000000", 200,
       R"("data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","zone":"a"},)"
       R"("values":[[1799999985,"1"],[1800000000,"0.5"]]}]})"},
  };
  Expect(cases);
}

TEST_F(ApiTest, TakesTheLookBackOfTheRequest) {
  const ApiCase cases[] = {
      {"/api/v1/query?query=count(up)&time=1800000060&lookback_delta=1m", 200,
       R"("data":{"resultType":"vector","result":[]})"},
      {"/api/v1/query?query=count(up)&time=1800000060&lookback_delta=61", 200,
       R"("data":{"resultType":"vector","result":[{"metric":{},"value":[1800000060,"2"]}]})"},
  };
  Expect(cases);
}

TEST_F(ApiTest, AddsStatsOnRequest) {
  const std::string body = Ask("/api/v1/query?query=1&stats=all&time=0").body;
  EXPECT_EQ(body, R"({"status":"success","data":{"resultType":"scalar","result":[0,"1"],"stats":)"
                  R"({"timings":{"evalTotalTime":0,"resultSortTime":0,"queryPreparationTime":0,)"
                  R"("innerEvalTime":0,"execQueueTime":0,"execTotalTime":0}}}})");
  EXPECT_NE(Ask("/api/v1/query?query=1&stats=yes&time=0")
                .body.find(R"("warnings":["value \"yes\" for parameter \"stats\" is deprecated)"),
            std::string::npos);
}

TEST_F(ApiTest, AsksForSeriesAndLabels) {
  const auto appender = store_.NewAppender();
  const auto labels = model::Labels::Of({{"__name__", "up"}, {"a/b_c", "1"}});
  ASSERT_EQ(appender->Append(labels, kNow - 100'000, 1), storage::AppendOutcome::kAppended);
  ASSERT_TRUE(appender->Commit());
  const ApiCase cases[] = {
      {"/api/v1/label/U__a_2f_b__c/values", 200, R"("data":["1"])"},
      {"/api/v1/label/U__a_2f/values", 200, R"("data":[])"},
      {"/api/v1/label/%ff/values", 400,
       R"("errorType":"bad_data","error":"invalid label name: \"\\xff\"")"},
      {"/api/v1/label/zone/values?start=1799999900&end=1799999950", 200, R"("data":[])"},
      {"/api/v1/labels?match[]=up&end=1799999950", 200, R"("data":["__name__","a/b_c"])"},
      {"/api/v1/labels?match[]=up&match[]=ALERTS", 200,
       R"("data":["__name__","a/b_c","alertname","alertstate","severity","zone"])"},
      {"/api/v1/labels?match[]={zone=~\".*\"}", 400,
       R"("errorType":"bad_data","error":"match[] must contain at least one non-empty matcher")"},
      {"/api/v1/labels?match[]=up{", 400,
       R"("errorType":"bad_data","error":"1:4: parse error: unexpected end of input inside braces")"},
      {"/api/v1/series?match[]=up{", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"match[]\": 1:4: parse error: )"
       R"(unexpected end of input inside braces")"},
      {"/api/v1/series?match[]=up{zone=\"a\"}&match[]=up{zone=~\"a|b\"}", 200,
       R"("data":[{"__name__":"up","zone":"a"},{"__name__":"up","zone":"b"}])"},
      {"/api/v1/series?match[]=up&start=-292273086-05-16T16:47:06Z&"
       "end=%2B292277025-08-18T07:12:54.999999999Z&limit=1",
       200,
       R"("data":[{"__name__":"up","a/b_c":"1"}],"warnings":["results truncated due to limit"])"},
      {"/api/v1/series?match[]=up&start=x", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"start\": invalid time value for )"
       R"('start': cannot parse \"x\" to a valid timestamp")"},
  };
  Expect(cases);
}

TEST_F(ApiTest, ShowsTheTreeOfAQuery) {
  const ApiCase cases[] = {
      {"/api/v1/parse_query?query=-(1)", 200,
       R"("data":{"expr":{"expr":{"type":"numberLiteral","val":"1"},"type":"parenExpr"},"op":"-",)"
       R"("type":"unaryExpr"})"},
      {"/api/v1/parse_query?query=up @ end() > bool on(a) group_left(b) x offset -5m", 200,
       R"("data":{"bool":true,"lhs":{"anchored":false,"matchers":[{"name":"__name__","type":"=",)"
       R"("value":"up"}],"name":"up","offset":0,"offsetExpr":null,"smoothed":false,)"
       R"("startOrEnd":"end","timestamp":null,"type":"vectorSelector"},"matching":{"card":)"
       R"("many-to-one","fillValues":{"lhs":null,"rhs":null},"include":["b"],"labels":["a"],)"
       R"("on":true},"op":">","rhs":{"anchored":false,"matchers":[{"name":"__name__","type":"=",)"
       R"("value":"x"}],"name":"x","offset":-300000,"offsetExpr":null,"smoothed":false,)"
       R"("startOrEnd":null,"timestamp":null,"type":"vectorSelector"},"type":"binaryExpr"})"},
      {"/api/v1/parse_query?query=topk(1,x[1h:] @ 1.5)", 400, nullptr},
      {"/api/v1/parse_query?query=max_over_time({a=~\"b\"}[1h:5m] @ 1.5)", 200,
       R"("data":{"args":[{"expr":{"anchored":false,"matchers":[{"name":"a","type":"=~","value":)"
       R"("b"}],"name":"","offset":0,"offsetExpr":null,"smoothed":false,"startOrEnd":null,)"
       R"("timestamp":null,"type":"vectorSelector"},"offset":0,"offsetExpr":null,"range":3600000,)"
       R"("rangeExpr":null,"startOrEnd":null,"step":300000,"stepExpr":null,"timestamp":1500,)"
       R"("type":"subquery"}],"func":{"argTypes":["matrix"],"name":"max_over_time","returnType":)"
       R"("vector","variadic":0},"type":"call"})"},
      {"/api/v1/format_query?query=sum(x)by(a)", 200, R"x("data":"sum by (a) (x)")x"},
      {"/api/v1/format_query?query=sum(", 400, nullptr},
  };
  for (const ApiCase& c : cases) {
    if (c.body != nullptr) {
      Expect({&c, 1});
    } else {
      EXPECT_EQ(Ask(Encode(c.target)).status, c.status) << c.target;
    }
  }
}

TEST_F(ApiTest, ExplainsAQuery) {
  const ApiCase cases[] = {
      {"/api/v1/explain?query=up > 1e22&limit=1&time=1800000000", 200,
       R"("data":{"text":"up > 10000000000000000000000","type":"vector","time":1800000000,)"
       R"("series":0,"note":"became empty here","values":[],"children":[{"text":"up","type":)"
       R"("vector","time":1800000000,"series":2,"values":[{"metric":{"__name__":"up","zone":"a"},)"
       R"("value":[1800000000,"0.5"]}],"children":[]},{"text":"10000000000000000000000","type":)"
       R"("scalar","time":1800000000,"series":1,"values":[{"metric":{},"value":[1800000000,)"
       R"("1e+22"]}],"children":[]}]})"},
      {"/api/v1/explain?query=up[1m]&limit=1", 200,
       R"("data":{"text":"up[1m]","type":"matrix","time":1800000000,"series":2,"values":[{"metric":)"
       R"({"__name__":"up","zone":"a"},"points":2,"value":[1800000000,"0.5"]}],"children":[]})"},
      {"/api/v1/explain?query=(", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"query\": 1:2: parse error: unclosed )"
       R"(left parenthesis")"},
  };
  Expect(cases);
}

TEST_F(ApiTest, KeepsNoExemplars) {
  EXPECT_EQ(Ask("/api/v1/query_exemplars?query=up").body, R"({"status":"success","data":[]})");
  const auto none = Ask("/api/v1/query_exemplars?query=1");
  EXPECT_EQ(none.status, 204);
  EXPECT_EQ(none.body, "");
  const ApiCase cases[] = {
      {"/api/v1/query_exemplars?query=up&start=2&end=1", 400,
       R"("errorType":"bad_data","error":"end timestamp must not be before start timestamp")"}};
  Expect(cases);
}

// Every field, as encoding/json writes Prometheus's structs.
TEST_F(ApiTest, TellsRulesFieldForField) {
  auto groups = rules::ParseRuleFile(
      "groups:\n"
      "- {name: z, limit: 9, interval: 30s, rules: [{alert: Half, expr: up==0.5, for: 0s,\n"
      "    keep_firing_for: 1m, labels: {severity: '{{ 1 }}'}, annotations: {a: b}}]}\n"
      "- {name: a, rules: [{record: a:up, expr: up, labels: {x: y}}, {alert: Bad, expr: 'up+on() "
      "group_left() up'}]}\n",
      "two.yaml");
  ASSERT_TRUE(groups);
  rules_.SetGroups(std::move(*groups), {});
  const ApiCase before[] = {
      {"/api/v1/rules?rule_name[]=Half", 200,
       R"("data":{"groups":[{"name":"z","file":"two.yaml","rules":[{"state":"unknown",)"
       R"("name":"Half","query":"up == 0.5","duration":0,"keepFiringFor":60,"labels":)"
       R"({"severity":"{{ 1 }}"},"annotations":{"a":"b"},"alerts":[],"health":"unknown",)"
       R"("evaluationTime":0,"lastEvaluation":"0001-01-01T00:00:00Z","type":"alerting"}],)"
       R"("interval":30,"limit":9,"evaluationTime":0,"lastEvaluation":"0001-01-01T00:00:00Z"}]})"}};
  Expect(before);
  rules_.EvaluateAll(clock_.NowMs());
  const ApiCase after[] = {
      {"/api/v1/rules", 200,
       R"("data":{"groups":[{"name":"a","file":"two.yaml","rules":[{"name":"a:up","query":"up",)"
       R"("labels":{"x":"y"},"health":"ok","evaluationTime":0,"lastEvaluation":)"
       R"("2027-01-15T08:00:00Z","type":"recording"},{"state":"inactive","name":"Bad","query":)"
       R"("up + on () group_left () up","duration":0,"keepFiringFor":0,"labels":{},"annotations":{},)"
       R"("alerts":[],"health":"err","lastError":"found duplicate series for the match group {} on )"
       R"(the right hand-side of the operation: [{__name__=\"up\", zone=\"a\"}, {__name__=\"up\", )"
       R"(zone=\"b\"}];many-to-many matching not allowed: matching labels must be unique on one )"
       R"(side","evaluationTime":0,"lastEvaluation":"2027-01-15T08:00:00Z","type":"alerting"}],)"
       R"("interval":15,"limit":0,"evaluationTime":0,"lastEvaluation":"2027-01-15T08:00:00Z"},)"
       R"({"name":"z","file":"two.yaml","rules":[{"state":"firing","name":"Half","query":)"
       R"("up == 0.5","duration":0,"keepFiringFor":60,"labels":{"severity":"{{ 1 }}"},)"
       R"("annotations":{"a":"b"},"alerts":[{"labels":{"alertname":"Half","severity":"1",)"
       R"("zone":"a"},"annotations":{"a":"b"},"state":"firing","activeAt":)"
       R"("2027-01-15T08:00:00Z","value":"5e-01"}],"health":"ok","evaluationTime":0,)"
       R"("lastEvaluation":"2027-01-15T08:00:00Z","type":"alerting"}],"interval":30,"limit":9,)"
       R"("evaluationTime":0,"lastEvaluation":"2027-01-15T08:00:00Z"}]})"},
      {"/api/v1/alerts", 200,
       R"("data":{"alerts":[{"labels":{"alertname":"Half","severity":"1","zone":"a"},)"
       R"("annotations":{"a":"b"},"state":"firing","activeAt":"2027-01-15T08:00:00Z",)"
       R"("value":"5e-01"}]})"},
      {"/api/v1/rules?rule_name[]=Half&exclude_alerts=true&history=true", 200,
       R"("data":{"groups":[{"name":"z","file":"two.yaml","rules":[{"state":"firing","name":"Half",)"
       R"("query":"up == 0.5","duration":0,"keepFiringFor":60,"labels":{"severity":"{{ 1 }}"},)"
       R"("annotations":{"a":"b"},"alerts":null,"health":"ok","evaluationTime":0,)"
       R"("lastEvaluation":"2027-01-15T08:00:00Z","type":"alerting","history":[{"time":)"
       R"("2027-01-15T08:00:00Z","evaluationTime":0,"health":"ok","samples":1,"pending":0,)"
       R"("firing":1}]}],"interval":30,"limit":9,"evaluationTime":0,"lastEvaluation":)"
       R"("2027-01-15T08:00:00Z"}]})"},
      {"/api/v1/rules?history=perhaps", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"history\": error converting )"
       R"(history: strconv.ParseBool: parsing \"perhaps\": invalid syntax")"}};
  Expect(after);
}

TEST_F(ApiTest, FiltersRules) {
  auto groups = rules::ParseRuleFile(
      "groups:\n"
      "- {name: g, rules: [{alert: Half, expr: up==0.5, labels: {severity: warning}}]}\n"
      "- {name: h, rules: [{record: a:up, expr: up}, {alert: None, expr: up==7}]}\n",
      "two.yaml");
  ASSERT_TRUE(groups);
  rules_.SetGroups(std::move(*groups), {});
  const auto names = [this](const std::string& filter) {
    const std::string body = Ask(Encode("/api/v1/rules?" + filter)).body;
    std::string found;
    for (const char* name : {"Half", "a:up", "None"}) {
      const bool there = body.find("\"name\":\"" + std::string(name) + "\"") != std::string::npos;
      found += there ? std::string(name) + " " : "";
    }
    return found;
  };
  EXPECT_EQ(names(""), "Half a:up None ");
  EXPECT_EQ(names("type=alert"), "Half None ");
  EXPECT_EQ(names("type=record"), "a:up ");
  EXPECT_EQ(names("rule_name[]=Half&rule_name[]=None"), "Half None ");
  EXPECT_EQ(names("rule_group[]=h"), "a:up None ");
  EXPECT_EQ(names("file[]=two.yaml"), "Half a:up None ");
  EXPECT_EQ(names("file[]=one.yaml"), "");
  EXPECT_EQ(names("match[]={severity=\"warning\"}"), "Half ");
  EXPECT_EQ(names("group_limit=1"), "Half ");
  const std::string page = Ask("/api/v1/rules?group_limit=1").body;
  const std::size_t token = page.find("\"groupNextToken\":\"");
  ASSERT_NE(token, std::string::npos);
  EXPECT_EQ(names("group_limit=1&group_next_token=" +
                  page.substr(token + 18, page.find('"', token + 18) - token - 18)),
            "a:up None ");
  EXPECT_NE(Ask("/api/v1/rules?exclude_alerts=true").body.find("\"alerts\":null"),
            std::string::npos);
  // The query in its normal form; a time that never was as Go writes it.
  EXPECT_NE(page.find(R"("query":"up == 0.5")"), std::string::npos);
  EXPECT_NE(page.find(R"("lastEvaluation":"0001-01-01T00:00:00Z")"), std::string::npos);
  const ApiCase cases[] = {
      {"/api/v1/rules?type=all", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"type\": not supported value \"all\"")"},
      {"/api/v1/rules?group_limit=0", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"group_limit\": group_limit needs to )"
       R"(be greater than 0")"},
      {"/api/v1/rules?group_limit=x", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"group_limit\": group_limit needs to )"
       R"(be a valid number: strconv.ParseInt: parsing \"x\": invalid syntax")"},
      {"/api/v1/rules?group_limit=2147483648", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"group_limit\": group_limit needs to )"
       R"(be a valid number: strconv.ParseInt: parsing \"2147483648\": value out of range")"},
      {"/api/v1/rules?group_next_token=x", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"group_next_token\": group_limit )"
       R"(needs to be present in order to paginate over the groups")"},
      {"/api/v1/rules?exclude_alerts=maybe", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"exclude_alerts\": error converting )"
       R"(exclude_alerts: strconv.ParseBool: parsing \"maybe\": invalid syntax")"},
      {"/api/v1/rules?group_limit=1&group_next_token=x", 400,
       R"("errorType":"bad_data","error":"invalid parameter \"group_next_token\": invalid )"
       R"(group_next_token 'x'. were rule groups changed?")"},
  };
  Expect(cases);
}

TEST_F(ApiTest, DescribesMetricsAndItself) {
  PublishRound();
  ServerDeps deps = Deps();
  deps.config = [] { return ConfigView{.yaml = "zones: {}\n", .loaded_at_ms = 1'000}; };
  Listen(std::move(deps), {.flags = {{"web.listen-address", ":10126"}}, .retention_ms = 7'200'000});
  const ApiCase cases[] = {
      {"/api/v1/metadata", 200, R"("data":{"up":[{"type":"gauge","help":"Up.","unit":""}]})"},
      {"/api/v1/metadata?metric=down", 200, R"("data":{})"},
      {"/api/v1/metadata?limit=0", 200, R"("data":{})"},
      {"/api/v1/metadata?limit=x", 400,
       R"("errorType":"bad_data","error":"limit must be a number")"},
      {"/api/v1/targets", 200,
       R"("data":{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{}})"},
      {"/api/v1/targets?state=active", 200,
       R"("data":{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":null})"},
      {"/api/v1/targets/metadata", 200, R"("data":[])"},
      {"/api/v1/scrape_pools", 200, R"("data":{"scrapePools":[]})"},
      {"/api/v1/status/config", 200, R"("data":{"yaml":"zones: {}\n"})"},
      {"/api/v1/status/flags", 200, R"("data":{"web.listen-address":":10126"})"},
      {"/api/v1/status/walreplay", 200, R"("data":{"min":0,"max":0,"current":0})"},
      {"/api/v1/status/tsdb?limit=0", 400,
       R"("errorType":"bad_data","error":"limit must be a positive number")"},
      {"/api/v1/status/tsdb?limit=10001", 400,
       R"("errorType":"bad_data","error":"limit must not exceed 10000")"},
      {"/api/v1/status/tsdb?limit=1", 200,
       R"("data":{"headStats":{"numSeries":4,"numLabelPairs":8,"chunkCount":4,"minTime":)"
       R"(1799999985000,"maxTime":1800000000000},"seriesCountByMetricName":[{"name":"up","value":)"
       R"(2}],"labelValueCountByLabelName":[{"name":"__name__","value":3}],)"
       R"("memoryInBytesByLabelName":[{"name":"__name__","value":26}],)"
       R"("seriesCountByLabelValuePair":[{"name":"zone=a","value":3}]})"},
  };
  Expect(cases);
  const std::string info = Ask("/api/v1/status/runtimeinfo").body;
  for (const char* part :
       {R"("storageRetention":"2h")", R"("lastConfigTime":"1970-01-01T00:00:01Z")",
        R"("serverTime":"2027-01-15T08:00:00Z")", R"("reloadConfigSuccess":true)"}) {
    EXPECT_NE(info.find(part), std::string::npos) << part << "\nin " << info;
  }
  EXPECT_NE(Ask("/api/v1/features").body.find(R"("templating_functions":{"args":true,)"),
            std::string::npos);
  EXPECT_NE(Ask("/api/v1/features").body.find(R"("promql_functions":{"abs":true,)"),
            std::string::npos);
}

TEST_F(ApiTest, TakesTheMethodsThatPrometheusTakes) {
  EXPECT_EQ(Ask("/api/v1/query", "OPTIONS").status, 204);
  EXPECT_EQ(Ask("/api/v1/query", "DELETE").status, 405);
  EXPECT_EQ(Ask("/nothing", "DELETE").status, 404);
  for (const char* path : {"/api/v1/label/zone/values", "/api/v1/metadata", "/api/v1/rules",
                           "/api/v1/status/buildinfo", "/federate"}) {
    EXPECT_EQ(Ask(path, "POST", "a=b").status, 405) << path;
  }
  const auto parts = Send({.method = "POST",
                           .url = "/api/v1/query?query=1",
                           .headers = {{"Content-Type", "multipart/form-data; boundary=x"}},
                           .body = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n"
                                   "--x--\r\n"});
  EXPECT_EQ(parts.status, 200) << parts.body;
  // httplib alone would refuse a form of more than 8 KB.
  std::string zones = "a";
  for (int i = 0; i < 5'000; ++i) zones += "|z" + std::to_string(i);
  const auto large = Ask("/api/v1/query", "POST", "query=count(up{zone%3D~%22" + zones + "%22})");
  EXPECT_EQ(large.status, 200) << large.body.substr(0, 200);
  EXPECT_NE(large.body.find("\"1\"]"), std::string::npos);
}

TEST_F(ApiTest, CompressesOnRequest) {
  const auto packed = Ask("/api/v1/query?query=up", "GET", "", /*gzip=*/true);
  EXPECT_EQ(packed.Header("content-encoding"), "gzip");
  EXPECT_EQ(packed.Header("content-type"), "application/json");
  EXPECT_EQ(packed.body, Ask("/api/v1/query?query=up").body);
}

TEST_F(ApiTest, BoundsTheSamplesOfAQuery) {
  const promql::Engine small(promql::EngineOptions{.max_samples = 1}, clock_);
  ServerDeps deps{latest_, store_, small, rules_, clock_, base::Logger::Silent(), {}};
  Listen(std::move(deps), {});
  const ApiCase cases[] = {{"/api/v1/query?query=up", 422,
                            R"("errorType":"execution","error":"query processing would load too )"
                            R"(many samples into memory in query execution")"}};
  Expect(cases);
}

}  // namespace
}  // namespace azexporter::web
