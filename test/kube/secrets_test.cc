// Secrets of a simulated API server.

#include "azexporter/kube/secrets.h"

#include <gtest/gtest.h>

#include "kube/base64.h"
#include "simulator/api_server.h"

namespace azexporter::kube {
namespace {

class SecretsTest : public ::testing::Test {
 protected:
  SecretsTest() {
    EXPECT_TRUE(store_.Create(
        {{"kind", "Namespace"}, {"apiVersion", "v1"}, {"metadata", {{"name", "shop"}}}}));
    auto server = simulator::ApiServer::Start({.token = "secret"}, store_, clock_);
    EXPECT_TRUE(server);
    server_ = std::move(*server);
  }

  void Apply(const simulator::Json& data) {
    EXPECT_TRUE(store_.Apply({{"kind", "Secret"},
                              {"apiVersion", "v1"},
                              {"metadata", {{"name", "orders-app"}, {"namespace", "shop"}}},
                              {"data", data}}));
  }
  ApiResult<StringMap> Read(const std::string& ns, const std::string& name) {
    ClusterAccess access;
    access.server = server_->url();
    access.bearer_token = "secret";
    ApiClient client(std::move(access));
    return ReadSecret(client, ns, name, 5'000, {});
  }

  base::SystemClock clock_;
  simulator::Store store_{{.clock = clock_, .event_log_size = 100}};
  std::unique_ptr<simulator::ApiServer> server_;
};

TEST_F(SecretsTest, AreReadByName) {
  Apply({{"username", "YXBw"}, {"password", "aHVudGVyMg=="}, {"empty", ""}});
  const auto data = Read("shop", "orders-app");
  ASSERT_TRUE(data) << data.error().error.message();
  EXPECT_EQ(*data, (StringMap{{"empty", ""}, {"password", "hunter2"}, {"username", "app"}}));
  const auto missing = Read("shop", "other-app");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().http_status, 404);
}

TEST_F(SecretsTest, AnErrorNeverRepeatsWhatTheyHold) {
  for (const simulator::Json& data :
       {simulator::Json{{"password", "hunter2!"}}, simulator::Json{{"password", {"hunter2"}}},
        simulator::Json("hunter2")}) {
    Apply(data);
    const auto read = Read("shop", "orders-app");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().error.message().find("hunter2"), std::string::npos)
        << read.error().error.message();
  }
}

TEST_F(SecretsTest, ANameThatNoObjectHasIsNotAskedFor) {
  Apply({});
  for (const char* name : {"", "..", "a/../orders-app", "orders-app?x", "Orders", "-a", "a-"}) {
    const auto read = Read("shop", name);
    ASSERT_FALSE(read) << name;
    EXPECT_EQ(read.error().error.message(), "no object is called \"" + std::string(name) + "\"");
    EXPECT_FALSE(Read(name, "orders-app")) << name;
  }
}

TEST(Base64Test, IsDecoded) {
  const struct {
    const char* text;
    std::optional<std::string> want;
  } cases[] = {{"", ""},
               {"YQ==", "a"},
               {"YWI=", "ab"},
               {"YWJj", "abc"},
               {"YW\r\nJj ", "abc"},
               {"YWJ", std::nullopt},
               {"Y!Jj", std::nullopt},
               {"=", std::nullopt}};
  for (const auto& c : cases) EXPECT_EQ(DecodeBase64(c.text), c.want) << c.text;
}

}  // namespace
}  // namespace azexporter::kube
