#include "seeds.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "azexporter/promql/functions.h"
#include "azexporter/rules/rule_file.h"
#include "promql/query_files.h"
#include "support/write_body.h"

namespace azexporter::fuzz {
namespace {

namespace fs = std::filesystem;

std::set<std::string> Queries() {
  std::set<std::string> queries = promql::QueriesOfRules(fs::path(AZX_SOURCE_DIR) / "rules/alerts");
  queries.merge(promql::QueriesOfScripts(promql::OwnScripts()));
  // Deep nests, which mutations do not grow to.
  for (const std::string_view piece :
       {"(", "-", "abs(", "2^", "x+", "sum by (a) (", "x[5m:]", "a or "}) {
    std::string nest;
    for (int i = 0; i < 4'000; ++i) nest += piece;
    queries.insert(nest + "x");
  }
  return queries;
}

// Each load with the evals after it: smaller than whole files, for more of them to be tried.
std::set<std::string> Scripts() {
  std::set<std::string> scripts;
  for (const fs::path& path : promql::OwnScripts()) {
    const std::string text = promql::ReadFile(path);
    for (std::size_t begin = text.find("load"); begin != std::string::npos;) {
      const std::size_t end = text.find("\nclear\n", begin);
      // A handful of evals will do.
      scripts.insert(text.substr(begin, std::min<std::size_t>(end - begin, 1'500)));
      begin = end == std::string::npos ? end : text.find("load", end);
    }
  }
  return scripts;
}

// Requests with all that one may hold, some of them as the compressed bodies they come in.
std::set<std::string> Writes() {
  using test::BytesField;
  using test::SampleMessage;
  using test::SeriesField;
  std::set<std::string> writes;
  const test::LabelPairs labels = {{"__name__", "up"}, {"node", "n1"}, {"zone", "a"}};
  for (std::int64_t points = 0; points < 6; ++points) {
    std::vector<model::FPoint> samples;
    for (std::int64_t i = 0; i < points; ++i) {
      samples.push_back({1'700'000'000'000 + i * 15'000, 0.5 * static_cast<double>(i)});
    }
    const std::string series = SeriesField(labels, samples);
    const std::string exemplar = BytesField(3, SampleMessage({1, 2}));
    // A count, spans, deltas, counts of floats, custom bounds, a time.
    const std::string histogram =
        BytesField(4, std::string("\x08\x03\x5a\x04\x08\x00\x10\x02\x62\x02\x02\x02", 12) +
                          BytesField(13, std::string(16, '\1')) +
                          BytesField(16, std::string(8, '\2')) + "\x78\x05");
    writes.insert({series, series + SeriesField({{"__name__", "größe"}}, samples),
                   SeriesField(labels, samples, exemplar), SeriesField(labels, samples, histogram),
                   series + BytesField(3, "metadata"), test::Snappy(series)});
  }
  return writes;
}

// Pages of both formats, with every kind of metric and of line.
std::set<std::string> Pages() {
  const std::vector<std::string> pieces = {
      "# TYPE up gauge\n# HELP up Whether.\nup{zone=\"a\"} 1\n",
      "# TYPE r counter\n# UNIT r seconds\nr_total{a=\"x\\n\\\"y\\\\\"} 3.5e2 1700000000.5\n",
      "# TYPE h histogram\nh_bucket{le=\"0.1\"} 1 # {trace=\"t\"} 0.05\nh_bucket{le=\"+Inf\"} 2\n"
      "h_sum 3\nh_count 2\n",
      "# TYPE s summary\ns{quantile=\"0.5\"} NaN\ns_sum 1\ns_count 1\n",
      "# TYPE i info\ni_info{version=\"1\"} 1\n",
      "# TYPE st stateset\nst{st=\"a\"} 0\n",
      "# TYPE g gaugehistogram\ng_bucket{le=\"+Inf\"} 2\ng_gcount 2\ng_gsum 1\n",
      "{\"utf-8 name\",\"a b\"=\"c\"} -Inf\n",
      "up 1 1700000000000\nup 0 1700000015000\n"};
  std::set<std::string> pages;
  std::string all;
  for (const std::string& piece : pieces) {
    pages.insert({piece, piece + "# EOF\n"});
    all += piece;
  }
  pages.insert({all, all + "# EOF\n"});
  return pages;
}

// The annotations of the packs, and each part of the language.
std::set<std::string> Templates() {
  std::set<std::string> templates = {
      R"({{ $x := 1 }}{{ if $x }}{{ $x = "a" }}{{ else if .Value }}b{{ else }}c{{ end }}{{ $x }})",
      R"({{ with $labels.zone }}{{ . }}{{ else with $value }}{{ . }}{{ end }})",
      R"({{ range $i, $e := query "up" | sortByLabel "zone" }}{{ $i }}{{ $e.Labels.zone }}{{ end }})",
      R"({{ range 3 }}{{ if . }}{{ break }}{{ end }}{{ continue }}{{ else }}none{{ end }})",
      R"({{ define "x" }}{{ .arg0 }}{{ template "y" .arg1 }}{{ end }}{{ template "x" (args 1 .) }})",
      R"({{ block "y" . }}{{ .Labels }}{{ end }}{{- /* c */ -}} text)",
      R"({{ define "x" }}{{ template "x" . }}{{ end }}{{ template "x" }})",
      R"({{ printf "%-8.3f|%+d|%#x|%q|%T|%[1]*d|%v" $value 5 255 "a" . 3 (args 1 nil) }})",
      R"({{ print 1 "a" | println | html | js | urlquery | len | printf "%05d" }})",
      R"({{ index (query "up") 1 }} {{ slice "abc" 1 2 }} {{ and 1 0 }} {{ or "" 'x' }} {{ not nil }})",
      R"({{ eq 1 2 1 }} {{ lt 1.5 2.0 }} {{ ge "b" "a" }} {{ ne true false }} {{ 0x1F }} {{ 1e-3 }})",
      R"({{ (1435065584.128 | toTime).Format "Mon Jan 2 15:04:05.000 MST 2006" }})",
      R"({{ ("-30m" | parseDuration | toDuration | (now | toTime).Add).UnixMilli }})",
      R"({{ ((toTime 5).AddDate 1 2 3).Weekday }} {{ ((toTime 5).Sub (toTime 1)).Round 1000 }})",
      R"({{ humanize 1e9 }} {{ humanize1024 1e9 }} {{ humanizeDuration 1e9 }} {{ humanizeTimestamp 1e9 }})",
      R"({{ reReplaceAll "(a+)n" "<$1>" "banana" }} {{ match "^b" "banana" }} {{ title "a b" | toUpper }})",
      R"({{ stripPort "a.b:1" | stripDomain | graphLink | tableLink | safeHtml }} {{ pathPrefix }})",
      R"({{ $x := "ab" }}{{ range 9 }}{{ $x = print $x $x }}{{ end }}{{ $x }})",
      R"({{ $x := args }}{{ range 60 }}{{ $x = args $x $x }}{{ end }}{{ $x }})",
  };
  for (const std::string_view pack : {rules::RecommendedPack(), rules::DocumentedPack()}) {
    const auto groups = rules::ParseRuleFile(pack, "pack");
    if (!groups) continue;
    for (const rules::RuleGroup& group : *groups) {
      for (const rules::Rule& rule : group.rules) {
        for (const auto& [name, text] : rule.annotations) templates.insert(text);
      }
    }
  }
  for (const std::string_view piece : {"{{if 1}}", "{{(", "{{range 2}}", "{{block \"x\" 1}}"}) {
    std::string nest;
    for (int i = 0; i < 2'000; ++i) nest += piece;
    templates.insert(nest);
  }
  return templates;
}

// Objects of Kubernetes as lists and as watches, each behind the byte that says as what it is read.
std::set<std::string> KubernetesObjects() {
  using test::BytesField;
  constexpr std::string_view kMeta =
      R"("metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"5","generation":2,)"
      R"("labels":{"app":"x","topology.kubernetes.io/zone":"z"},"creationTimestamp":"2026-01-01T00:00:00Z",)"
      R"("ownerReferences":[{"kind":"ReplicaSet","name":"r","controller":true}]})";
  constexpr std::string_view kSpec =
      R"("nodeName":"n1","containers":[{"resources":{"requests":{"cpu":"100m"},"limits":{"memory":"1Gi"}},)"
      R"("ports":[{"hostPort":80}]}],"tolerations":[{"key":"k","operator":"Exists"}],"affinity":{"nodeAffinity":)"
      R"({"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":)"
      R"([{"key":"z","operator":"In","values":["a"]}]}]}}},"topologySpreadConstraints":[{"maxSkew":1,)"
      R"("topologyKey":"z","labelSelector":{"matchLabels":{"app":"x"}}}])";
  const std::pair<char, std::string> objects[] = {
      {0,
       R"("spec":{"unschedulable":true,"taints":[{"key":"k","effect":"NoSchedule"}]},"status":)"
       R"({"allocatable":{"cpu":"3920m","pods":"110"},"conditions":[{"type":"Ready","status":"True"}]})"},
      {2,
       R"("spec":{"replicas":3,"selector":{"matchExpressions":[{"key":"app","operator":"Exists"}]},)"
       R"("template":{"spec":{)" +
           std::string(kSpec) + R"(}},"volumeClaimTemplates":[{"metadata":{"name":"data"}}]})"},
      {4, R"("spec":{"minAvailable":"30%","selector":{}},"status":{"currentHealthy":3})"},
      {6,
       R"("spec":{"capacity":{"storage":"8Gi"},"claimRef":{"name":"c"},"nodeAffinity":{"required":)"
       R"({"nodeSelectorTerms":[{"matchFields":[]}]}}})"},
      {8,
       R"("addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"conditions":{"ready":true},)"
       R"("hints":{"forZones":[{"name":"a"}]}}],"ports":[{"port":80}])"},
      {10, R"("spec":{"groups":[]})"},
      {14, R"("spec":{)" + std::string(kSpec) + R"(},"status":{"phase":"Running"})"}};
  std::set<std::string> seeds;
  for (const auto& [choice, rest] : objects) {
    const std::string object = "{" + std::string(kMeta) + "," + rest + "}";
    const std::string as(1, choice);
    seeds.insert(
        {as + R"({"metadata":{"resourceVersion":"7","continue":"c"},"items":[)" + object + "]}",
         as + R"({"type":"ADDED","object":)" + object + "}\n" +
             R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}})" + "\n",
         std::string(1, 12) + R"({"kind":"List","items":[{"kind":"Pod",)" + object.substr(1) +
             "]}"});
  }
  seeds.insert(
      "\x0e"
      R"({"type":"ERROR","object":{"code":410,"message":"too old"}})"
      "\n");
  const std::string meta = BytesField(1, "a") + BytesField(3, "n") + BytesField(6, "5") +
                           BytesField(8, std::string("\x08\x01", 2)) +
                           BytesField(11, BytesField(1, "app") + BytesField(2, "x"));
  const std::string pod =
      BytesField(1, meta) +
      BytesField(
          2,
          BytesField(10, "n1") +
              BytesField(2, BytesField(8, BytesField(2, BytesField(1, "cpu") +
                                                            BytesField(2, BytesField(1, "1"))))) +
              BytesField(
                  1, BytesField(1, "v") + BytesField(2, BytesField(10, BytesField(1, "claim"))))) +
      BytesField(3, BytesField(1, "Running"));
  const auto enveloped = [](const std::string& raw) {
    return std::string("k8s\0", 4) + BytesField(1, BytesField(1, "v1") + BytesField(2, "Pod")) +
           BytesField(2, raw);
  };
  const std::string event =
      BytesField(1, "MODIFIED") + BytesField(2, BytesField(1, enveloped(pod)));
  for (const char choice : {'\x01', '\x03', '\x05', '\x07', '\x09', '\x0f'}) {
    seeds.insert(
        {std::string(1, choice) + enveloped(BytesField(1, BytesField(2, "7")) + BytesField(2, pod)),
         std::string(1, choice) + std::string("\0\0\0", 3) + static_cast<char>(event.size()) +
             event});
  }
  return seeds;
}

}  // namespace

std::vector<std::string> Seeds(std::string_view target) {
  std::set<std::string> seeds;
  if (target == "script") {
    seeds = Scripts();
  } else if (target == "write") {
    seeds = Writes();
  } else if (target == "text") {
    seeds = Pages();
  } else if (target == "kube") {
    seeds = KubernetesObjects();
  } else if (target == "template") {
    seeds = Templates();
  } else {
    seeds = Queries();
  }
  return {seeds.begin(), seeds.end()};
}

std::vector<std::string> Words() {
  std::vector<std::string> words = {"and",
                                    "or",
                                    "unless",
                                    "bool",
                                    "on",
                                    "ignoring",
                                    "group_left",
                                    "group_right",
                                    "by",
                                    "offset",
                                    "without",
                                    "sum",
                                    "topk",
                                    "quantile",
                                    "count_values",
                                    "atan2",
                                    "@",
                                    "start()",
                                    "end()",
                                    "[5m]",
                                    "[5m:]",
                                    "[1h:1m]",
                                    "{}",
                                    "{a=\"b\"}",
                                    "=~",
                                    "!~",
                                    "!=",
                                    "==",
                                    "^",
                                    "-",
                                    "1e308",
                                    "NaN",
                                    "Inf",
                                    "0x",
                                    "1_0",
                                    "5m",
                                    "\"\\xff\"",
                                    "`",
                                    "#",
                                    "up",
                                    "requests_total",
                                    "latency_bucket",
                                    "load 1m\n",
                                    "eval instant at 1m ",
                                    "eval range from ",
                                    " to ",
                                    " step ",
                                    "expect fail",
                                    "expect info msg: ",
                                    "_x",
                                    "x3",
                                    "stale",
                                    "{{",
                                    "}}",
                                    "{{- ",
                                    "{{end}}",
                                    "{{else}}",
                                    "{{range ",
                                    "{{with ",
                                    "{{break}}",
                                    "{{define \"x\"}}",
                                    "{{template \"x\" .}}",
                                    "$x := ",
                                    "$x = ",
                                    "$value",
                                    ".Labels",
                                    " | ",
                                    "printf \"%*[2]v\" ",
                                    "query \"up\"",
                                    "index ",
                                    "args ",
                                    "nil",
                                    "\n\n"};
  for (const promql::Function& function : promql::AllFunctions()) {
    words.push_back(std::string(function.name) + "(");
  }
  return words;
}

}  // namespace azexporter::fuzz
