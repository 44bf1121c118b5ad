// Roles and tokens as kubectl meets them; a current one, since 1.20 creates no tokens.

#include "servers/child_process.h"
#include "simulator/simulator_fixture.h"
#include "support/kubectl.h"
#include "support/temp_folder.h"

namespace azexporter::simulator {
namespace {

using servers::RunProgram;

class KubectlRbacTest : public SimulatorTest {
 protected:
  void SetUp() override {
    AZX_SKIP_WITHOUT_KUBECTL(kubectl_);
    for (const char* object :
         {R"({"kind":"Namespace","apiVersion":"v1","metadata":{"name":"monitoring"}})",
          R"({"kind":"ServiceAccount","apiVersion":"v1",
                 "metadata":{"name":"exporter","namespace":"monitoring"}})",
          R"({"kind":"ClusterRole","apiVersion":"rbac.authorization.k8s.io/v1",
                 "metadata":{"name":"reader"},
                 "rules":[{"verbs":["get","list"],"apiGroups":[""],"resources":["nodes"]}]})",
          R"({"kind":"ClusterRoleBinding","apiVersion":"rbac.authorization.k8s.io/v1",
                 "metadata":{"name":"reader"},
                 "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole",
                            "name":"reader"},
                 "subjects":[{"kind":"ServiceAccount","name":"exporter",
                              "namespace":"monitoring"}]})"}) {
      ASSERT_TRUE(store_.Apply(*ParseJson(object)));
    }
    ASSERT_TRUE(store_.Apply(Node("n1")));
    Start({.tls = true, .token = "admin", .authorization = Authorization::kRbac});
  }

  // What kubectl prints as the user of `kubeconfig`, errors included.
  std::string Kubectl(const std::string& kubeconfig, std::string arguments) const {
    folder_.Write("kubeconfig", kubeconfig);
    return RunProgram(
               {"sh", "-c", kubectl_.program + " " + arguments + " 2>&1 || true"},
               {{"HOME", folder_.string()}, {"KUBECONFIG", (folder_ / "kubeconfig").string()}})
        .value_or("kubectl was not run");
  }

  const test::Kubectl kubectl_ = test::CurrentKubectl();
  const test::TempFolder folder_;
};

TEST_F(KubectlRbacTest, ATokenFromKubectlMayWhatItsRolesGrant) {
  std::string token =
      Kubectl(server_->Kubeconfig(), "create token exporter --namespace monitoring --duration 1h");
  // On a terminal a newline follows.
  if (token.ends_with('\n')) token.pop_back();
  const std::string exporter = server_->KubeconfigFor("exporter", token);
  EXPECT_NE(Kubectl(exporter, "get nodes").find("n1"), std::string::npos) << token;
  const std::string refused = Kubectl(exporter, "get pods -n monitoring");
  EXPECT_NE(refused.find("(Forbidden): pods is forbidden: User "
                         "\"system:serviceaccount:monitoring:exporter\" cannot list resource "
                         "\"pods\" in API group \"\" in the namespace \"monitoring\""),
            std::string::npos)
      << refused;
  EXPECT_EQ(Kubectl(exporter, "auth can-i list nodes -A"), "yes\n");
  EXPECT_EQ(Kubectl(exporter, "auth can-i delete nodes -A"), "no\n");
  const std::string rules = Kubectl(exporter, "auth can-i --list");
  EXPECT_NE(rules.find("nodes "), std::string::npos) << rules;
}

}  // namespace
}  // namespace azexporter::simulator
