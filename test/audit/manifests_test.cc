#include "azexporter/audit/manifests.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "azexporter/audit/audit.h"

namespace azexporter::audit {
namespace {

Manifests Read(std::string_view text) {
  Manifests manifests;
  manifests.Add(text, "a.yaml");
  return manifests;
}

std::vector<std::string> Names(const Manifests& manifests) {
  std::vector<std::string> names;
  for (const Object& object : manifests.objects()) names.push_back(object.Text());
  return names;
}

std::vector<std::string> Faults(const Manifests& manifests) {
  std::vector<std::string> faults;
  for (const base::Error& fault : manifests.faults()) faults.push_back(fault.message());
  return faults;
}

using Texts = std::vector<std::string>;

TEST(ManifestsTest, ReadsDocumentsListsAndJson) {
  const Manifests manifests = Read(
      "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: n}\n"
      "---\n# nothing\n---\n"
      "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Node, metadata: {name: b}}\n"
      "--- # JSON\n{\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", \"metadata\": "
      "{\"name\": "
      "\"c\"}}\n");
  EXPECT_EQ(Names(manifests), (Texts{"Service n/a", "Node b", "Deployment c"}));
  EXPECT_EQ(manifests.objects()[2].group, "apps");
  EXPECT_EQ(manifests.objects()[2].version, "v1");
  EXPECT_TRUE(manifests.faults().empty());
}

TEST(ManifestsTest, PassesOverWhatIsNoObject) {
  const Manifests manifests =
      Read("replicas: 3\n---\n- a\n---\nkind: [x]\napiVersion: v1\n---\nx\n");
  EXPECT_TRUE(manifests.objects().empty());
  EXPECT_TRUE(manifests.faults().empty());
}

TEST(ManifestsTest, ABrokenDocumentIsNamedAndDoesNotStopTheOthers) {
  const Manifests manifests = Read(
      "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\nkind: x\n  y: [\n---\r\n"
      "apiVersion: v1\nkind: Service\nmetadata: {name: b}\n");
  EXPECT_EQ(Names(manifests), (Texts{"Service a", "Service b"}));
  EXPECT_EQ(Faults(manifests), Texts{"a.yaml:6:4: illegal map value"});
  EXPECT_EQ(manifests.objects()[1].root.line(), 8);
}

TEST(ManifestsTest, AnnotationSilencesTheChecksItNames) {
  const auto findings = [](std::string_view ignore) {
    const Report report =
        Audit(Read("apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata:\n  name: a\n"
                   "  annotations: {azexporter.io/audit-ignore: \"" +
                   std::string(ignore) +
                   "\"}\nspec: {minAvailable: 1, maxUnavailable: 1, selector: {}}\n"),
              {});
    return std::pair(report.findings.size(), report.ignored);
  };
  EXPECT_EQ(findings("istio-ejects-all"), std::pair(std::size_t{1}, std::size_t{0}));
  EXPECT_EQ(findings("x, budget-both-fields"), std::pair(std::size_t{0}, std::size_t{1}));
  EXPECT_EQ(findings("all"), std::pair(std::size_t{0}, std::size_t{1}));
}

TEST(ManifestsTest, ReadsFoldersInOrderAndNamesWhatItCannot) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(testing::TempDir()) / "azx_manifests";
  fs::remove_all(folder);
  fs::create_directories(folder / "b");
  fs::create_directories(folder / "empty");
  std::ofstream(folder / "b" / "x.yml") << "{apiVersion: v1, kind: Node, metadata: {name: b}}";
  std::ofstream(folder / "a.json") << "{\"apiVersion\": \"v1\", \"kind\": \"Node\"}";
  std::ofstream(folder / "notes.txt") << "{";
  const Manifests manifests =
      ReadManifests({folder.string(), "/nowhere.yaml", (folder / "empty").string()});
  EXPECT_EQ(Names(manifests), (Texts{"Node ", "Node b"}));
  EXPECT_EQ(Faults(manifests),
            (Texts{"/nowhere.yaml: No such file or directory",
                   (folder / "empty").string() + ": no .yaml, .yml or .json file below it"}));
}

}  // namespace
}  // namespace azexporter::audit
