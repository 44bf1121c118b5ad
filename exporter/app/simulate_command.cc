#include "azexporter/app/simulate_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "azexporter/base/json_writer.h"
#include "text_table.h"

namespace azexporter::app {
namespace {

using base::JsonWriter;
using zones::Placement;
using zones::ZoneLoss;

std::string Cores(std::int64_t milli) {
  return fmt::format("{:.1f}", static_cast<double>(milli) / 1000);
}

std::string Gibibytes(std::int64_t bytes) {
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1 << 30));
}

std::string VerdictText(const ZoneLoss& loss, bool evacuate) {
  switch (loss.verdict) {
    case zones::Verdict::kSurvived:
      return evacuate ? "possible" : "survived";
    case zones::Verdict::kNotSurvived:
      if (!evacuate) return "not survived";
      return std::any_of(loss.findings.begin(), loss.findings.end(),
                         [](const zones::LossFinding& finding) {
                           return finding.blocker && finding.reason == zones::LossReason::kEviction;
                         })
                 ? "drain blocked"
                 : "pods without a place";
    case zones::Verdict::kUnknown:
      return "not known";
    case zones::Verdict::kLostAlready:
      return "lost already";
  }
  return "not known";
}

std::string Summary(const std::vector<ZoneLoss>& losses, bool evacuate) {
  TextTable table({"ZONE", evacuate ? "IF DRAINED NOW" : "IF LOST NOW", "BLOCKERS", "DISPLACED",
                   "UNPLACED", "CPU LEFT", "MEMORY LEFT"});
  for (const ZoneLoss& loss : losses) {
    const Placement* placement = loss.placement.get();
    std::vector<std::string> row = {loss.zone, VerdictText(loss, evacuate),
                                    std::to_string(loss.blockers())};
    if (placement == nullptr) {
      row.insert(row.end(), {"-", "-", "-", "-"});
    } else {
      row.insert(
          row.end(),
          {std::to_string(placement->displaced), std::to_string(placement->unplaced_pods()),
           Cores(placement->after.free.cpu_milli), Gibibytes(placement->after.free.memory_bytes)});
    }
    table.Add(std::move(row));
  }
  return table.ToString();
}

// The first few rows, unless all are asked for.
constexpr std::size_t kFew = 10;

std::string FindingsText(const ZoneLoss& loss, bool blockers, bool verbose) {
  std::string out;
  std::size_t count = 0;
  for (const zones::LossFinding& finding : loss.findings) {
    if (finding.blocker != blockers) continue;
    if (++count <= kFew || verbose) {
      out += fmt::format("  {:<20}  {}\n", zones::LossReasonName(finding.reason),
                         zones::TextOf(finding));
    }
  }
  if (count > kFew && !verbose) out += fmt::format("  and {} more, which -v shows\n", count - kFew);
  return out;
}

std::string UnplacedText(const Placement& placement, bool verbose) {
  if (placement.unplaced.empty()) return "";
  TextTable table({"  PODS", "OF", "REASON", "DETAIL"});
  std::vector<const zones::UnplacedPods*> rows;
  zones::ForEachUnplaced(placement, [&](const auto& row) { rows.push_back(&row); });
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto* a, const auto* b) { return a->pods > b->pods; });
  const std::size_t shown = verbose ? rows.size() : std::min(rows.size(), kFew);
  for (std::size_t i = 0; i < shown; ++i) {
    table.Add({fmt::format("  {}", rows[i]->pods), zones::FullName(rows[i]->workload),
               std::string(zones::PlacementReasonName(rows[i]->reason)), rows[i]->detail});
  }
  std::string out = "UNPLACED\n" + table.ToString();
  if (rows.size() > shown) {
    out += fmt::format("  and {} more rows, which -v shows\n", rows.size() - shown);
  }
  return out;
}

