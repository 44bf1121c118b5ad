#include "azexporter/app/simulate_command.h"

#include <gtest/gtest.h>

namespace azexporter::app {
namespace {

zones::ZoneReport ReportOf(zones::Verdict verdict) {
  zones::ZoneReport report;
  zones::Placement placement;
  placement.zone = "a";
  placement.lost_nodes = 2;
  placement.receiving_nodes = 4;
  placement.displaced = 5;
  placement.placed = 3;
  const zones::UnplacedInNamespace::Rows rows = {std::make_shared<const zones::UnplacedPods>(
      zones::UnplacedPods{{"shop", "Deployment", "web"},
                          zones::PlacementReason::kInsufficientCpu,
                          "cpu",
                          "needs 1500m on one node",
                          2})};
  placement.unplaced.push_back(std::make_shared<const zones::UnplacedInNamespace>(rows));
  placement.after.free = {2500, std::int64_t{3} << 30, 7, {}};
  report.losses.push_back({.zone = "a",
                           .verdict = verdict,
                           .findings = {{zones::LossReason::kAtZero, true, "shop", "Deployment web",
                                         "its only ready pod is there"}},
                           .placement = std::make_shared<const zones::Placement>(placement)});
  report.losses.push_back(
      {.zone = "b", .verdict = zones::Verdict::kUnknown, .not_known = {"disruption budgets"}});
  report.evacuations.push_back({.zone = "a",
                                .verdict = zones::Verdict::kNotSurvived,
                                .findings = {{zones::LossReason::kUnplaceable, true, "",
                                              "placement", "2 pods would find no other node"}}});
  return report;
}

TEST(SimulateTest, TellsVerdictBlockersAndPlaces) {
  const auto losses = LossesAsked(ReportOf(zones::Verdict::kNotSurvived), {});
  ASSERT_TRUE(losses);
  const std::string text = FormatSimulation(*losses, {});
  for (const char* part :
       {"ZONE  IF LOST NOW   BLOCKERS  DISPLACED  UNPLACED  CPU LEFT  MEMORY LEFT\n"
        "a     not survived  1         5          2         2.5       3.0 GiB\n"
        "b     not known     0         -          -         -         -\n",
        "  at_zero               Deployment shop/web: its only ready pod is there\n",
        "  5 on 2 nodes have to move: 3 find a place on the 4 nodes that are left, 2 do not\n",
        "  2     Deployment shop/web  insufficient_cpu  needs 1500m on one node\n",
        "NOT KNOWN  disruption budgets\n", "HOW PODS ARE PLACED HERE\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
  }
}

TEST(SimulateTest, AnEvacuationTellsWhyItIsNotWhole) {
  const SimulateFlags flags{.zone = "a", .evacuate = true};
  const auto losses = LossesAsked(ReportOf(zones::Verdict::kSurvived), flags);
  ASSERT_TRUE(losses);
  EXPECT_NE(FormatSimulation(*losses, flags).find("a     pods without a place"), std::string::npos)
      << FormatSimulation(*losses, flags);
}

TEST(SimulateTest, NamesTheZonesThereAre) {
  const auto losses = LossesAsked(ReportOf(zones::Verdict::kSurvived), {.zone = "x"});
  ASSERT_FALSE(losses);
  EXPECT_EQ(losses.error().message(), "there is no zone \"x\"; there are: a, b");
}

TEST(SimulateTest, WithoutAZoneThereIsNothingToLose) {
  const auto losses = LossesAsked({}, {});
  ASSERT_FALSE(losses);
  EXPECT_EQ(losses.error().message(),
            "no zone is known: no node carries a zone label, none is expected");
}

TEST(SimulateTest, ExitCodesFollowTheVerdict) {
  const auto code = [](std::initializer_list<zones::Verdict> verdicts) {
    std::vector<zones::ZoneLoss> losses;
    for (const zones::Verdict verdict : verdicts)
      losses.push_back({.zone = "", .verdict = verdict});
    return SimulationExitCode(losses);
  };
  using zones::Verdict;
  EXPECT_EQ(code({Verdict::kSurvived, Verdict::kLostAlready}), 0);
  EXPECT_EQ(code({Verdict::kUnknown, Verdict::kNotSurvived}), 2);
  EXPECT_EQ(code({Verdict::kSurvived, Verdict::kUnknown}), 3);
}

TEST(SimulateTest, JsonCarriesTheRows) {
  const SimulateFlags flags{.zone = "a", .output = SimulateOutput::kJson};
  const std::string text =
      FormatSimulation(*LossesAsked(ReportOf(zones::Verdict::kSurvived), flags), flags);
  for (const char* part :
       {R"("kind":"failure")", R"("verdict":"survived")",
        R"("reason":"insufficient_cpu","detail":"needs 1500m on one node","pods":2)",
        R"("free_after":{"cpu":2.5,"memory":3221225472,"pods":7})"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << text;
  }
}

}  // namespace
}  // namespace azexporter::app
