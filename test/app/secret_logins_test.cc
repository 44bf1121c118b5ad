// When Secrets are read, and what is made of what comes.

#include "secret_logins.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

namespace azexporter::app {
namespace {

using db::Login;

// Answers with a status and a body, and counts.
class FakeApi final : public net::HttpTransport {
 public:
  base::Result<net::HttpResponse> Stream(const net::HttpRequest& request, const net::ChunkHandler&,
                                         std::stop_token stop) override {
    ++asked;
    path = request.method + " " + request.url;
    if (on_ask) on_ask();
    if (stop.stop_requested()) return base::Fail(base::ErrorCode::kCanceled, "canceled");
    if (status == 0) return base::Fail(base::ErrorCode::kUnavailable, "connection refused");
    return net::HttpResponse{.status = status, .headers = {}, .body = body, .timing = {}};
  }

  int asked = 0;
  std::string path;
  int status = 200;
  std::string body = R"({"data":{"username":"YXBw","password":"b25lCg=="}})";
  std::function<void()> on_ask;
};

constexpr char kTwo[] = R"({"data":{"username":"YXBw","password":"dHdv"}})";

class SecretLoginsTest : public ::testing::Test {
 protected:
  SecretLoginsTest() {
    kube::ClusterAccess access;
    access.server = "http://api";
    secrets_.SetClient(std::make_shared<kube::ApiClient>(access, api_));
  }