std::string PlacementText(const Placement& placement, bool verbose) {
  std::string out = fmt::format(
      "PODS\n  {} on {} nodes have to move: {} find a place on the {} nodes that are left, {} do "
      "not\n",
      placement.displaced, placement.lost_nodes, placement.placed, placement.receiving_nodes,
      placement.unplaced_pods());
  if (placement.bare > 0) {
    out += fmt::format("  {} have no controller and are lost for good\n", placement.bare);
  }
  if (placement.stateful > 0) {
    out += fmt::format("  {} of StatefulSets wait until the old pods are known to be gone\n",
                       placement.stateful);
  }
  if (placement.pending > 0) {
    out += fmt::format("  {} wait for a node already, and go on waiting\n", placement.pending);
  }
  out += UnplacedText(placement, verbose);
  TextTable room({"  ", "FREE", "FREE AFTER", "LARGEST NODE AFTER"});
  const kube::Resources& before = placement.before.free;
  const kube::Resources& after = placement.after.free;
  const kube::Resources& largest = placement.after.largest;
  room.Add({"  cpu", Cores(before.cpu_milli), Cores(after.cpu_milli), Cores(largest.cpu_milli)});
  room.Add({"  memory", Gibibytes(before.memory_bytes), Gibibytes(after.memory_bytes),
            Gibibytes(largest.memory_bytes)});
  room.Add({"  pods", std::to_string(before.pods), std::to_string(after.pods),
            std::to_string(largest.pods)});
  return out + "ROOM on the nodes that are left\n" + room.ToString();
}

std::string Detail(const ZoneLoss& loss, const SimulateFlags& flags) {
  std::string out = fmt::format("\n{}: {}\n", loss.zone, VerdictText(loss, flags.evacuate));
  const std::string blockers = FindingsText(loss, true, flags.verbose);
  if (!blockers.empty()) out += "BLOCKERS\n" + blockers;
  const std::string notes = FindingsText(loss, false, flags.verbose);
  if (!notes.empty()) out += "NOTES\n" + notes;
  for (const std::string& what : loss.not_known) out += "NOT KNOWN  " + what + "\n";
  if (!loss.control_plane_visible && !flags.evacuate) {
    out += "NOT KNOWN  the control plane: no node of it is seen\n";
  }
  if (loss.placement) out += PlacementText(*loss.placement, flags.verbose);
  return out;
}

std::string Wrapped(std::string_view text, std::size_t width) {
  std::string out;
  std::size_t column = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    if (column > 0 && column + 1 + word.size() > width) {
      out += '\n';
      column = 0;
    }
    if (column > 0) out += ' ';
    column += word.size() + (column > 0 ? 1 : 0);
    out += word;
    begin = end + 1;
  }
  return out + "\n";
}

void WriteRoom(JsonWriter& json, std::string_view key, const kube::Resources& room) {
  json.Key(key).BeginObject().Key("cpu").Double(static_cast<double>(room.cpu_milli) / 1000);
  json.Key("memory").Int(room.memory_bytes).Key("pods").Int(room.pods);
  for (const auto& [name, amount] : room.others) json.Key(name).Int(amount);
  json.EndObject();
}

void WritePlacement(JsonWriter& json, const Placement& placement) {
  json.Key("placement").BeginObject();
  json.Key("lost_nodes").Int(placement.lost_nodes);
  json.Key("receiving_nodes").Int(placement.receiving_nodes);
  json.Key("displaced").Int(placement.displaced).Key("placed").Int(placement.placed);
  json.Key("bare").Int(placement.bare).Key("stateful").Int(placement.stateful);
  json.Key("pending").Int(placement.pending).Key("unplaced").BeginArray();
  zones::ForEachUnplaced(placement, [&](const zones::UnplacedPods& row) {
    json.BeginObject().Key("namespace").String(row.workload.ns);
    json.Key("kind").String(row.workload.kind).Key("name").String(row.workload.name);
    json.Key("reason").String(zones::PlacementReasonName(row.reason));
    json.Key("detail").String(row.detail).Key("pods").Int(row.pods).EndObject();
  });
  json.EndArray();
  WriteRoom(json, "free", placement.before.free);
  WriteRoom(json, "free_after", placement.after.free);
  WriteRoom(json, "largest_node_after", placement.after.largest);
  json.EndObject();
}

