#pragma once

// Kubernetes objects as they were written, each with its place. Documents that are no object (a
// file of values, a kustomization) are passed over; a document that cannot be read is named and
// does not stop the others. A key that is given twice is kept twice: that is something to audit.
//
// Thread safety: thread-compatible.

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/base/yaml.h"

namespace azexporter::audit {

struct Object {
  std::string group;  // of apiVersion; "" for the core
  std::string version;
  std::string kind;
  std::string ns;  // as given; empty where none is
  std::string name;
  base::YamlNode root;
  // Names of checks in the annotation azexporter.io/audit-ignore; "all" stands for each.
  std::vector<std::string> ignored;
  // Here only for others to be judged by.
  bool is_context = false;

  // "PodDisruptionBudget platform-03/web".
  std::string Text() const;
  bool Ignores(std::string_view check) const;
  // Whether both are written for one object of a cluster, such as a base and its patch.
  bool IsSameAs(const Object& other) const;
};

class Manifests {
 public:
  Manifests() = default;
  // Its own parts point at each other.
  Manifests(const Manifests&) = delete;
  Manifests& operator=(const Manifests&) = delete;
  Manifests(Manifests&&) = default;
  Manifests& operator=(Manifests&&) = default;

  // Adds the objects of a text: YAML documents or JSON; `kind: List` is unfolded. `file` is named
  // in findings.
  void Add(std::string_view text, const std::string& file);
  // Adds one that was read already, or made; passed over where it is no object.
  void AddObject(const base::YamlNode& root, bool is_context = false);
  // What could not be read.
  void AddFault(base::Error fault) { faults_.push_back(std::move(fault)); }

  // In the order of reading. Their addresses stay.
  const std::deque<Object>& objects() const { return objects_; }
  // kBadData "file:line:column: cause".
  const std::vector<base::Error>& faults() const { return faults_; }
  // Those of a kind, whatever the version.
  const std::vector<const Object*>& Of(std::string_view group, std::string_view kind) const;
  // The first of that name; nullptr where there is none.
  const Object* Find(std::string_view group, std::string_view kind, std::string_view ns,
                     std::string_view name) const;

 private:
  // Into `objects_`, whose addresses stay.
  using Key = std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>;

  std::deque<Object> objects_;
  std::map<std::pair<std::string_view, std::string_view>, std::vector<const Object*>> by_kind_;
  std::map<Key, const Object*> by_name_;
  std::vector<base::Error> faults_;
};

// Reads files, "-" (standard input), and every .yaml, .yml and .json file below folders. What
// cannot be read is a fault.
Manifests ReadManifests(const std::vector<std::string>& paths);

}  // namespace azexporter::audit