  // "app/one", or the error.
  static std::string Text(const base::Result<Login>& login) {
    return login ? login->user + "/" + login->password : login.error().message();
  }
  std::string Get(const SecretKeys& keys = {"shop", "orders-app", "username", "password"}) {
    source_ = secrets_.Of(keys);
    return Text(source_->Get(1'000, {}));
  }
  std::string Renew(const std::string& refused) {
    return Text(source_->Renew({"app", refused}, 1'000, {}));
  }

  base::FakeClock clock_;
  std::shared_ptr<FakeApi> api_ = std::make_shared<FakeApi>();
  SecretLogins secrets_{clock_};
  std::shared_ptr<db::LoginSource> source_;
};

TEST_F(SecretLoginsTest, OneGetByNameServesAllConnectionsForAWhile) {
  EXPECT_EQ(Get(), "app/one") << "without the line feed";
  EXPECT_EQ(api_->path, "GET http://api/api/v1/namespaces/shop/secrets/orders-app");
  api_->body = kTwo;
  clock_.Advance(SecretLogins::kFreshMs - 1);
  EXPECT_EQ(Get(), "app/one");
  EXPECT_EQ(api_->asked, 1);
  clock_.Advance(1);
  EXPECT_EQ(Get(), "app/two");
  EXPECT_EQ(api_->asked, 2);
}

TEST_F(SecretLoginsTest, WhatAServerRefusedIsReadAgainNowAndThen) {
  Get();
  EXPECT_EQ(Renew("one"), "app/one") << "it was read only now";
  clock_.Advance(SecretLogins::kRetryMs);
  api_->body = kTwo;
  EXPECT_EQ(Renew("one"), "app/two");
  EXPECT_EQ(Renew("one"), "app/two") << "another instance had the old one, too";
  clock_.Advance(SecretLogins::kRetryMs - 1);
  EXPECT_EQ(Renew("two"), "app/two");
  EXPECT_EQ(api_->asked, 2);
  clock_.Advance(1);
  Renew("two");
  EXPECT_EQ(api_->asked, 3);
}

TEST_F(SecretLoginsTest, WhatCannotBeReadIsNamedAndTriedAgainNowAndThen) {
  const struct {
    int status;
    const char* body;
    const char* told;  // at the end of the error
  } cases[] = {
      {403, R"({"kind":"Status","message":"secrets \"orders-app\" is forbidden"})",
       "403 Forbidden: secrets \"orders-app\" is forbidden"},
      {404, R"({"kind":"Status","message":"secrets \"orders-app\" not found"})",
       "404 Not Found: secrets \"orders-app\" not found"},
      {0, "", "connection refused"},
      {200, R"({"data":{"username":"YXBw"}})", "it has no key \"password\""},
      {200, R"({})", "it has no key \"username\""},
      {200, R"({"data":{"username":"YXBw","password":"one"}})", "key \"password\" is not base64"},
  };
  for (const auto& c : cases) {
    source_ = nullptr;
    secrets_.ForgetUnused();
    api_->status = c.status;
    api_->body = c.body;
    const int before = api_->asked;
    const std::string told = Get();
    EXPECT_TRUE(told.starts_with("Secret shop/orders-app: ")) << told;
    EXPECT_TRUE(told.ends_with(c.told)) << told;
    clock_.Advance(SecretLogins::kRetryMs - 1);
    EXPECT_EQ(Get(), told);
    EXPECT_EQ(api_->asked, before + 1) << c.told;
    clock_.Advance(1);
    api_->status = 200;
    api_->body = kTwo;
    EXPECT_EQ(Get(), "app/two");
  }
}

TEST_F(SecretLoginsTest, TheLastLoginHoldsWhileTheApiServerGivesNoAnswer) {
  const struct {
    int status;
    bool holds;
  } cases[] = {{0, true}, {500, true}, {429, true}, {401, true}, {403, false}, {404, false}};
  for (const auto& c : cases) {
    source_ = nullptr;
    secrets_.ForgetUnused();
    api_->status = 200;
    Get();
    api_->status = c.status;
    clock_.Advance(SecretLogins::kFreshMs);
    EXPECT_EQ(Get() == "app/one", c.holds) << c.status;
    const int before = api_->asked;
    Get();
    EXPECT_EQ(api_->asked, before) << c.status;
    clock_.Advance(SecretLogins::kRetryMs);
    Get();
    EXPECT_EQ(api_->asked, before + 1) << c.status;
  }
}

TEST_F(SecretLoginsTest, WhoGivesUpLeavesTheOthersTheirLogin) {
  std::stop_source stop;
  api_->on_ask = [&] { stop.request_stop(); };
  source_ = secrets_.Of({"shop", "orders-app", "username", "password"});
  EXPECT_FALSE(source_->Get(1'000, stop.get_token()));
  api_->on_ask = nullptr;
  EXPECT_EQ(Get(), "app/one") << "at once";
}

TEST_F(SecretLoginsTest, WhoComesMeanwhileWaitsForTheSameAnswer) {
  source_ = secrets_.Of({"shop", "orders-app", "username", "password"});
  std::jthread other;
  std::string others;
  api_->on_ask = [&] { other = std::jthread([&] { others = Text(source_->Get(60'000, {})); }); };
  EXPECT_EQ(Get(), "app/one");
  other.join();
  EXPECT_EQ(others, "app/one");
  EXPECT_EQ(api_->asked, 1);
}

TEST_F(SecretLoginsTest, AUserIsReadWhereThereIsAKeyForIt) {
  EXPECT_EQ(Get({"shop", "redis", "", "password"}), "/one");
  EXPECT_NE(Get({"shop", "redis", "", ""}).find("it has no key \"\""), std::string::npos);
}

TEST_F(SecretLoginsTest, ASnapshotHasNone) {
  SecretLogins secrets(clock_);
  EXPECT_EQ(Text(secrets.Of({"shop", "a", "u", "p"})->Get(1'000, {})),
            "Secret shop/a: there is no API server to read it from");
}

TEST_F(SecretLoginsTest, AreForgottenWithTheirUsers) {
  Get();
  secrets_.ForgetUnused();
  Get();
  EXPECT_EQ(api_->asked, 1);
  source_ = nullptr;
  secrets_.ForgetUnused();
  Get();
  EXPECT_EQ(api_->asked, 2);
}

TEST(SecretNameTest, TakesTheCluster) {
  EXPECT_EQ(SecretName("{cluster}-app", "orders"), "orders-app");
  EXPECT_EQ(SecretName("{cluster}-{cluster}", "{cluster}"), "{cluster}-{cluster}");
  EXPECT_EQ(SecretName("shared", "orders"), "shared");
}

}  // namespace
}  // namespace azexporter::app
