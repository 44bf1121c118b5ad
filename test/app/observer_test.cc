#include "azexporter/app/observer.h"

#include <gtest/gtest.h>

#include "simulator/api_server.h"
#include "support/temp_folder.h"

namespace azexporter::app {
namespace {

// The API server answers for a namespace that does not exist as for an empty one.
TEST(ObserverTest, ANamespaceWithNothingInItIsLoggedOnce) {
  const base::SystemClock clock;
  simulator::Store store({.clock = clock});
  ASSERT_TRUE(
      store.Create({{"kind", "Node"}, {"apiVersion", "v1"}, {"metadata", {{"name", "n1"}}}}));
  ASSERT_TRUE(store.Create({{"kind", "Pod"},
                            {"apiVersion", "v1"},
                            {"metadata", {{"name", "web"}, {"namespace", "shop"}}}}));
  auto server = simulator::ApiServer::Start({}, store, clock);
  ASSERT_TRUE(server) << server.error().message();
  const test::TempFolder folder;
  folder.Write("kubeconfig", (*server)->Kubeconfig());
  config::Config config;
  config.kubernetes.kubeconfig = (folder / "kubeconfig").string();
  config.kubernetes.namespaces = {"shop", "shpo"};
  ::testing::internal::CaptureStderr();
  auto observer = Observer::Create(
      config, {.clock = clock,
               .log = base::Logger(base::LogLevel::kWarn, base::LogFormat::kLogfmt),
               .surroundings = {}});
  ASSERT_TRUE(observer) << observer.error().message();
  (*observer)->AskOnce({});
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(zones::EmptyNamespaces((*observer)->MakeRound(clock.NowMs()).report),
              std::vector<std::string>{"shpo"});
  }
  const std::string log = ::testing::internal::GetCapturedStderr();
  const std::string line = "does it exist?\" namespace=shpo\n";
  const std::size_t first = log.find(line);
  ASSERT_NE(first, std::string::npos) << log;
  EXPECT_EQ(log.find(line, first + 1), std::string::npos) << log;
}

}  // namespace
}  // namespace azexporter::app
