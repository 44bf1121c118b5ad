// How the sender is known to Alertmanagers, and they to it: what comes from files.

#include "notify/sender_fixture.h"
#include "simulator/base64.h"
#include "support/temp_folder.h"

namespace azexporter::notify {
namespace {

class SenderFilesTest : public SenderTest {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    return folder_.Write(name, text);
  }

  const test::TempFolder folder_;
};

TEST_F(SenderFilesTest, ThePasswordIsReadAnew) {
  FakeAlertmanager am;
  Start({.min_backoff_ms = 5, .max_backoff_ms = 5},
        {{.url = am.url(), .username = "azx", .password_file = folder_ / "password"}});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Eventually([&] { return sender_->Stats().alertmanagers.at(0).errors >= 1; }));
  EXPECT_TRUE(am.Requests().empty());
  Write("password", "one\n");
  ASSERT_TRUE(Sent(0, 1));
  Write("password", "two");
  sender_->Send(Numbered(3, 3));
  ASSERT_TRUE(Sent(0, 2));
  EXPECT_EQ(am.Requests().at(0).Header("Authorization"), "Basic " + simulator::Base64("azx:one"));
  EXPECT_EQ(am.Requests().at(1).Header("Authorization"), "Basic " + simulator::Base64("azx:two"));
}

TEST_F(SenderFilesTest, CredentialsAndHeadersComeFromFiles) {
  FakeAlertmanager basic;
  FakeAlertmanager bearer;
  Write("user", "azx\n");
  Write("secret", " s3cret \n");
  Write("tenant", "team-a\n");
  Start(
      {},
      {{.url = basic.url(), .username_file = folder_ / "user", .password_file = folder_ / "secret"},
       {.url = bearer.url(),
        .authorization_type = "Bearer",
        .credentials_file = folder_ / "secret",
        .headers = {{"X-Scope-OrgID", {folder_ / "tenant"}}}}});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Sent(0, 1));
  ASSERT_TRUE(Sent(1, 1));
  EXPECT_EQ(basic.Requests().at(0).Header("Authorization"),
            "Basic " + simulator::Base64("azx:s3cret"));
  EXPECT_EQ(bearer.Requests().at(0).Header("Authorization"), "Bearer s3cret");
  EXPECT_EQ(bearer.Requests().at(0).Header("X-Scope-OrgID"), "team-a");
}

TEST_F(SenderFilesTest, ASecretOfTwoLinesIsNotSent) {
  FakeAlertmanager am;
  Write("secret", "a\r\nX-Other: b\n");
  Start(
      {},
      {{.url = am.url(), .authorization_type = "Bearer", .credentials_file = folder_ / "secret"}});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Eventually([&] { return sender_->Stats().alertmanagers.at(0).errors == 1; }));
  EXPECT_TRUE(am.Requests().empty());
}

TEST_F(SenderFilesTest, ASecretGoesToNoOtherHost) {
  FakeAlertmanager target;
  FakeAlertmanager am;
  std::string elsewhere = target.url();
  elsewhere.replace(elsewhere.find("127.0.0.1"), 9, "localhost");
  am.Redirect(307, elsewhere);
  Write("secret", "s3cret");
  Start(
      {},
      {{.url = am.url(), .authorization_type = "Bearer", .credentials_file = folder_ / "secret"}});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Sent(0, 1));
  EXPECT_EQ(am.Requests().at(0).Header("Authorization"), "Bearer s3cret");
  EXPECT_EQ(target.Requests().at(0).Header("Authorization"), "");
}

TEST_F(SenderFilesTest, TheCertificateBearsTheServerName) {
  const auto certificate = simulator::MakeLoopbackCertificate();
  ASSERT_TRUE(certificate);
  FakeAlertmanager am(&*certificate);
  const std::string ca = Write("ca.pem", certificate->certificate_pem);
  Start({}, {{.url = am.url(), .ca_file = ca, .server_name = "am.example"}});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Eventually([&] { return sender_->Stats().alertmanagers.at(0).errors == 1; }));
  EXPECT_TRUE(am.Requests().empty());
  sender_->Configure({{.url = am.url(), .ca_file = ca, .server_name = "localhost"}}, {});
  ASSERT_TRUE(Sent(0, 1));
  const std::string host = am.Requests().at(0).Header("Host");
  EXPECT_EQ(am.url(), "https://" + host + "/api/v2/alerts");
}

TEST_F(SenderFilesTest, TheTlsVersionIsBounded) {
  const auto certificate = simulator::MakeLoopbackCertificate();
  ASSERT_TRUE(certificate);
  FakeAlertmanager am(&*certificate);
  const std::string ca = Write("ca.pem", certificate->certificate_pem);
  Start({}, {{.url = am.url(),
              .ca_file = ca,
              .min_version = net::TlsVersion::kTls10,
              .max_version = net::TlsVersion::kTls11}});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Eventually([&] { return sender_->Stats().alertmanagers.at(0).errors == 1; }));
  sender_->Configure({{.url = am.url(), .ca_file = ca, .min_version = net::TlsVersion::kTls13}},
                     {});
  EXPECT_TRUE(Sent(0, 1));
}

TEST_F(SenderFilesTest, TheCertificateIsVerified) {
  const auto certificate = simulator::MakeLoopbackCertificate();
  const auto other = simulator::MakeLoopbackCertificate();
  ASSERT_TRUE(certificate && other);
  FakeAlertmanager am(&*certificate);
  const std::string ca = Write("ca.pem", other->certificate_pem);
  Start({.min_backoff_ms = 5, .max_backoff_ms = 5}, {{.url = am.url(), .ca_file = ca}});
  sender_->Send(Numbered(2, 2));
  ASSERT_TRUE(Eventually([&] { return sender_->Stats().alertmanagers.at(0).errors >= 1; }));
  Write("ca.pem", certificate->certificate_pem);  // rotated, without a reload
  ASSERT_TRUE(Sent(0, 1));
  sender_->Configure({{.url = am.url(), .insecure_skip_verify = true}}, {});
  sender_->Send(Numbered(3, 3));
  EXPECT_TRUE(Sent(0, 2));
  EXPECT_EQ(am.Numbers(), "2 3");
}

}  // namespace
}  // namespace azexporter::notify
