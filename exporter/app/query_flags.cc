#include "query_flags.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace azexporter::app {
namespace {

CLI::App* AddKind(CLI::App* query, Flags& flags, const char* name, const char* help,
                  QueryKind kind) {
  CLI::App* sub = query->add_subcommand(name, help);
  QueryFlags& out = flags.query;
  sub->add_option("--load", out.load,
                  "Samples to ask: a file in OpenMetrics, the text format or protobuf (delimited), "
                  "- for standard input; may be given again.")
      ->type_name("FILE")
      ->allow_extra_args(false);
  sub->add_option("--url", out.url,
                  std::string("Server to ask, azexporter or Prometheus. Default: ") + kDefaultUrl);
  sub->add_option("--timeout", out.timeout, "How long the query may take.")->capture_default_str();
  sub->add_option("-o,--output", out.output, "table, json or csv.")->capture_default_str();
  sub->callback([&flags, kind] {
    flags.command = Command::kQuery;
    flags.query.kind = kind;
  });
  return sub;
}

void AddExpr(CLI::App* sub, QueryFlags& out) {
  sub->add_option("EXPR", out.expr, "The PromQL expression.")->required();
}

void AddTime(CLI::App* sub, QueryFlags& out) {
  sub->add_option("--time", out.time,
                  "When: RFC 3339 or seconds. Default: now, or the newest sample that was loaded.");
}

}  // namespace

void AddQueryCommand(CLI::App& cli, Flags& flags) {
  QueryFlags& out = flags.query;
  CLI::App* query =
      cli.add_subcommand("query", "Ask a running server, or samples in a file (--load).");
  query->require_subcommand(1);

  CLI::App* instant =
      AddKind(query, flags, "instant", "The value at one time.", QueryKind::kInstant);
  AddExpr(instant, out);
  AddTime(instant, out);

  CLI::App* range = AddKind(query, flags, "range", "The values over a time.", QueryKind::kRange);
  AddExpr(range, out);
  range->add_option("--start", out.start, "Default: an hour before the end.");
  range->add_option("--end", out.end, "Default: as --time of query instant.");
  range->add_option("--step", out.step, "Default: a 250th of the range, at least 1s.");

  CLI::App* explain =
      AddKind(query, flags, "explain", "Every part of an expression with its value at one time.",
              QueryKind::kExplain);
  AddExpr(explain, out);
  AddTime(explain, out);
  explain->add_option("--values", out.max_values, "How many values are shown of each part.")
      ->capture_default_str();

  CLI::App* series =
      AddKind(query, flags, "series", "The series that a selector takes.", QueryKind::kSeries);
  series->add_option("SELECTOR", out.selectors, "Such as 'up{zone=\"a\"}'.")->required();

  CLI::App* labels = AddKind(query, flags, "labels", "The names of labels, or the values of one.",
                             QueryKind::kLabels);
  labels->add_option("NAME", out.label, "Show the values of this label.");
  labels->add_option("--match", out.selectors, "Only of series that this selector takes.")
      ->type_name("SELECTOR")
      ->allow_extra_args(false);
}

}  // namespace azexporter::app
