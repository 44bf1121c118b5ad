#include "azexporter/kube/access.h"

#include <gtest/gtest.h>

#include "support/temp_folder.h"

namespace azexporter::kube {
namespace {

class AccessTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    return folder_.Write(name, text);
  }
  const test::TempFolder folder_;
};

constexpr char kGood[] = R"(apiVersion: v1
kind: Config
current-context: one
contexts:
- name: one
  context: {cluster: c, user: u}
- name: two
  context: {cluster: c, user: exec-user}
clusters:
- name: c
  cluster:
    server: https://10.0.0.1:6443/
    certificate-authority-data: Q0EK
users:
- name: u
  user: {token: secret}
- name: exec-user
  user:
    exec: {command: aws}
)";

TEST_F(AccessTest, ReadsTheCurrentContext) {
  auto access = LoadKubeconfig(Write("good", kGood), "");
  ASSERT_TRUE(access) << access.error().message();
  EXPECT_EQ(access->server, "https://10.0.0.1:6443");
  EXPECT_EQ(access->tls.ca_pem, "CA\n");
  EXPECT_EQ(access->bearer_token, "secret");
}

TEST_F(AccessTest, NamesWhatIsWrong) {
  struct Case {
    std::string_view context, text, message;
  };
  const Case cases[] = {
      {"two", kGood,
       ":19:11: exec: apiVersion must be client.authentication.k8s.io/v1 or "
       "client.authentication.k8s.io/v1beta1, not \"\""},
      {"three", kGood, ":1:1: no \"three\" under contexts"},
      {"", "clusters: []\n", ":1:1: no current-context, and no context was named"},
      {"", "- a\n", ":1:1: not a kubeconfig: expected a map"},
      {"", "a: {", ":1:1: end of map flow not found"},
  };
  for (const Case& c : cases) {
    const std::string path = Write("bad", std::string(c.text));
    auto access = LoadKubeconfig(path, std::string(c.context));
    ASSERT_FALSE(access) << c.text;
    EXPECT_EQ(access.error().message(), path + std::string(c.message));
  }
  EXPECT_EQ(LoadKubeconfig("/nowhere/kc", "").error().message(),
            "/nowhere/kc: No such file or directory");
}

TEST_F(AccessTest, OfSeveralFilesTheFirstCounts) {
  const std::string first = Write("first", R"(
contexts: [{name: one, context: {cluster: c, user: other}}]
users: [{name: other, user: {tokenFile: tokens/here}}]
)");
  const std::string second = Write("second", kGood);
  auto access = LoadKubeconfig("/nowhere/kc:" + first + ":" + second, "");
  ASSERT_TRUE(access) << access.error().message();
  EXPECT_EQ(access->server, "https://10.0.0.1:6443");
  EXPECT_EQ(access->bearer_token, "");
  EXPECT_EQ(access->token_file, folder_.string() + "/tokens/here") << "seen from its own file";
  EXPECT_FALSE(LoadKubeconfig("/nowhere/kc:/nowhere/kd", ""));
}

TEST_F(AccessTest, ReadsWhatElseAUserAndAClusterMaySay) {
  auto access = LoadKubeconfig(Write("more", R"(
current-context: one
contexts: [{name: one, context: {cluster: c, user: u}}]
clusters:
- name: c
  cluster: {server: "https://10.0.0.1", tls-server-name: api.internal, proxy-url: "http://proxy"}
users:
- name: u
  user:
    as: jane
    as-uid: "7"
    as-groups: [a, b]
    as-user-extra: {Example.com/Scope: [view]}
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: bin/get-token
      args: [--cluster, shop]
      env: [{name: PROFILE, value: prod}]
      provideClusterInfo: true
      installHint: see the wiki
)"),
                               "");
  ASSERT_TRUE(access) << access.error().message();
  EXPECT_EQ(access->tls.server_name, "api.internal");
  EXPECT_EQ(access->proxy_url, "http://proxy");
  const net::HttpHeaders impersonation = {{"Impersonate-User", "jane"},
                                          {"Impersonate-Uid", "7"},
                                          {"Impersonate-Group", "a"},
                                          {"Impersonate-Group", "b"},
                                          {"Impersonate-Extra-example.com%2Fscope", "view"}};
  EXPECT_EQ(access->impersonation, impersonation);
  ASSERT_TRUE(access->exec);
  const std::vector<std::string> command = {folder_.string() + "/bin/get-token", "--cluster",
                                            "shop"};
  EXPECT_EQ(access->exec->command, command);
  EXPECT_EQ(access->exec->environment.at(0).first, "PROFILE");
}

TEST_F(AccessTest, RefusesWhatContradictsItself) {
  const auto refused = [&](const std::string& cluster, const std::string& user) {
    const auto access =
        LoadKubeconfig(Write("contrary",
                             "current-context: one\n"
                             "contexts: [{name: one, context: {cluster: c, user: u}}]\n"
                             "clusters: [{name: c, cluster: {server: 'https://a', " +
                                 cluster +
                                 "}}]\n"
                                 "users: [{name: u, user: {" +
                                 user + "}}]\n"),
                       "");
    return access ? "" : access.error().message().substr(access.error().message().find(": ") + 2);
  };
  EXPECT_EQ(refused("insecure-skip-tls-verify: true, certificate-authority-data: Q0EK", ""),
            "insecure-skip-tls-verify with a certificate-authority");
  EXPECT_EQ(refused("", "as-groups: [a]"), "as-uid, as-groups and as-user-extra need \"as\"");
  EXPECT_EQ(refused("", "auth-provider: {name: gcp}"),
            "auth-provider is not supported, as in Kubernetes since 1.26; use exec");
  EXPECT_EQ(refused("", "client-key: /nowhere/key"),
            "client-key: /nowhere/key: No such file or directory");
}

TEST_F(AccessTest, ReadsTheServiceAccount) {
  Write("token", "t0ken\n");
  Write("ca.crt", "PEM");
  auto access = InClusterAccess("fd00::1", "443", folder_.string());
  ASSERT_TRUE(access) << access.error().message();
  EXPECT_EQ(access->server, "https://[fd00::1]:443");
  EXPECT_FALSE(access->token_file.empty());
  EXPECT_FALSE(InClusterAccess("", "", folder_.string()));
}

}  // namespace
}  // namespace azexporter::kube
