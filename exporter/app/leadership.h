#pragma once

// This replica's part in the election of a leader. Private to `app`.
//
// Thread safety: IsLeader is thread-safe; the rest is for one thread.

#include <functional>
#include <memory>
#include <thread>

#include "azexporter/app/daemon.h"
#include "azexporter/base/result.h"
#include "azexporter/collect/round.h"
#include "azexporter/kube/api_client.h"
#include "azexporter/kube/leader_election.h"

namespace azexporter::app {

class Leadership {
 public:
  // Fills in a namespace (the pod's) and an identity (host's name and a random part) that are not
  // given. `access` is null where there is no API server: kBadData. `on_change` is called on the
  // electing thread, from Start to the end of Stop. `deps.clock` must outlive this.
  static base::Result<std::unique_ptr<Leadership>> Create(kube::LeaderElectionOptions options,
                                                          const kube::ClusterAccess* access,
                                                          const DaemonDeps& deps,
                                                          kube::LeaderElector::OnChange on_change);
  // As Stop.
  ~Leadership();

  void Start();
  // Gives the Lease up, where it is held. May be called again.
  void Stop();

  bool IsLeader() const { return elector_.IsLeader(); }

 private:
  Leadership(kube::LeaderElectionOptions options, const kube::ClusterAccess& access,
             const DaemonDeps& deps, kube::LeaderElector::OnChange on_change);

  kube::ApiClient client_;
  const std::unique_ptr<kube::LeaseStore> store_;
  kube::LeaderElector elector_;
  std::jthread thread_;
};

// The round without the families about the cluster, which the leader alone exposes: with the probes
// of this replica and what it says about itself.
std::shared_ptr<const collect::Round> WithoutCluster(const collect::Round& round);

// The round with `block` in the place of the one of the same collector.
std::shared_ptr<const collect::Round> WithBlock(const collect::Round& round,
                                                std::shared_ptr<const collect::Block> block);

}  // namespace azexporter::app
