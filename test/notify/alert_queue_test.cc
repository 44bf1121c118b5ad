// The bounded queue, alone.

#include "alert_queue.h"

#include <gtest/gtest.h>

#include <thread>

namespace azexporter::notify {
namespace {

std::vector<Alert> Numbered(int first, int last) {
  std::vector<Alert> alerts;
  for (int i = first; i <= last; ++i) {
    alerts.push_back({.labels = model::Labels::Of({{"n", std::to_string(i)}})});
  }
  return alerts;
}

// "1 2 3"
std::string Told(const std::vector<Alert>& alerts) {
  std::string text;
  for (const Alert& alert : alerts) {
    text += (text.empty() ? "" : " ") + std::string(alert.labels.Get("n"));
  }
  return text;
}

struct Case {
  std::string_view name;
  std::vector<std::pair<int, int>> added;  // ranges of numbers, one Add each
  std::pair<int, int> put_back;            // {1, 0}: nothing
  std::size_t dropped;
  std::string_view left;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class AlertQueueTest : public testing::TestWithParam<Case> {};

TEST_P(AlertQueueTest, KeepsTheNewest) {
  const Case& c = GetParam();
  AlertQueue queue(5);
  std::size_t dropped = 0;
  for (const auto& [first, last] : c.added) dropped += queue.Add(Numbered(first, last));
  dropped += queue.PutBack(Numbered(c.put_back.first, c.put_back.second));
  EXPECT_EQ(dropped, c.dropped);
  EXPECT_EQ(Told(queue.Take(100, {})), c.left);
  EXPECT_EQ(queue.size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, AlertQueueTest,
    testing::Values(Case{"JustFull", {{1, 3}, {4, 5}}, {1, 0}, 0, "1 2 3 4 5"},
                    Case{"TheOldestGoes", {{1, 3}, {4, 7}}, {1, 0}, 2, "3 4 5 6 7"},
                    Case{"MoreAtOnceThanFits", {{1, 2}, {3, 10}}, {1, 0}, 5, "6 7 8 9 10"},
                    Case{"PutBackGoesToTheFront", {{3, 4}}, {1, 2}, 0, "1 2 3 4"},
                    Case{"PutBackAsFarAsThereIsRoom", {{4, 7}}, {1, 3}, 2, "3 4 5 6 7"}),
    [](const auto& of) { return std::string(of.param.name); });

TEST(AlertQueueTakeTest, TakesTheOldestFirstInBatches) {
  AlertQueue queue(10);
  queue.Add(Numbered(1, 5));
  EXPECT_EQ(Told(queue.Take(2, {})), "1 2");
  EXPECT_EQ(Told(queue.Take(2, {})), "3 4");
  EXPECT_EQ(Told(queue.Take(2, {})), "5");
}

// "1@5 2@0": the alerts with their ends.
std::string ToldWithEnds(const std::vector<Alert>& alerts) {
  std::string text;
  for (const Alert& alert : alerts) {
    text += (text.empty() ? "" : " ") + std::string(alert.labels.Get("n")) + "@" +
            std::to_string(alert.ends_at);
  }
  return text;
}

std::vector<Alert> EndingAt(std::vector<Alert> alerts, model::TimestampMs end) {
  for (Alert& alert : alerts) alert.ends_at = end;
  return alerts;
}

TEST(AlertQueueTakeTest, ARepetitionTakesThePlaceOfWhatWaits) {
  AlertQueue queue(3);
  EXPECT_EQ(queue.Add(Numbered(1, 3)), 0U);
  EXPECT_EQ(queue.Add(EndingAt(Numbered(1, 2), 5)), 0U);
  EXPECT_EQ(queue.Add(EndingAt(Numbered(2, 2), 7)), 0U);
  EXPECT_EQ(queue.size(), 3U);
  EXPECT_EQ(queue.Add(Numbered(4, 4)), 1U);
  EXPECT_EQ(ToldWithEnds(queue.Take(10, {})), "2@7 3@0 4@0");
  queue.Add(Numbered(2, 2));  // none of it waits any more
  EXPECT_EQ(ToldWithEnds(queue.Take(10, {})), "2@0");
}

TEST(AlertQueueTakeTest, WhatIsPutBackGivesWayToWhatIsNewer) {
  AlertQueue queue(3);
  queue.Add(EndingAt(Numbered(2, 2), 5));
  EXPECT_EQ(queue.PutBack(Numbered(1, 3)), 0U);
  EXPECT_EQ(ToldWithEnds(queue.Take(10, {})), "1@0 3@0 2@5");
}

TEST(AlertQueueTakeTest, WaitsForAnAlertAStopOrTheEnd) {
  AlertQueue queue(10);
  std::string got;
  {
    std::jthread taker([&] { got = Told(queue.Take(10, {})); });
    queue.Add(Numbered(1, 1));
  }
  EXPECT_EQ(got, "1");
  std::jthread stopped([&](std::stop_token stop) { got = Told(queue.Take(10, stop)); });
  stopped.request_stop();
  stopped.join();
  EXPECT_EQ(got, "");
  queue.Add(Numbered(2, 3));
  queue.Close();
  EXPECT_EQ(queue.Add(Numbered(4, 4)), 0U);
  EXPECT_EQ(Told(queue.Take(10, {})), "2 3");
  EXPECT_EQ(Told(queue.Take(10, {})), "");
}

}  // namespace
}  // namespace azexporter::notify
