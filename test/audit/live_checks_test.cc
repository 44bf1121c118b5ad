// What is found in manifests is found in a cluster that holds the same objects: each check on its
// testdata, once as it was written and once as the client of the cluster decodes it.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "azexporter/audit/live.h"
#include "azexporter/base/file.h"
#include "azexporter/kube/cluster.h"

namespace azexporter::audit {
namespace {

using Objects = std::set<std::string>;

// Two nodes in each of three zones, unless the text has nodes of its own.
std::string WithNodes(std::string text) {
  if (text.find("kind: Node\n") != std::string::npos) return text;
  for (char node : {'1', '2', '3', '4', '5', '6'}) {
    const char zone = static_cast<char>('a' + (node - '1') / 2);
    text += std::string("---\napiVersion: v1\nkind: Node\nmetadata:\n  name: n") + node +
            "\n  labels: {kubernetes.io/hostname: n" + node +
            ", topology.kubernetes.io/zone: us-east-1" + zone + "}\n";
  }
  return text;
}

std::string TextOf(std::string_view check, const std::string& file) {
  const std::string path = std::string(AZX_SOURCE_DIR) + "/test/audit/testdata/";
  return WithNodes(base::ReadFile(path + std::string(check) + "/" + file).value());
}

Objects ObjectsOf(const Report& report, std::string_view check) {
  Objects objects;
  for (const Finding& finding : report.findings) {
    if (finding.check->name == check) objects.insert(finding.Object());
  }
  return objects;
}

Objects Written(std::string_view check, const std::string& text) {
  Manifests manifests;
  manifests.Add(text, "a.yaml");
  return ObjectsOf(Audit(manifests, {}), check);
}

Report Live(const std::string& text) {
  std::vector<std::string> skipped;
  const auto cluster = kube::ReadSnapshot(text, "a.yaml", 0, skipped);
  if (!cluster || !skipped.empty()) {
    ADD_FAILURE() << (cluster ? skipped.front() : cluster.error().message());
    return {};
  }
  return *LiveAudit().Update(**cluster);
}

// Objects that make a difference to a check and that are not watched.
std::string NotWatched(std::string_view check) {
  if (check == "spread-schedule-anyway") return "kind: PriorityClass";
  return "kind: HorizontalPodAutoscaler";
}

class LiveCheckTest : public testing::TestWithParam<std::size_t> {};

TEST_P(LiveCheckTest, FindsInAClusterWhatItFindsInManifests) {
  const Check& check = Checks()[GetParam()];
  if (!check.offline_only.empty()) GTEST_SKIP() << check.offline_only;
  const Report live = Live(TextOf(check.name, "bad.yaml"));
  EXPECT_FALSE(ObjectsOf(live, check.name).empty());
  for (const char* file : {"bad.yaml", "good.yaml"}) {
    const std::string text = TextOf(check.name, file);
    if (text.find(NotWatched(check.name)) != std::string::npos) continue;
    EXPECT_EQ(ObjectsOf(Live(text), check.name), Written(check.name, text)) << ToText(Live(text));
  }
  for (const Finding& finding : live.findings) {
    EXPECT_TRUE(finding.file.empty());
    EXPECT_EQ(finding.line, 0);
    EXPECT_EQ(finding.message.find("a.yaml"), std::string::npos) << finding.message;
    EXPECT_EQ(finding.message.find("(:"), std::string::npos) << finding.message;
  }
}

INSTANTIATE_TEST_SUITE_P(All, LiveCheckTest, testing::Range(std::size_t{0}, Checks().size()),
                         [](const auto& param) {
                           std::string name(Checks()[param.param].name);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace azexporter::audit
