#include "azexporter/zones/zone_report.h"

#include <algorithm>

#include "azexporter/base/count_text.h"
#include "azexporter/base/time_text.h"
#include "azexporter/base/yaml.h"

namespace azexporter::zones {
namespace {

using base::Fail;
using base::Result;

Result<std::optional<int>> OptionalCount(base::YamlMap& map, std::string_view key) {
  const base::YamlNode* node = map.Find(key);
  if (node == nullptr) return std::optional<int>();
  AZX_ASSIGN_OR_RETURN(const std::int64_t value, node->AsInt64());
  constexpr std::int64_t kMost = 1'000'000;
  if (value < 0 || value > kMost) {
    return Fail(node->ErrorHere(std::string(key) + " must be between 0 and 1000000"));
  }
  return std::optional<int>(static_cast<int>(value));
}

// The documented ConfigMap writes the endpoint as a placeholder in brackets, which YAML reads as a
// list: such a value is kept as its text, to be reported as "not a URL".
std::string EndpointText(const base::YamlNode& node) {
  if (node.kind() != base::YamlNode::Kind::kSequence) return node.scalar();
  std::string text = "[";
  for (const base::YamlNode& item : node.items()) {
    text += (text.size() > 1 ? ", " : "") + item.scalar();
  }
  return text + "]";
}

Result<ExpectedZone> ParseExpectedZone(const base::YamlNode& node) {
  AZX_ASSIGN_OR_RETURN(base::YamlMap map, base::YamlMap::Of(node));
  ExpectedZone zone;
  AZX_ASSIGN_OR_RETURN(zone.nodes, OptionalCount(map, "nodes"));
  AZX_ASSIGN_OR_RETURN(zone.expected_pods, OptionalCount(map, "expected_pods"));
  if (const base::YamlNode* endpoint = map.Find("health_endpoint")) {
    zone.health_endpoint = EndpointText(*endpoint);
  }
  if (const base::YamlNode* until = map.Find("maintenance_until")) {
    const auto time = base::ParseTimeMs(until->scalar());
    if (!time) {
      return Fail(until->ErrorHere("maintenance_until must be a time like 2026-11-22T07:00:00Z"));
    }
    zone.maintenance_until_ms = *time;
  }
  AZX_RETURN_IF_ERROR(map.CheckAllRead());
  return zone;
}

}  // namespace

Result<ExpectedZones> ParseExpectedZones(std::string_view yaml, const std::string& file) {
  AZX_ASSIGN_OR_RETURN(base::YamlNode root, base::YamlNode::Parse(yaml, file));
  AZX_ASSIGN_OR_RETURN(base::YamlMap map, base::YamlMap::Of(root));
  AZX_ASSIGN_OR_RETURN(const base::YamlNode* zones, map.Require("zones"));
  AZX_RETURN_IF_ERROR(map.CheckAllRead());
  return DecodeExpectedZones(*zones);
}

Result<ExpectedZones> DecodeExpectedZones(const base::YamlNode& zones) {
  if (!zones.is_map()) return Fail(zones.ErrorHere("expected a map of zones"));
  ExpectedZones expected;
  for (const auto& [name, value] : zones.entries()) {
    AZX_ASSIGN_OR_RETURN(expected[name.scalar()], ParseExpectedZone(value));
  }
  return expected;
}

std::string_view ZoneStateName(ZoneState state) {
  switch (state) {
    case ZoneState::kNormal:
      return "normal";
    case ZoneState::kPartialDisruption:
      return "partial_disruption";
    case ZoneState::kFullDisruption:
      return "full_disruption";
    case ZoneState::kEvacuated:
      return "evacuated";
    case ZoneState::kMissing:
      return "missing";
    case ZoneState::kUnknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view EndpointHealthName(EndpointHealth health) {
  switch (health) {
    case EndpointHealth::kNone:
      return "none";
    case EndpointHealth::kNotAUrl:
      return "not_a_url";
    case EndpointHealth::kNotProbed:
      return "not_probed";
    case EndpointHealth::kUp:
      return "up";
    case EndpointHealth::kDown:
      return "down";
  }
  return "none";
}

std::string OnlyWatchedText(const std::set<std::string>& namespaces) {
  const bool one = namespaces.size() == 1;
  return std::string("only namespace") + (one ? " " : "s ") +
         base::SomeText({namespaces.begin(), namespaces.end()}) + (one ? " is" : " are") +
         " watched";
}

std::vector<std::string> EmptyNamespaces(const ZoneReport& report) {
  std::vector<std::string> empty;
  if (!report.nodes.known || !report.pods.known) return empty;
  for (const std::string& ns : report.watched_namespaces) {
    const bool found = std::any_of(report.namespaces.begin(), report.namespaces.end(),
                                   [&](const auto& seen) { return seen->ns == ns; });
    if (!found) empty.push_back(ns);
  }
  return empty;
}

const ZoneStatus* ZoneReport::Find(std::string_view zone) const {
  for (const ZoneStatus& status : zones) {
    if (status.zone == zone) return &status;
  }
  return nullptr;
}

}  // namespace azexporter::zones
