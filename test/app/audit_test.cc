// azexporter audit, as it is run.

#include <gtest/gtest.h>

#include "app/run_command.h"

namespace azexporter::app {
namespace {

constexpr char kGood[] = "{apiVersion: v1, kind: Service, metadata: {name: a}}";
constexpr char kInfo[] =
    "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: a}\nvalue: 1\n"
    "preemptionPolicy: Never\n";

int Audit(const Flags& flags) { return RunAudit(flags, {}); }

TEST(AuditCommandTest, ExitCodeTellsNothingFindingsOrBadInput) {
  const std::string good = Put("good.yaml", kGood);
  const std::string found = Put("found.yaml", kInfo);
  const std::string broken = Put("broken.yaml", std::string(kInfo) + "---\n[\n");
  struct Case {
    std::vector<std::string> files;
    int code;
    std::string err;
  };
  const Case cases[] = {
      {{good}, 0, ""},
      {{good, found}, 3, ""},
      {{broken}, 1, "azexporter: " + broken + ":8:1: end of sequence flow not found\n"},
      {{found, "/nowhere"}, 1, "azexporter: /nowhere: No such file or directory\n"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.files.back());
    const Output output = RunAs(Audit, "audit", c.files.front().c_str(), c.files.back().c_str());
    EXPECT_EQ(output.code, c.code);
    EXPECT_EQ(output.err.substr(0, c.err.size()), c.err);
    EXPECT_EQ(output.out.find("priority-never-preempts") != std::string::npos,
              c.files.front() != c.files.back() ? c.code != 0 : c.code == 1);
  }
}

TEST(AuditCommandTest, OutputAndTheLeastSeverityAreChosen) {
  const std::string file = Put("found.yaml", kInfo);
  const Output warnings =
      RunAs(Audit, "audit", "--severity", "warning", "--output", "json", file.c_str());
  EXPECT_EQ(warnings.code, 0);
  EXPECT_TRUE(warnings.out.starts_with("{\"findings\":[],")) << warnings.out;
  const Output sarif = RunAs(Audit, "audit", "--output", "sarif", file.c_str());
  EXPECT_EQ(sarif.code, 3);
  EXPECT_NE(sarif.out.find("\"version\":\"2.1.0\""), std::string::npos);
}

TEST(AuditCommandTest, ZonesAndNodesAreTold) {
  const std::string file =
      Put("web.yaml",
          "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 4\n"
          "  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"
          "    spec:\n      affinity:\n        podAntiAffinity:\n"
          "          requiredDuringSchedulingIgnoredDuringExecution:\n"
          "          - topologyKey: kubernetes.io/hostname\n"
          "            labelSelector: {matchLabels: {app: web}}\n");
  EXPECT_EQ(RunAs(Audit, "audit", file.c_str()).code, 0);
  EXPECT_EQ(RunAs(Audit, "audit", "--nodes", "4", file.c_str()).code, 0);
  EXPECT_EQ(RunAs(Audit, "audit", "--nodes", "3", file.c_str()).code, 3);
}

TEST(AuditCommandTest, RefusesWhatItDoesNotKnow) {
  for (const char* flag : {"--output=xml", "--severity=bad", "--zones=0"}) {
    const char* const argv[] = {"azexporter", "audit", flag, "a.yaml"};
    const auto flags = ParseFlags(4, argv);
    ASSERT_FALSE(flags) << flag;
    EXPECT_EQ(flags.error().code, 1);
  }
  const char* const both[] = {"azexporter", "audit", "--url", "http://127.0.0.1:1", "a.yaml"};
  EXPECT_FALSE(ParseFlags(5, both)) << "a daemon or files";
}

constexpr char kNoGrace[] =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: n}\nspec:\n"
    "  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"
    "    spec: {terminationGracePeriodSeconds: 0}\n";

TEST(AuditCommandTest, WithoutFilesTheClusterIsAudited) {
  const std::string file = Put("cluster.yaml", kNoGrace);
  const Output text = RunAs(Audit, "audit", "--kube.snapshot", file.c_str());
  EXPECT_EQ(text.code, 3);
  EXPECT_EQ(text.out.substr(0, text.out.find('\n')),
            "warning: graceful-termination: Deployment n/web: pods are killed without a warning");
  const Output sarif = RunAs(Audit, "audit", "--output", "sarif", "--kube.snapshot", file.c_str());
  EXPECT_EQ(sarif.code, 3);
  EXPECT_EQ(sarif.out.find("physicalLocation"), std::string::npos);
  const Output none = RunAs(Audit, "audit", "--kubeconfig", "/nowhere");
  EXPECT_EQ(none.code, 1);
  EXPECT_TRUE(none.err.starts_with("azexporter: /nowhere")) << none.err;
}

TEST(AuditCommandTest, ADaemonThatDoesNotAnswerIsAnError) {
  EXPECT_EQ(RunAs(Audit, "audit", "--url", "127.0.0.1").err,
            "azexporter: --url: not a http or https URL: \"127.0.0.1\"\n");
  EXPECT_EQ(RunAs(Audit, "audit", "--url", "http://127.0.0.1:1").code, 1);
}

}  // namespace
}  // namespace azexporter::app
