#include "value_pool.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <type_traits>

namespace azexporter::kube {
namespace {

// Collects a hash. Each list begins with its length, so that neighbours do not run into each other.
class Hasher {
 public:
  void Add(std::int64_t number) {
    hash_ = (hash_ ^ static_cast<std::uint64_t>(number)) * 0x9E3779B97F4A7C15ULL;
    hash_ ^= hash_ >> 32;
  }
  void Add(std::string_view text) {
    Add(static_cast<std::int64_t>(std::hash<std::string_view>()(text)));
  }
  void Add(const std::string& text) { Add(std::string_view(text)); }
  template <class A, class B>
  void Add(const std::pair<A, B>& pair) {
    Add(pair.first);
    Add(pair.second);
  }
  template <class T>
  void Add(const std::vector<T>& list) {
    Add(static_cast<std::int64_t>(list.size()));
    for (const T& element : list) Add(element);
  }
  template <class T>
  void Add(const std::optional<T>& value) {
    Add(static_cast<std::int64_t>(value ? 1 : 0));
    if (value) Add(*value);
  }
  template <class E>
  requires std::is_enum_v<E>
  void Add(E value) { Add(static_cast<std::int64_t>(value)); }

  void Add(const Requirement& requirement) {
    Add(requirement.key);
    Add(requirement.op);
    Add(requirement.values);
  }
  void Add(const LabelSelector& selector) {
    Add(selector.match_labels);
    Add(selector.requirements);
  }
  void Add(const NodeSelectorTerm& term) {
    Add(term.match_expressions);
    Add(term.match_fields);
  }
  void Add(const NodeSelector& selector) { Add(selector.terms); }
  void Add(const Toleration& toleration) {
    Add(toleration.key);
    Add(toleration.op);
    Add(toleration.value);
    Add(toleration.effect);
  }
  void Add(const PodAffinityTerm& term) {
    Add(term.selector);
    Add(term.topology_key);
    Add(term.weight);
  }
  void Add(const TopologySpreadConstraint& constraint) {
    Add(constraint.topology_key);
    Add(constraint.max_skew);
    Add(constraint.selector);
  }
  void Add(const HostPort& port) { Add(port.port); }
  void Add(const Owner& owner) {
    Add(owner.kind);
    Add(owner.name);
  }

  std::size_t hash() const { return static_cast<std::size_t>(hash_); }

 private:
  std::uint64_t hash_ = 0;
};

template <class T>
std::size_t HashOfAll(const T& value) {
  Hasher hasher;
  hasher.Add(value);
  return hasher.hash();
}

}  // namespace

std::size_t HashOf(const PodSpec& spec) {
  Hasher hasher;  // not of every field: equality decides in the end
  hasher.Add(spec.priority_class);
  hasher.Add(spec.priority);
  hasher.Add(static_cast<std::int64_t>(spec.host_network ? 1 : 0));
  hasher.Add(spec.node_selector);
  hasher.Add(spec.required_node_affinity);
  hasher.Add(spec.required_affinity);
  hasher.Add(spec.required_anti_affinity);
  hasher.Add(spec.preferred_anti_affinity);
  hasher.Add(spec.tolerations);
  hasher.Add(spec.spread_constraints);
  hasher.Add(spec.requests.cpu_milli);
  hasher.Add(spec.requests.memory_bytes);
  hasher.Add(spec.requests.others);
  hasher.Add(spec.host_ports);
  return hasher.hash();
}

std::size_t HashOf(const StringMap& map) { return HashOfAll(map); }
std::size_t HashOf(const std::vector<Owner>& owners) { return HashOfAll(owners); }

}  // namespace azexporter::kube
