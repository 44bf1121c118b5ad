// An API server that goes away and comes back, and an etcd restored from a backup behind it.

#include <httplib.h>

#include <thread>

#include "simulator/simulator_fixture.h"
#include "support/eventually.h"

namespace azexporter::simulator {
namespace {

using test::Eventually;

class RestartTest : public SimulatorTest {
 protected:
  static std::string Watch(std::int64_t version) {
    return "/api/v1/nodes?watch=1&resourceVersion=" + std::to_string(version);
  }
  std::string Names() const {
    std::string names;
    const auto list = Get(*server_, "/api/v1/nodes").json();
    for (const auto& node : list["items"]) {
      names += node["metadata"]["name"].get<std::string>();
    }
    return names;
  }
};

TEST_F(RestartTest, ComesBackWithPortCertificateAndToken) {
  Start({.tls = true, .token = "secret"});
  const std::string kubeconfig = server_->Kubeconfig();
  const auto status = [&] {
    httplib::SSLClient client("127.0.0.1", server_->port());
    client.enable_server_certificate_verification(false);
    const auto answer = client.Get("/api/v1/nodes", {{"Authorization", "Bearer secret"}});
    return answer ? answer->status : 0;
  };
  EXPECT_EQ(status(), 200);
  server_->Stop();
  EXPECT_EQ(status(), 0) << "connections are refused";
  ASSERT_TRUE(server_->Restart());
  EXPECT_EQ(status(), 200);
  EXPECT_EQ(server_->Kubeconfig(), kubeconfig);
  ASSERT_TRUE(server_->Restart());
  EXPECT_EQ(status(), 200);
}

TEST_F(RestartTest, CutsEveryConnectionAndKeepsItsFaults) {
  Start();
  ASSERT_TRUE(server_->faults().Add("list pods status 503"));
  Answer watch;
  std::jthread watching([&] { watch = Get(*server_, Watch(store_.resource_version())); });
  ASSERT_TRUE(Eventually([&] { return server_->open_watches() == 1; }));
  ASSERT_TRUE(server_->Restart());
  watching.join();
  EXPECT_FALSE(watch.ended_properly);
  EXPECT_EQ(server_->open_watches(), 0u);
  EXPECT_EQ(Get(*server_, "/api/v1/pods").status, 503);
  EXPECT_EQ(Get(*server_, "/api/v1/nodes").status, 200);
}

TEST_F(RestartTest, SaysThatItsPortIsTaken) {
  Start();
  server_->Stop();
  auto other = ApiServer::Start({.port = server_->port()}, store_, clock_);
  ASSERT_TRUE(other);
  const auto refused = server_->Restart();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), base::ErrorCode::kUnavailable);
  (*other)->Stop();
  other->reset();
  EXPECT_TRUE(server_->Restart());
  EXPECT_EQ(Get(*server_, "/readyz").status, 200);
}

TEST_F(RestartTest, ARestoredBackupIsOlder) {
  Start();
  ASSERT_TRUE(store_.Apply(Node("a")));
  const Store::Checkpoint backup = store_.TakeCheckpoint();
  const std::int64_t then = store_.resource_version();
  ASSERT_TRUE(store_.Apply(Node("b")));
  ASSERT_TRUE(store_.Delete({FindKind("v1", "Node"), "", "a"}));
  const std::int64_t later = store_.resource_version();
  Answer watch;
  std::jthread watching([&] { watch = Get(*server_, Watch(later)); });
  ASSERT_TRUE(Eventually([&] { return server_->open_watches() == 1; }));

  store_.RestoreCheckpoint(backup);
  watching.join();
  EXPECT_FALSE(watch.ended_properly) << "a watch in progress is cut";
  EXPECT_EQ(Names(), "a");
  EXPECT_EQ(store_.resource_version(), then);
  // Versions from before the restore are of a future that may never come, or come differently.
  EXPECT_EQ(Get(*server_, "/api/v1/nodes?resourceVersion=" + std::to_string(later)).status, 504);
  EXPECT_EQ(Get(*server_, Watch(then - 1)).events().at(0)["type"], "ERROR") << "events are gone";
  ASSERT_TRUE(store_.Apply(Node("c")));
  EXPECT_EQ(Names(), "ac");
  EXPECT_EQ(store_.resource_version(), then + 1);

  store_.RestoreCheckpoint(backup);
  EXPECT_EQ(Names(), "a") << "the backup can be used again";
}

}  // namespace
}  // namespace azexporter::simulator
