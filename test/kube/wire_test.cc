// Objects in protobuf are what they are in JSON.

#include <gtest/gtest.h>

#include "kube/decode.h"
#include "kube/recording.h"
#include "kube/wire_value.h"
#include "simulator/wire_answer.h"

namespace azexporter::kube {
namespace {

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

// The numbers of all other messages stand in one table (their source: generated.proto): what is
// written by it is read by the same decoders, whichever encoding a value came in.
template <class T>
void ExpectAlike(const std::string& text) {
  std::string copy = text;
  auto list = Decoder().List<T>(copy, Encoding::kJson);
  ASSERT_TRUE(list) << list.error().message();
  const DecodedList<T>& json = *list;
  auto object = simulator::ParseJson(text);
  ASSERT_TRUE(object);
  std::string body = simulator::EncodeWireBody(*object);
  ASSERT_FALSE(body.empty());
  auto wire = Decoder().List<T>(body, Encoding::kProtobuf);
  ASSERT_TRUE(wire) << wire.error().message();
  EXPECT_TRUE(wire->item_errors.empty());
  EXPECT_EQ(wire->resource_version, json.resource_version);
  ASSERT_FALSE(json.items.empty());
  ASSERT_EQ(json.items.size(), wire->items.size());
  for (std::size_t i = 0; i < json.items.size(); ++i) {
    if constexpr (std::is_base_of_v<Workload, T>) {
      T expected = *json.items[i];
      EXPECT_EQ(*expected.template_spec, *wire->items[i]->template_spec) << expected.meta.name;
      expected.template_spec = wire->items[i]->template_spec;
      EXPECT_EQ(expected, *wire->items[i]) << expected.meta.name;
    } else {
      EXPECT_EQ(*json.items[i], *wire->items[i]) << json.items[i]->meta.name;
    }
  }
}

TEST(WireRecordingTest, EveryOtherResourceIsWhatItIsInJson) {
  AZX_SKIP_WITHOUT(test::RecordingsFolder());
  ExpectAlike<Deployment>(Recording("deployments.list.json"));
  ExpectAlike<ReplicaSet>(Recording("replicasets.list.json"));
  ExpectAlike<StatefulSet>(Recording("statefulsets.list.json"));
  ExpectAlike<PodDisruptionBudget>(Recording("pdbs.list.json"));
  ExpectAlike<PersistentVolume>(Recording("pvs.list.json"));
  ExpectAlike<PersistentVolumeClaim>(Recording("pvcs.list.json"));
  ExpectAlike<StorageClass>(Recording("storageclasses.list.json"));
  ExpectAlike<Service>(Recording("services.list.json"));
  ExpectAlike<EndpointSlice>(Recording("endpointslices.list.json"));
}

// Of which none was recorded.
TEST(WireTest, LeasesDaemonSetsJobsAndConfigMapsAreWhatTheyAreInJson) {
  ExpectAlike<NodeLease>(
      R"({"kind":"LeaseList","apiVersion":"coordination.k8s.io/v1","metadata":{},"items":[
    {"metadata":{"name":"n1","namespace":"kube-node-lease"},
     "spec":{"holderIdentity":"n1","leaseDurationSeconds":40,"leaseTransitions":1,
             "renewTime":"2026-11-26T11:00:00.123456Z"}},
    {"metadata":{"name":"n2","namespace":"kube-node-lease"}}]})");
  ExpectAlike<DaemonSet>(R"({"kind":"DaemonSetList","apiVersion":"apps/v1","metadata":{},"items":[
    {"metadata":{"name":"d","namespace":"n"},"spec":{"selector":{"matchLabels":{"app":"d"}},
     "template":{"metadata":{"labels":{"app":"d"}},"spec":{"hostNetwork":true,
       "containers":[{"ports":[{"hostPort":9100}]}],
       "initContainers":[{"restartPolicy":"Always","resources":{"requests":{"cpu":"1"}}}]}}},
     "status":{"desiredNumberScheduled":3,"numberReady":2}}]})");
  ExpectAlike<Job>(R"({"kind":"JobList","apiVersion":"batch/v1","metadata":{},"items":[
    {"metadata":{"name":"j","namespace":"n"},"spec":{"parallelism":4},
     "status":{"ready":1,"conditions":[{"type":"Complete","status":"True"}]}}]})");
  ExpectAlike<ConfigMap>(R"({"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":[
    {"metadata":{"name":"c","namespace":"n"},"data":{"zones.yaml":"zones: {}\n"}}]})");
}

TEST(WireTest, WhatIsCutShortIsAnError) {
  // A list of one pod, without its last byte.
  const simulator::Json list = {{"kind", "PodList"},
                                {"apiVersion", "v1"},
                                {"metadata", {{"resourceVersion", "7"}}},
                                {"items", {{{"metadata", {{"name", "a"}, {"namespace", "n"}}}}}}};
  std::string body = simulator::EncodeWireBody(list);
  ASSERT_TRUE(Decoder().List<Pod>(body, Encoding::kProtobuf));
  // The envelope ends with two empty fields of two bytes.
  body.resize(body.size() - 5);
  const auto cut = Decoder().List<Pod>(body, Encoding::kProtobuf);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().message(), "protobuf cut short");
  std::string text = "not protobuf";
  EXPECT_EQ(Decoder().List<Pod>(text, Encoding::kProtobuf).error().message(),
            "not a Kubernetes object in protobuf");
}

TEST(WireTest, ARefusalInProtobufIsUnderstood) {
  const simulator::Json status = {
      {"kind", "Status"}, {"apiVersion", "v1"}, {"message", "pods is forbidden"}, {"code", 403}};
  EXPECT_EQ(StatusMessage(simulator::EncodeWireBody(status), Encoding::kProtobuf),
            "pods is forbidden");
  EXPECT_EQ(StatusMessage("garbage", Encoding::kProtobuf), "");
}

}  // namespace
}  // namespace azexporter::kube
