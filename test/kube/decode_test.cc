#include "kube/decode.h"

#include <gtest/gtest.h>

#include "azexporter/kube/cluster.h"
#include "kube/recording.h"

namespace azexporter::kube {
namespace {

template <class T>
base::Result<DecodedList<T>> DecodeList(std::string& body) {
  return Decoder().List<T>(body, Encoding::kJson);
}

template <class T>
base::Result<DecodedEvent<T>> DecodeEvent(std::string& line) {
  return Decoder().Event<T>(line, Encoding::kJson);
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

TEST(DecodeRecordingTest, ReadsNodes) {
  AZX_SKIP_WITHOUT(test::RecordingsFolder());
  std::string body = Recording("nodes.list.json");
  auto list = DecodeList<Node>(body);
  ASSERT_TRUE(list) << list.error().message();
  EXPECT_TRUE(list->item_errors.empty());
  ASSERT_EQ(list->items.size(), 15u);
  EXPECT_FALSE(list->resource_version.empty());
  std::map<std::string, int> ready_by_zone;
  for (const auto& node : list->items) {
    if (node->ready() == ConditionStatus::kTrue) ++ready_by_zone[std::string(node->zone())];
  }
  EXPECT_EQ(ready_by_zone.size(), 3u);
  EXPECT_EQ(ready_by_zone["us-east-1a"], 5);
}

TEST(DecodeRecordingTest, ReadsPodsAndPagesAlike) {
  AZX_SKIP_WITHOUT(test::RecordingsFolder());
  std::string body = Recording("pods.list.json");
  auto whole = DecodeList<Pod>(body);
  ASSERT_TRUE(whole) << whole.error().message();
  EXPECT_EQ(whole->items.size(), 47u);
  for (const auto& pod : whole->items) {
    EXPECT_FALSE(pod->meta.uid.empty());
    EXPECT_FALSE(pod->meta.ns.empty());
  }
  std::string page_body = Recording("pods.page1.json");
  auto page = DecodeList<Pod>(page_body);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->items.size(), 4u);
  EXPECT_FALSE(page->continue_token.empty());
}

TEST(DecodeRecordingTest, FollowsAZoneFailing) {
  AZX_SKIP_WITHOUT(test::RecordingsFolder());
  int bookmarks = 0;
  int not_ready = 0;
  for (std::string& line : Lines(Recording("watch.nodes.natural-zonefail.jsonl"))) {
    auto event = DecodeEvent<Node>(line);
    ASSERT_TRUE(event) << event.error().message();
    EXPECT_FALSE(event->resource_version.empty());
    if (event->type == EventType::kBookmark) ++bookmarks;
    if (event->type == EventType::kModified &&
        event->object->ready() == ConditionStatus::kUnknown) {
      ++not_ready;
      EXPECT_EQ(event->object->zone(), "us-east-1a");
    }
  }
  EXPECT_GT(bookmarks, 0);
  EXPECT_GT(not_ready, 0);
}

TEST(DecodeRecordingTest, SeesThatAVersionIsTooOld) {
  AZX_SKIP_WITHOUT(test::RecordingsFolder());
  auto lines = Lines(Recording("watch.too-old.jsonl"));
  ASSERT_EQ(lines.size(), 1u);
  auto event = DecodeEvent<Pod>(lines[0]);
  ASSERT_TRUE(event) << event.error().message();
  EXPECT_EQ(event->type, EventType::kError);
  EXPECT_EQ(event->error_code, 410);
}

TEST(DecodeRecordingTest, SaysWhatTheServerSaid) {
  AZX_SKIP_WITHOUT(test::RecordingsFolder());
  EXPECT_EQ(StatusMessage(Recording("404-pod.json"), Encoding::kJson), "pods \"nope\" not found");
  EXPECT_EQ(StatusMessage(Recording("404-path.txt"), Encoding::kJson), "404 page not found");
}

TEST(DecodeRecordingTest, ReadsAKubectlList) {
  AZX_SKIP_WITHOUT(test::RecordingsFolder());
  std::vector<std::string> skipped;
  auto state = ReadSnapshot(Recording("kubectl-get-nodes-pods-pdb.json"), "recording", 1, skipped);
  ASSERT_TRUE(state) << state.error().message();
  EXPECT_TRUE(skipped.empty());
  EXPECT_EQ((*state)->nodes().size(), 15u);
  EXPECT_EQ((*state)->pods().size(), 47u);
}

TEST(DecodeListTest, KeepsTheNeighboursOfABrokenObject) {
  std::string body = R"({"kind":"PodList","items":[
      {"metadata":{"name":"a","namespace":"n"},"spec":{"nodeName":"x"}},
      {"metadata":{"name":"b","namespace":"n"},"spec":{"nodeName":7}},
      {"metadata":{"namespace":"n"}},
      {"metadata":{"name":"d","namespace":"n"}}],"metadata":{"resourceVersion":"5"}})";
  auto list = DecodeList<Pod>(body);
  ASSERT_TRUE(list) << list.error().message();
  ASSERT_EQ(list->items.size(), 2u);
  EXPECT_EQ(list->items[1]->meta.name, "d");
  ASSERT_EQ(list->item_errors.size(), 2u);
  EXPECT_NE(list->item_errors[0].find("pods n/b: spec.nodeName"), std::string::npos)
      << list->item_errors[0];
  EXPECT_EQ(list->resource_version, "5");
}

TEST(DecodeListTest, WhatOnlyBeginsLikeNullIsAnErrorOfItsObject) {
  std::string body = R"({"items":[{"metadata":{"name":"a","labels":nul}}],"metadata":{}})";
  auto list = DecodeList<Pod>(body);
  EXPECT_TRUE(!list || list->item_errors.size() == 1u);
}

TEST(DecodeListTest, RefusesWhatIsNoList) {
  for (std::string body : {"", "{", "[]", "{\"kind\":\"Status\"}", "{\"items\":7}", "null"}) {
    EXPECT_FALSE(DecodeList<Pod>(body)) << body;
  }
}

TEST(DecodeEventTest, RefusesWhatIsNoEvent) {
  for (std::string line : {"", "{}", "{\"type\":\"ADDED\"}", "{\"type\":\"ODD\",\"object\":{}}",
                           "{\"type\":\"ADDED\",\"object\":{\"metadata\":{}}}",
                           "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\""}) {
    EXPECT_FALSE(DecodeEvent<Pod>(line)) << line;
  }
}

TEST(ReadSnapshotTest, AnEmptyInputIsAnEmptyCluster) {
  std::vector<std::string> skipped;
  auto state = ReadSnapshot("", "/dev/null", 7, skipped);
  ASSERT_TRUE(state);
  EXPECT_TRUE((*state)->nodes().empty());
  EXPECT_TRUE((*state)->HealthOf("nodes")->synced);
  EXPECT_FALSE(ReadSnapshot("kind: [List", "f", 7, skipped));
}

}  // namespace
}  // namespace azexporter::kube
