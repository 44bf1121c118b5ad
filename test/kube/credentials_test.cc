// Credentials that a plugin gives out, that run out, and that a server refuses.

#include "kube/credentials.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>

#include "azexporter/kube/api_client.h"
#include "simulator/http_server.h"
#include "support/temp_folder.h"

namespace azexporter::kube {
namespace {

constexpr std::string_view kV1 = "client.authentication.k8s.io/v1";

class CredentialsTest : public ::testing::Test {
 protected:
  // A plugin that counts its runs, and gives out what `status` says with the count in its place.
  ClusterAccess WithPlugin(const std::string& status) {
    const std::string path =
        folder_.Write("plugin",
                      "#!/bin/sh\n"
                      "cd " +
                          folder_.string() +
                          "\n"
                          "echo x >>runs; runs=$(wc -l <runs)\n"
                          "printf %s \"$KUBERNETES_EXEC_INFO\" >info\n"
                          "echo \"$GREETING\" >greeting\n"
                          "cat <<END\n"
                          "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" +
                          std::string(kV1) + "\",\"status\":" + status + "}\nEND\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    ClusterAccess access;
    access.server = "https://10.0.0.1";
    access.exec = ExecPlugin{.api_version = std::string(kV1),
                             .command = {path},
                             .environment = {{"GREETING", "hello"}},
                             .provide_cluster_info = true,
                             .install_hint = "see the wiki"};
    return access;
  }
  std::string Said(const std::string& file) const {
    std::ifstream in(folder_ / file);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  const test::TempFolder folder_;
  base::FakeClock clock_{1'800'000'000'000};  // 2027-01-15T08:00:00Z
};

TEST_F(CredentialsTest, APluginIsRunOnceUntilWhatItGaveRunsOut) {
  const ClusterAccess access =
      WithPlugin(R"({"token":"t$runs","expirationTimestamp":"2027-01-15T08:10:00Z"})");
  Credentials credentials(access, clock_);
  for (int i = 0; i < 2; ++i) {
    const auto shown = credentials.Get({});
    ASSERT_TRUE(shown) << shown.error().message();
    EXPECT_EQ(shown->bearer_token, "t1");
  }
  EXPECT_EQ(Said("info"),
            R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",)"
            R"("spec":{"interactive":false,"cluster":{"server":"https://10.0.0.1"}}})");
  EXPECT_EQ(Said("greeting"), "hello\n");
  clock_.Advance(595'000);  // not to run out on its way
  EXPECT_EQ(credentials.Get({})->bearer_token, "t2");
}

TEST_F(CredentialsTest, WhatTheServerRefusedIsAskedForAnew) {
  const ClusterAccess access = WithPlugin(R"({"token":"t$runs"})");
  Credentials credentials(access, clock_);
  const auto first = credentials.Get({});
  ASSERT_TRUE(first);
  EXPECT_TRUE(credentials.Refused(*first));
  EXPECT_EQ(credentials.Get({})->bearer_token, "t2");
  EXPECT_TRUE(credentials.Refused(*first)) << "by then there is another";
  EXPECT_EQ(credentials.Get({})->bearer_token, "t2");
}

TEST_F(CredentialsTest, ClientCertificatesComeToo) {
  const ClusterAccess access =
      WithPlugin(R"({"clientCertificateData":"CERT","clientKeyData":"KEY"})");
  Credentials credentials(access, clock_);
  const auto shown = credentials.Get({});
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->tls.client_cert_pem, "CERT");
  EXPECT_EQ(shown->tls.client_key_pem, "KEY");
}

TEST_F(CredentialsTest, SayWhatIsWrongWithAPlugin) {
  const auto error = [&](ClusterAccess access) {
    Credentials credentials(access, clock_);
    const auto shown = credentials.Get({});
    return shown ? "" : shown.error().message();
  };
  ClusterAccess access = WithPlugin("{}");
  const std::string plugin = "exec plugin " + access.exec->command[0];
  EXPECT_EQ(error(access),
            plugin + ": an ExecCredential with neither token nor clientCertificateData");
  access.exec->command = {"/bin/sh", "-c", "echo first >&2; echo no session >&2; exit 3"};
  EXPECT_EQ(error(access), "exec plugin /bin/sh ended with 3: no session");
  access.exec->command = {"/bin/echo", "hello"};
  EXPECT_EQ(error(access).substr(0, 46), "exec plugin /bin/echo: not an ExecCredential: ");
  access.exec->command = {"azx-no-such-program"};
  EXPECT_EQ(error(access),
            "exec plugin azx-no-such-program: No such file or directory; see the wiki");
}

TEST_F(CredentialsTest, FilesAreReadForEachRequest) {
  ClusterAccess access;
  access.token_file = folder_.Write("token", "one\n");
  access.tls_files.ca = folder_.Write("ca", "CA1");
  Credentials credentials(access, clock_);
  EXPECT_EQ(credentials.Get({})->bearer_token, "one");
  folder_.Write("token", "two\n");
  folder_.Write("ca", "CA2");
  const auto shown = credentials.Get({});
  EXPECT_EQ(shown->bearer_token, "two");
  EXPECT_EQ(shown->tls.ca_pem, "CA2");
  EXPECT_FALSE(credentials.Refused(*shown)) << "another try would be the same";
}

TEST_F(CredentialsTest, ARequestIsSentOnceMoreWithFreshCredentials) {
  std::mutex mu;  // the server has a thread of its own
  std::vector<std::string> tokens;
  auto server = simulator::HttpServer::Start({}, [&](const simulator::HttpRequest& request) {
    const std::lock_guard lock(mu);
    tokens.push_back(request.Header("Authorization"));
    simulator::HttpResponse response;
    response.status = tokens.back() == "Bearer t2" ? 200 : 401;
    response.body = "{}";
    return response;
  });
  ASSERT_TRUE(server);
  ClusterAccess access = WithPlugin(R"({"token":"t$runs"})");
  access.server = (*server)->url();
  access.impersonation = {{"Impersonate-User", "jane"}};
  ApiClient client(access);
  EXPECT_TRUE(client.Get("/version", Accept::kJson, 5'000, {}));
  const std::lock_guard lock(mu);
  EXPECT_EQ(tokens, (std::vector<std::string>{"Bearer t1", "Bearer t2"}));
}

}  // namespace
}  // namespace azexporter::kube
