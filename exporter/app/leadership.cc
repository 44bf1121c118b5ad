#include "leadership.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <random>

#include "azexporter/base/file.h"

namespace azexporter::app {
namespace {

using base::Result;

// The blocks that every replica exposes.
constexpr std::string_view kOwnBlocks[] = {"probes", "rules", "self"};

// No two processes have the same, be they on one host.
std::string MakeIdentity() {
  std::array<char, 256> name{};
  const bool known = ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0';
  return fmt::format("{}_{:08x}", known ? name.data() : "azexporter", std::random_device()());
}

Result<std::string> PodNamespace(const Surroundings& around) {
  auto ns = base::ReadFile(around.service_account_folder + "/namespace");
  if (!ns) {
    return base::BadData("kubernetes.leader_election: namespace is missing, and this is no pod");
  }
  while (!ns->empty() && (ns->back() == '\n' || ns->back() == ' ')) ns->pop_back();
  return ns;
}

}  // namespace

Result<std::unique_ptr<Leadership>> Leadership::Create(kube::LeaderElectionOptions options,
                                                       const kube::ClusterAccess* access,
                                                       const DaemonDeps& deps,
                                                       kube::LeaderElector::OnChange on_change) {
  if (access == nullptr) {
    return base::BadData("kubernetes.leader_election: a snapshot has no leader");
  }
  if (options.ns.empty()) {
    AZX_ASSIGN_OR_RETURN(options.ns, PodNamespace(deps.surroundings));
  }
  if (options.identity.empty()) options.identity = MakeIdentity();
  if (auto valid = options.Validate(); !valid) {
    return base::Fail(valid.error().WithContext("kubernetes.leader_election"));
  }
  return std::unique_ptr<Leadership>(
      new Leadership(std::move(options), *access, deps, std::move(on_change)));
}

Leadership::Leadership(kube::LeaderElectionOptions options, const kube::ClusterAccess& access,
                       const DaemonDeps& deps, kube::LeaderElector::OnChange on_change)
    : client_(access),
      store_(kube::MakeLeaseStore(client_, options.ns, options.name)),
      elector_(options, *store_, deps.clock, deps.log, std::move(on_change)) {}

Leadership::~Leadership() { Stop(); }

void Leadership::Start() {
  thread_ = std::jthread([this](std::stop_token stop) {
    pthread_setname_np(pthread_self(), "leader");
    elector_.Run(stop);
  });
}

void Leadership::Stop() {
  if (!thread_.joinable()) return;
  thread_ = std::jthread();
  elector_.Release();
}

std::shared_ptr<const collect::Round> WithoutCluster(const collect::Round& round) {
  auto own = std::make_shared<collect::Round>(round);
  std::erase_if(own->snapshot.blocks, [](const auto& block) {
    return std::find(std::begin(kOwnBlocks), std::end(kOwnBlocks), block->collector) ==
           std::end(kOwnBlocks);
  });
  return own;
}

std::shared_ptr<const collect::Round> WithBlock(const collect::Round& round,
                                                std::shared_ptr<const collect::Block> block) {
  auto changed = std::make_shared<collect::Round>(round);
  for (auto& one : changed->snapshot.blocks) {
    if (one->collector == block->collector) one = block;
  }
  return changed;
}

}  // namespace azexporter::app
