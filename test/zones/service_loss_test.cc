// What a zone's loss does to the Services whose endpoints are all in it.

#include <gtest/gtest.h>

#include "azexporter/zones/zone_loss.h"
#include "cluster_parts.h"
#include "reports.h"

namespace azexporter::zones {
namespace {

using test::ClusterParts;

// A database with a pod in each of the zones a and b, and the Service of its primary, in a.
ClusterParts PrimaryInA() {
  ClusterParts parts;
  for (const char* zone : {"a", "b"}) {
    parts.ZoneNode(zone + std::string("1"), zone)
        .conditions.push_back({"Ready", kube::ConditionStatus::kTrue});
    parts.Pod(std::string("orders-") + zone, zone + std::string("1"), {{"app", "orders"}})
        .owners = {{"Cluster", "orders", true}};
  }
  auto& service = ClusterParts::Named(parts.services, "orders-rw");
  service.type = "ClusterIP";
  service.selector = {{"role", "primary"}};
  auto& slice = ClusterParts::Named(parts.endpoint_slices, "orders-rw-1");
  slice.service = "orders-rw";
  slice.address_type = "IPv4";
  auto& endpoint = slice.endpoints.emplace_back();
  endpoint.target_pod = "orders-a";
  endpoint.zone = "a";
  return parts;
}

// "blocker Service orders-rw: ...", of the loss of a and of Services alone.
std::string Told(const ClusterParts& parts) {
  const kube::ClusterState cluster = parts.Build();
  std::string text;
  for (const NamespaceReport& report : NamespaceReportsOf(cluster)) {
    const auto found = report.losses.find("a");
    if (found == report.losses.end()) continue;
    for (const LossFinding& finding : found->second) {
      if (finding.reason != LossReason::kService) continue;
      text += (finding.blocker ? "blocker " : "note ") + finding.object + ": " + finding.text;
    }
  }
  return text;
}

TEST(ServiceLossTest, AnotherPodMayTakeOver) {
  EXPECT_EQ(
      Told(PrimaryInA()),
      "note Service orders-rw: 1 ready endpoint there, none elsewhere; another pod of Cluster "
      "orders would have to take over");
}

TEST(ServiceLossTest, NobodyCanTakeOverWhereNoPodIsReadyElsewhere) {
  constexpr char kBlocked[] = "blocker Service orders-rw: 1 ready endpoint there, none elsewhere";
  ClusterParts parts = PrimaryInA();
  parts.pods[1].ready = kube::ConditionStatus::kFalse;
  EXPECT_EQ(Told(parts), kBlocked);

  parts = PrimaryInA();
  parts.pods[1].owners = {{"Cluster", "others", true}};
  EXPECT_EQ(Told(parts), kBlocked);

  parts = PrimaryInA();
  parts.pods[0].owners.clear();
  EXPECT_EQ(Told(parts), kBlocked);
}

}  // namespace
}  // namespace azexporter::zones
