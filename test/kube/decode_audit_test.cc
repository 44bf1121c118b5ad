// What the policy audit reads of objects, in both encodings.

#include <gtest/gtest.h>

#include "kube/decode.h"
#include "simulator/wire_answer.h"

namespace azexporter::kube {
namespace {

class DecodeAuditTest : public testing::TestWithParam<Encoding> {
 protected:
  // The one object of a list.
  template <class T>
  T One(const std::string& object) {
    std::string body = R"({"kind":")" + std::string(ResourceOf<T>::kKind) +
                       R"(List","apiVersion":")" + std::string(ResourceOf<T>::kApi) +
                       R"(","metadata":{},"items":[)" + object + "]}";
    if (GetParam() == Encoding::kProtobuf) {
      body = simulator::EncodeWireBody(simulator::ParseJson(body).value());
    }
    const auto list = Decoder().List<T>(body, GetParam());
    EXPECT_TRUE(list && list->items.size() == 1) << object;
    return list && list->items.size() == 1 ? *list->items[0] : T();
  }
};

TEST_P(DecodeAuditTest, OfAnnotationsOnlyThoseInUseAreKept) {
  const std::string meta =
      R"({"metadata":{"name":"a","namespace":"n","annotations":{"azexporter.io/audit-ignore":"all",)"
      R"("kubectl.kubernetes.io/last-applied-configuration":"{}"}}})";
  const StringMap kept = {{"azexporter.io/audit-ignore", "all"}};
  EXPECT_EQ(One<Deployment>(meta).meta.annotations, kept);
  EXPECT_EQ(One<StatefulSet>(meta).meta.annotations, kept);
  EXPECT_EQ(One<PodDisruptionBudget>(meta).meta.annotations, kept);
  EXPECT_EQ(One<PersistentVolumeClaim>(meta).meta.annotations, kept);
  EXPECT_EQ(One<StorageClass>(meta).meta.annotations, kept);
  EXPECT_EQ(One<Service>(meta).meta.annotations, kept);
  EXPECT_EQ(One<EndpointSlice>(meta).meta.annotations, kept);
  EXPECT_EQ(One<Pod>(meta).meta.annotations, StringMap()) << "of which there are too many";
}

TEST_P(DecodeAuditTest, ATemplateTellsItsProbesAndHowItStops) {
  const auto spec = [this](const std::string& pod_spec) {
    return *One<Deployment>(
                R"({"metadata":{"name":"a","namespace":"n"},"spec":{"template":{"spec":)" +
                pod_spec + "}}}")
                .template_spec;
  };
  const PodSpec bare = spec(R"({"containers":[{"name":"a"}]})");
  EXPECT_FALSE(bare.readiness_probe);
  EXPECT_EQ(bare.grace_seconds, 30);
  EXPECT_EQ(bare.pre_stop_seconds, 0);
  const PodSpec slow = spec(R"({"terminationGracePeriodSeconds":5,"containers":[
      {"name":"a","lifecycle":{"preStop":{"sleep":{"seconds":7}}}},
      {"name":"b","lifecycle":{"postStart":{"sleep":{"seconds":99}},
        "preStop":{"exec":{"command":["sh","-c","sleep 6; nginx -s quit"]}}}},
      {"name":"c","readinessProbe":{"tcpSocket":{"port":80}}}]})");
  EXPECT_TRUE(slow.readiness_probe);
  EXPECT_EQ(slow.grace_seconds, 5);
  EXPECT_EQ(slow.pre_stop_seconds, 7);
  EXPECT_EQ(spec(R"({"terminationGracePeriodSeconds":0})").grace_seconds, 0);
}

TEST_P(DecodeAuditTest, AServiceTellsItsPorts) {
  const auto service = One<Service>(R"({"metadata":{"name":"a","namespace":"n"},"spec":{"ports":[
      {"name":"http","port":80,"targetPort":8080},{"port":443,"targetPort":"tls"},{"port":9}]}})");
  EXPECT_EQ(service.ports,
            (std::vector<ServicePort>{{"http", 80, "8080"}, {"", 443, "tls"}, {"", 9, ""}}));
}

TEST_P(DecodeAuditTest, StorageTellsWhoMayMountIt) {
  const auto of_one_node = [this](const std::string& modes) {
    return One<PersistentVolumeClaim>(
               R"({"metadata":{"name":"a","namespace":"n"},"spec":{"accessModes":)" + modes + "}}")
        .one_node;
  };
  EXPECT_TRUE(of_one_node(R"(["ReadWriteOnce"])"));
  EXPECT_TRUE(of_one_node(R"(["ReadWriteOnce","ReadWriteOncePod"])"));
  EXPECT_FALSE(of_one_node(R"(["ReadWriteOnce","ReadWriteMany"])"));
  EXPECT_FALSE(of_one_node("[]"));
  EXPECT_EQ(
      One<StorageClass>(R"({"metadata":{"name":"a"},"parameters":{"type":"gp3"}})").parameters,
      (StringMap{{"type", "gp3"}}));
}

INSTANTIATE_TEST_SUITE_P(All, DecodeAuditTest,
                         testing::Values(Encoding::kJson, Encoding::kProtobuf),
                         [](const auto& param) {
                           return param.param == Encoding::kJson ? "Json" : "Protobuf";
                         });

TEST(SleepSecondsTest, OfCommandsThatSleep) {
  EXPECT_EQ(SleepSeconds({"sleep", "15"}), 15);
  EXPECT_EQ(SleepSeconds({"/bin/sleep", "15"}), 15);
  EXPECT_EQ(SleepSeconds({"sh", "-c", "kill -QUIT 1; sleep 20"}), 20);
  EXPECT_EQ(SleepSeconds({"sh", "-c", "sleep 20 && echo done"}), 20);
  EXPECT_EQ(SleepSeconds({"sh", "-c", "sleep infinity"}), 0);
  EXPECT_EQ(SleepSeconds({"sh", "-c", "sleep -5"}), 0);
  EXPECT_EQ(SleepSeconds({"nginx", "-s", "quit"}), 0);
  EXPECT_EQ(SleepSeconds({}), 0);
}

}  // namespace
}  // namespace azexporter::kube
