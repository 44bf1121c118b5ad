// Objects in protobuf are what they are in JSON.

#include <gtest/gtest.h>

#include "azexporter/base/file.h"
#include "kube/decode.h"
#include "kube/wire_value.h"
#include "support/paths.h"

namespace azexporter::kube {
namespace {

std::string Recording(const std::string& name) {
  auto text = base::ReadFile(test::RecordingsFolder() + "/" + name);
  EXPECT_TRUE(text) << text.error().message();
  return text ? *text : std::string();
}

template <class T>
DecodedList<T> Decoded(const std::string& recording, Encoding encoding) {
  std::string body = Recording(recording);
  auto list = Decoder().List<T>(body, encoding);
  EXPECT_TRUE(list) << list.error().message();
  if (!list) return {};
  EXPECT_TRUE(list->item_errors.empty()) << list->item_errors[0];
  return std::move(*list);
}

// Recorded a moment apart, so that a node may have been heard of in between.
TEST(WireRecordingTest, NodesAreWhatTheyAreInJson) {
  AZX_SKIP_WITHOUT(test::RecordingsFolder());
  const auto json = Decoded<Node>("nodes.list.json", Encoding::kJson);
  const auto wire = Decoded<Node>("nodes.list.pb", Encoding::kProtobuf);
  ASSERT_EQ(wire.items.size(), 15u);
  EXPECT_FALSE(wire.resource_version.empty());
  ASSERT_EQ(json.items.size(), wire.items.size());
  for (std::size_t i = 0; i < wire.items.size(); ++i) {
    EXPECT_EQ(*json.items[i], *wire.items[i]) << json.items[i]->meta.name;
  }
}

TEST(WireRecordingTest, PodsAreWhatTheyAreInJson) {
  AZX_SKIP_WITHOUT(test::RecordingsFolder());
  const auto json = Decoded<Pod>("pods.list.json", Encoding::kJson);
  const auto wire = Decoded<Pod>("pods.list.pb", Encoding::kProtobuf);
  ASSERT_EQ(json.items.size(), wire.items.size());
  for (std::size_t i = 0; i < wire.items.size(); ++i) {
    Pod expected = *json.items[i];
    Pod pod = *wire.items[i];
    EXPECT_EQ(*expected.spec, *pod.spec) << pod.meta.name;
    pod.spec = expected.spec;
    EXPECT_EQ(expected, pod) << pod.meta.name;
  }
}

}  // namespace
}  // namespace azexporter::kube
