// The scenario language: what it reads, what it refuses and where; and that every shipped scenario
// can be read.

#include "scenario.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "azexporter/base/file.h"
#include "commands.h"

namespace azexporter::platform {
namespace {

TEST(CommandTest, EveryFormIsReadWithItsArguments) {
  for (const CommandForm& form : CommandForms()) {
    const auto command = ParseCommand(form.pattern);
    ASSERT_TRUE(command) << form.pattern;
    EXPECT_EQ(command->verb, form.verb) << form.pattern;
  }
  const auto scale = ParseCommand("  scale deployment\tshop 3 ");
  ASSERT_TRUE(scale);
  EXPECT_EQ(scale->arguments, (std::vector<std::string>{"deployment", "shop", "3"}));
  const auto fault = ParseCommand("fault list pods status 429 times 3");
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->arguments, std::vector<std::string>{"list pods status 429 times 3"});
}

TEST(CommandTest, WhatIsNoCommandIsAnsweredWithThoseThatAre) {
  for (const char* line : {"", "fault", "zone", "zone a", "zone a down now", "zone a latency",
                           "api reboot", "ZONE a down"}) {
    EXPECT_FALSE(ParseCommand(line)) << line;
  }
  EXPECT_EQ(ParseCommand("api reboot").error().message(),
            "no command \"api reboot\"; known: api restart, api checkpoint, api restore, api "
            "compact, api close-watches");
}

TEST(ScenarioTest, ReadsStagesAndSteps) {
  const auto scenario = ParseScenario(
      "# One thing.\n# And another.\n\n"
      "stage first: it begins\n"
      "zone us-east-1a down   \n"
      "wait 1m30s\n"
      "# a remark\n"
      "say well: then\n"
      "stage second:\n"
      "await Lag{db=\"a, b\", zone=\"c\"} gone within 2m\n"
      "await Lag pending\n",
      "s");
  ASSERT_TRUE(scenario) << scenario.error().message();
  EXPECT_EQ(scenario->about, "One thing.\nAnd another.\n");
  ASSERT_EQ(scenario->stages.size(), 2u);
  const Stage& first = scenario->stages[0];
  EXPECT_EQ(first.name, "first");
  EXPECT_EQ(first.text, "it begins");
  ASSERT_EQ(first.steps.size(), 3u);
  EXPECT_EQ(first.steps[0].text, "zone us-east-1a down");
  EXPECT_EQ(first.steps[0].line, 5);
  EXPECT_EQ(first.steps[1].ms, 90'000);
  EXPECT_EQ(first.steps[2].text, "well: then");
  const Stage& second = scenario->stages[1];
  ASSERT_EQ(second.steps.size(), 2u);
  EXPECT_EQ(second.steps[0].alert.name, "Lag");
  EXPECT_EQ(second.steps[0].alert.labels,
            (std::vector<std::pair<std::string, std::string>>{{"db", "a, b"}, {"zone", "c"}}));
  EXPECT_EQ(second.steps[0].state, AwaitedState::kGone);
  EXPECT_EQ(second.steps[0].ms, 120'000);
  EXPECT_EQ(second.steps[1].state, AwaitedState::kPending);
  EXPECT_EQ(second.steps[1].ms, 60'000);
}

TEST(ScenarioTest, SaysWhereItIsWrong) {
  struct Case {
    const char* text;
    const char* error;
  };
  const Case cases[] = {
      {"", "s: no stage"},
      {"zone us-east-1a down\n", "s:1: a scenario begins with a stage"},
      {"stage a\n", "s:1: a stage is \"stage NAME: TEXT\""},
      {"stage a: b\nwait soon\n", "s:2: not a valid duration string: \"soon\""},
      {"stage a: b\nawait X\n", "s:2: await X: pending, firing or gone, not \"\""},
      {"stage a: b\nawait X burning\n", "s:2: await X: pending, firing or gone, not \"burning\""},
      {"stage a: b\nawait X{a=\"b\" firing\n", "s:2: await: no } after the labels"},
      {"stage a: b\nawait X{a=b} firing\n", "s:2: await: labels are LABEL=\"VALUE\", ..."},
      {"stage a: b\nawait X firing until 2m\n", "s:2: empty duration string"},
      {"stage a: b\n\ndance\n",
       "s:3: no command \"dance\"; known: zone, node, scale, pod, database, fault, api ..."},
  };
  for (const Case& c : cases) {
    const auto scenario = ParseScenario(c.text, "s");
    ASSERT_FALSE(scenario) << c.text;
    EXPECT_EQ(scenario.error().message(), c.error) << c.text;
  }
}

TEST(ScenarioTest, EveryShippedScenarioCanBeRead) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(AZX_SOURCE_DIR) +
                                                               "/deploy/demo/scenarios")) {
    const auto text = base::ReadFile(entry.path());
    ASSERT_TRUE(text);
    const auto scenario = ParseScenario(*text, entry.path().filename());
    EXPECT_TRUE(scenario) << scenario.error().message();
    EXPECT_FALSE(scenario->about.empty()) << entry.path();
    ++count;
  }
  EXPECT_EQ(count, 7);
}

TEST(PlayerTest, ACommandThatIsRefusedNamesItsLine) {
  const base::SystemClock clock;
  std::vector<std::string> lines;
  Player player({.control_url = "http://127.0.0.1:1/_platform",
                 .print = [&](const std::string& line) { lines.push_back(line); }},
                clock);
  const auto played = player.Play(*ParseScenario("stage a: b\nzone x down\n", "s"));
  ASSERT_FALSE(played);
  EXPECT_TRUE(played.error().message().starts_with("s:2: POST http://127.0.0.1:1/_platform/do: "))
      << played.error().message();
  EXPECT_EQ(lines.size(), 2u);
  EXPECT_EQ(player.Play(*ParseScenario("stage a: b\nawait X firing\n", "s")).error().message(),
            "s:2: await: no azexporter to ask");
}

}  // namespace
}  // namespace azexporter::platform
