#include "commands.h"

#include <optional>

namespace azexporter::platform {

using base::Result;

namespace {

constexpr CommandForm kForms[] = {
    {Verb::kZoneDown, "zone ZONE down", "its kubelets, health endpoint and database fall silent"},
    {Verb::kZoneUp, "zone ZONE up", "they are back; removed nodes are, too"},
    {Verb::kZoneCordon, "zone ZONE cordon", "no new pods on its nodes"},
    {Verb::kZoneUncordon, "zone ZONE uncordon", "ends a cordon and a drain"},
    {Verb::kZoneDrain, "zone ZONE drain", "cordons and evicts its pods, as budgets allow"},
    {Verb::kZoneRemove, "zone ZONE remove", "deletes its nodes"},
    {Verb::kZoneLatency, "zone ZONE latency DURATION", "of its health endpoint"},
    {Verb::kZoneHealth, "zone ZONE health STATE", "its endpoint alone: up or silent"},
    {Verb::kNodeDown, "node NODE down", "its kubelet falls silent"},
    {Verb::kNodeUp, "node NODE up", "it is back"},
    {Verb::kNodeStall, "node NODE stall", "its Lease is renewed no more, it counts as ready still"},
    {Verb::kNodeCordon, "node NODE cordon", "no new pods on it"},
    {Verb::kNodeUncordon, "node NODE uncordon", "ends a cordon and a drain"},
    {Verb::kNodeDrain, "node NODE drain", "cordons and evicts its pods, as budgets allow"},
    {Verb::kNodeDelete, "node NODE delete", "for good"},
    {Verb::kScale, "scale KIND NAME REPLICAS", "a deployment or statefulset, [NAMESPACE/]NAME"},
    {Verb::kPodDelete, "pod POD delete", "[NAMESPACE/]POD; its controller makes another"},
    {Verb::kPodMove, "pod POD move NODE", "its controller's next one goes there"},
    {Verb::kDatabaseStop, "database INSTANCE stop", "as pg_ctl stop; a Redis node as a crash"},
    {Verb::kDatabaseStart, "database INSTANCE start", "on its data, as what it was"},
    {Verb::kDatabasePromote, "database INSTANCE promote", "the standby becomes primary"},
    {Verb::kDatabaseRejoin, "database INSTANCE rejoin", "a fresh standby of the primary"},
    {Verb::kDatabasePause, "database INSTANCE pause", "replay stands still, the stream goes on"},
    {Verb::kDatabaseResume, "database INSTANCE resume", "replay goes on"},
    {Verb::kDatabaseCut, "database INSTANCE cut", "its stream carries nothing any more"},
    {Verb::kDatabaseJoin, "database INSTANCE join", "and carries again"},
    {Verb::kFaultClear, "fault clear", "ends all faults of the API server"},
    {Verb::kFault, "fault ...", "of the API server, see simulator/faults.h"},
    {Verb::kApiRestart, "api restart", "every connection is cut"},
    {Verb::kApiCheckpoint, "api checkpoint", "remembers all objects and versions"},
    {Verb::kApiRestore, "api restore", "a restart with those, as etcd from a backup"},
    {Verb::kApiCompact, "api compact", "forgets old versions: watches from there get 410"},
    {Verb::kApiCloseWatches, "api close-watches", "ends them properly"},
};

std::string_view NextWord(std::string_view& rest) {
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
  const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

bool IsArgument(std::string_view word) { return word.front() >= 'A' && word.front() <= 'Z'; }

// The arguments when the line has this form.
std::optional<std::vector<std::string>> Match(std::string_view pattern, std::string_view line) {
  std::vector<std::string> arguments;
  for (std::string_view form = NextWord(pattern); !form.empty(); form = NextWord(pattern)) {
    if (form == "...") {
      const std::size_t begin = line.find_first_not_of(" \t");
      if (begin == std::string_view::npos) return std::nullopt;
      arguments.emplace_back(line.substr(begin));
      return arguments;
    }
    const std::string_view word = NextWord(line);
    if (word.empty()) return std::nullopt;
    if (IsArgument(form)) {
      arguments.emplace_back(word);
    } else if (word != form) {
      return std::nullopt;
    }
  }
  if (!NextWord(line).empty()) return std::nullopt;
  return arguments;
}

}  // namespace

std::span<const CommandForm> CommandForms() { return kForms; }

Result<Command> ParseCommand(std::string_view line) {
  for (const CommandForm& form : kForms) {
    if (auto arguments = Match(form.pattern, line)) {
      return Command{form.verb, std::move(*arguments)};
    }
  }
  std::string_view rest = line;
  const std::string_view first = NextWord(rest);
  std::string known;
  for (const CommandForm& form : kForms) {
    std::string_view pattern = form.pattern;
    if (NextWord(pattern) != first) continue;
    known += (known.empty() ? "" : ", ") + std::string(form.pattern);
  }
  if (known.empty()) known = "zone, node, scale, pod, database, fault, api ...";
  return base::BadData("no command \"" + std::string(line) + "\"; known: " + known);
}

}  // namespace azexporter::platform
