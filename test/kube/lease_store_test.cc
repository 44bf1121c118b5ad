// The Lease on a simulated API server.

#include <gtest/gtest.h>

#include "azexporter/kube/leader_election.h"
#include "simulator/api_server.h"

namespace azexporter::kube {
namespace {

class LeaseStoreTest : public ::testing::Test {
 protected:
  LeaseStoreTest() : simulated_({.clock = clock_, .event_log_size = 100}) {
    EXPECT_TRUE(simulated_.Create(
        {{"kind", "Namespace"}, {"apiVersion", "v1"}, {"metadata", {{"name", "n"}}}}));
    auto server = simulator::ApiServer::Start({.token = "secret"}, simulated_, clock_);
    EXPECT_TRUE(server);
    server_ = std::move(*server);
    ClusterAccess access;
    access.server = server_->url();
    access.bearer_token = "secret";
    client_ = std::make_unique<ApiClient>(std::move(access));
    store_ = MakeLeaseStore(*client_, "n", "azx");
  }

  static LeaseRecord Record(const std::string& holder) {
    return {.holder = holder,
            .duration_seconds = 15,
            .acquire_time = "2027-01-15T08:00:00.123000Z",
            .renew_time = "2027-01-15T08:00:02.123000Z",
            .transitions = 3};
  }

  base::SystemClock clock_;
  simulator::Store simulated_;
  std::unique_ptr<simulator::ApiServer> server_;
  std::unique_ptr<ApiClient> client_;
  std::unique_ptr<LeaseStore> store_;
};

TEST_F(LeaseStoreTest, CreatesReadsAndUpdates) {
  const auto missing = store_->Get(5'000, {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().http_status, 404);
  const auto created = store_->Create(Record("a"), 5'000, {});
  ASSERT_TRUE(created) << created.error().error.message();
  EXPECT_EQ(created->record, Record("a"));
  const auto twice = store_->Create(Record("b"), 5'000, {});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().http_status, 409);
  auto current = store_->Get(5'000, {});
  ASSERT_TRUE(current);
  EXPECT_EQ(current->record, Record("a"));
  current->record.holder = "b";
  const auto updated = store_->Update(*current, 5'000, {});
  ASSERT_TRUE(updated) << updated.error().error.message();
  EXPECT_EQ(updated->record, Record("b"));
  // What was read before that update is not written over it.
  const auto late = store_->Update(*created, 5'000, {});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().http_status, 409);
  EXPECT_EQ(store_->Get(5'000, {})->record, Record("b"));
}

TEST_F(LeaseStoreTest, LeavesLabelsAndAnnotationsAlone) {
  const simulator::ObjectKey key = {simulator::FindKind("coordination.k8s.io/v1", "Lease"), "n",
                                    "azx"};
  ASSERT_TRUE(simulated_.Create({{"kind", "Lease"},
                                 {"apiVersion", "coordination.k8s.io/v1"},
                                 {"metadata",
                                  {{"name", "azx"},
                                   {"namespace", "n"},
                                   {"labels", {{"a", "b"}}},
                                   {"annotations", {{"note", "said \"{}\""}}}}}}));
  auto lease = store_->Get(5'000, {});
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->record, LeaseRecord());
  lease->record = Record("a");
  ASSERT_TRUE(store_->Update(*lease, 5'000, {}));
  const auto object = simulated_.Get(key);
  ASSERT_TRUE(object);
  EXPECT_EQ((*object)["metadata"]["labels"]["a"], "b");
  EXPECT_EQ((*object)["metadata"]["annotations"]["note"], "said \"{}\"");
  EXPECT_EQ((*object)["spec"]["holderIdentity"], "a");
}

TEST_F(LeaseStoreTest, SaysWhyItMayNot) {
  ASSERT_TRUE(server_->faults().Add("any leases.coordination.k8s.io status 403"));
  const auto refused = store_->Get(5'000, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().http_status, 403);
  EXPECT_NE(refused.error().error.message().find("403 Forbidden"), std::string::npos);
}

}  // namespace
}  // namespace azexporter::kube
