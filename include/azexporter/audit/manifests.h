#pragma once

// Kubernetes objects as they were written, each with its place. Documents that are no object (a
// file of values, a kustomization) are passed over; a document that cannot be read is named and
// does not stop the others. A key that is given twice is kept twice: that is something to audit.
//
// Thread safety: thread-compatible.

#include <deque>
#include <string>
#include <string_view>
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

  // "PodDisruptionBudget platform-03/web".
  std::string Text() const;
  bool Ignores(std::string_view check) const;
  // Whether both are written for one object of a cluster, such as a base and its patch.
  bool IsSameAs(const Object& other) const;
};

class Manifests {
 public:
  // Adds the objects of a text: YAML documents or JSON; `kind: List` is unfolded. `file` is named
  // in findings.
  void Add(std::string_view text, const std::string& file);
  // What could not be read.
  void AddFault(base::Error fault) { faults_.push_back(std::move(fault)); }

  // In the order of reading. Their addresses stay.
  const std::deque<Object>& objects() const { return objects_; }
  // kBadData "file:line:column: cause".
  const std::vector<base::Error>& faults() const { return faults_; }
  // Those of a kind, whatever the version.
  std::vector<const Object*> Of(std::string_view group, std::string_view kind) const;

 private:
  void AddDocument(const base::YamlNode& root);

  std::deque<Object> objects_;
  std::vector<base::Error> faults_;
};

// Reads files, "-" (standard input), and every .yaml, .yml and .json file below folders. What
// cannot be read is a fault.
Manifests ReadManifests(const std::vector<std::string>& paths);

}  // namespace azexporter::audit