std::string Json(const std::vector<ZoneLoss>& losses, bool evacuate) {
  JsonWriter json;
  json.BeginObject().Key("kind").String(
      zones::LossKindName(evacuate ? zones::LossKind::kEvacuation : zones::LossKind::kFailure));
  json.Key("zones").BeginArray();
  for (const ZoneLoss& loss : losses) {
    json.BeginObject().Key("zone").String(loss.zone);
    json.Key("verdict").String(zones::VerdictName(loss.verdict));
    json.Key("control_plane_visible").Bool(loss.control_plane_visible);
    json.Key("not_known").BeginArray();
    for (const std::string& what : loss.not_known) json.String(what);
    json.EndArray().Key("findings").BeginArray();
    for (const zones::LossFinding& finding : loss.findings) {
      json.BeginObject().Key("reason").String(zones::LossReasonName(finding.reason));
      json.Key("blocker").Bool(finding.blocker).Key("namespace").String(finding.ns);
      json.Key("object").String(finding.object).Key("text").String(finding.text).EndObject();
    }
    json.EndArray();
    if (loss.placement) WritePlacement(json, *loss.placement);
    json.EndObject();
  }
  json.EndArray().Key("approximation").String(zones::kPlacementApproximation).EndObject();
  return json.Take() + "\n";
}

}  // namespace

base::Result<std::vector<ZoneLoss>> LossesAsked(const zones::ZoneReport& report,
                                                const SimulateFlags& flags) {
  const std::vector<ZoneLoss>& all = flags.evacuate ? report.evacuations : report.losses;
  if (all.empty()) {
    return base::Fail(base::ErrorCode::kNotFound,
                      "no zone is known: no node carries a zone label, none is expected");
  }
  if (flags.zone.empty()) return all;
  std::string names;
  for (const ZoneLoss& loss : all) {
    if (loss.zone == flags.zone) return std::vector<ZoneLoss>{loss};
    names += (names.empty() ? "" : ", ") + loss.zone;
  }
  return base::Fail(base::ErrorCode::kNotFound,
                    fmt::format("there is no zone \"{}\"; there are: {}", flags.zone, names));
}

std::string FormatSimulation(const std::vector<ZoneLoss>& losses, const SimulateFlags& flags) {
  if (flags.output == SimulateOutput::kJson) return Json(losses, flags.evacuate);
  std::string out = Summary(losses, flags.evacuate);
  for (const ZoneLoss& loss : losses) out += Detail(loss, flags);
  out += "\nHOW PODS ARE PLACED HERE\n" + Wrapped(zones::kPlacementApproximation, 100);
  return out;
}

int SimulationExitCode(const std::vector<ZoneLoss>& losses) {
  int code = 0;
  for (const ZoneLoss& loss : losses) {
    if (loss.verdict == zones::Verdict::kNotSurvived) return 2;
    if (loss.verdict == zones::Verdict::kUnknown) code = 3;
  }
  return code;
}

base::Result<std::vector<ZoneLoss>> SimulateZoneLoss(const config::Config& config,
                                                     const ObserverDeps& deps,
                                                     const SimulateFlags& flags) {
  AZX_ASSIGN_OR_RETURN(const std::unique_ptr<Observer> observer, Observer::Create(config, deps));
  observer->AskOnce({});
  const zones::ZoneReport report = observer->MakeRound(deps.clock.NowMs()).report;
  for (const auto& [what, source] :
       {std::pair("nodes", &report.nodes), std::pair("pods", &report.pods)}) {
    if (source->known) continue;
    return base::Fail(base::ErrorCode::kUnavailable,
                      fmt::format("{} could not be asked: {}", what, source->error));
  }
  return LossesAsked(report, flags);
}

}  // namespace azexporter::app
