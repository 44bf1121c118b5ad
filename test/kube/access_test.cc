#include "azexporter/kube/access.h"

#include <gtest/gtest.h>

#include <fstream>

namespace azexporter::kube {
namespace {

class AccessTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = ::testing::TempDir() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
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
      {"two", kGood, ":19:11: \"exec\" is not supported; use a token or a client certificate"},
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

TEST_F(AccessTest, ReadsTheServiceAccount) {
  Write("token", "t0ken\n");
  Write("ca.crt", "PEM");
  auto access = InClusterAccess("fd00::1", "443", ::testing::TempDir());
  ASSERT_TRUE(access) << access.error().message();
  EXPECT_EQ(access->server, "https://[fd00::1]:443");
  EXPECT_FALSE(access->token_file.empty());
  EXPECT_FALSE(InClusterAccess("", "", ::testing::TempDir()));
}

}  // namespace
}  // namespace azexporter::kube
