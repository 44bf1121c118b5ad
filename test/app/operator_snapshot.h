#pragma once

// What a cluster holds, from lines of YAML, an object a line, on two nodes: n1 in zone a and n2 in
// zone b.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "azexporter/kube/cluster.h"

namespace azexporter::test {

inline std::shared_ptr<const kube::ClusterState> ClusterOf(const std::string& objects) {
  static constexpr char kNodes[] = R"(
- {apiVersion: v1, kind: Node, metadata: {name: n1, labels: {topology.kubernetes.io/zone: a}}}
- {apiVersion: v1, kind: Node, metadata: {name: n2, labels: {topology.kubernetes.io/zone: b}}}
)";
  std::vector<std::string> skipped;
  const auto state = kube::ReadSnapshot(
      "apiVersion: v1\nkind: List\nitems:" + std::string(kNodes) + objects, "snapshot", 1, skipped);
  EXPECT_TRUE(state) << state.error().message();
  for (const std::string& error : skipped) ADD_FAILURE() << error;
  return state ? *state : std::make_shared<kube::ClusterState>();
}

struct PodIs {
  std::string ip;    // empty: none yet
  std::string node;  // empty: none yet
  std::string labels;
  std::string phase = "Running";
};

inline std::string PodLine(const std::string& ns, const std::string& name, const PodIs& is) {
  return "- {apiVersion: v1, kind: Pod, metadata: {name: " + name + ", namespace: " + ns +
         ", labels: {" + is.labels + "}}, spec: {nodeName: '" + is.node +
         "'}, status: {phase: " + is.phase + ", podIP: '" + is.ip + "'}}\n";
}

}  // namespace azexporter::test
