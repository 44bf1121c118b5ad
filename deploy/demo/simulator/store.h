#pragma once

// What the simulated API server knows: every object in its newest form, and a bounded log of what
// changed, in the order of one increasing resourceVersion. Lists read the objects; watches and
// lists of the past read the log.
//
//   Store store({.clock = clock});
//   auto node = store.Apply(node_json);                        // add or replace
//   store.Modify({nodes, "", "ip-10-0-0-4"}, [](Json& n) { n["spec"]["unschedulable"] = true; });
//
// Thread safety: thread-safe.
// Invariants: objects are immutable once stored; an event's resourceVersion is its object's.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/base/mutex.h"
#include "azexporter/base/result.h"
#include "simulator/json.h"
#include "simulator/resources.h"

namespace azexporter::simulator {

using ObjectPtr = std::shared_ptr<const Json>;

struct ObjectKey {
  const ResourceType* type = nullptr;
  std::string ns;  // empty for cluster-scoped resources
  std::string name;

  // Where etcd would keep it below the resource: "namespace/name" or "name". Lists are in this
  // order.
  std::string Path() const { return ns.empty() ? name : ns + "/" + name; }
};

// kBadData when kind, apiVersion, name or (where one is needed) namespace is missing or unknown.
base::Result<ObjectKey> KeyOf(const Json& object);

struct ObjectList {
  std::int64_t resource_version = 0;  // the state that the items are from
  std::vector<ObjectPtr> items;       // in the order of their paths
};

enum class EventType { kAdded, kModified, kDeleted };

struct Event {
  std::int64_t resource_version = 0;
  EventType type = EventType::kAdded;
  const ResourceType* resource = nullptr;
  std::string path;
  ObjectPtr object;    // for kDeleted: as it was, with the deletion's resourceVersion
  ObjectPtr previous;  // null for kAdded
};

struct EventBatch {
  std::vector<Event> events;
  std::int64_t resource_version = 0;  // everything up to here has been seen
  // Events after the asked version have been forgotten; the rest is empty.
  bool too_old = false;
  std::int64_t epoch = 0;  // rises with every RestoreCheckpoint
};

struct StoreOptions {
  const base::Clock& clock;             // must outlive the store; stamps creationTimestamp
  std::size_t event_log_size = 10'000;  // events kept; older ones are forgotten
  std::uint64_t seed = 1;               // of the uids that the store hands out
};

class Store {
  using PathMap = std::map<std::string, ObjectPtr>;
  using Objects = std::map<const ResourceType*, PathMap>;

 public:
  class Checkpoint {
    friend class Store;
    Objects objects_;
    std::int64_t version_ = 0;
  };

  explicit Store(StoreOptions options);
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Adds or replaces an object and gives it resourceVersion and, when new, uid and
  // creationTimestamp (those given are kept). Writing what is there already changes nothing.
  base::Result<ObjectPtr> Apply(Json object);
  // Only adds. kExecution when the object exists.
  base::Result<ObjectPtr> Create(Json object);
  // Only replaces. kNotFound when absent; kExecution when `expected_version` is not empty and not
  // the stored object's resourceVersion.
  base::Result<ObjectPtr> Replace(Json object, std::string_view expected_version);
  // Reads, edits and writes until no other writer came in between; `edit` may run more than once.
  base::Result<ObjectPtr> Modify(const ObjectKey& key, const std::function<void(Json&)>& edit);
  // Answers the object as it was.
  base::Result<ObjectPtr> Delete(const ObjectKey& key);

  // Keeps an object exactly as recorded from another API server, resourceVersion and all, without
  // an event. Later writes get higher versions.
  base::Result<void> Load(Json object);
  // Moves resourceVersion forward, as writes to resources that are not kept here would.
  void AdvanceTo(std::int64_t resource_version);
  // Forgets all events so far: watches and exact lists from before now are too old.
  void Compact();

  // All objects and resourceVersion as they are now, to go back to.
  Checkpoint TakeCheckpoint() const;
  // Goes back, as an API server does whose etcd is restored from a backup: resourceVersion falls
  // and will be given out again for other changes, all events are forgotten, watches are cut.
  // REQUIRES: the checkpoint is this store's.
  void RestoreCheckpoint(const Checkpoint& checkpoint);

  ObjectPtr Get(const ObjectKey& key) const;  // null when absent
  // `ns` empty: all namespaces.
  ObjectList List(const ResourceType& type, std::string_view ns) const;
  // The state at an earlier version; nullopt when it has been forgotten.
  // REQUIRES: resource_version is not in the future.
  std::optional<ObjectList> ListAt(const ResourceType& type, std::string_view ns,
                                   std::int64_t resource_version) const;

  std::int64_t resource_version() const;
  std::int64_t epoch() const;  // rises with every RestoreCheckpoint
  // Watches can start from here on.
  std::int64_t oldest_version() const;

  // What happened to a resource after a version. Waits up to `timeout_ms` for something to happen,
  // and no longer than until `stop`.
  EventBatch WaitForEvents(const ResourceType& type, std::int64_t after, std::int64_t timeout_ms,
                           const std::stop_token& stop);

 private:
  enum class WriteMode { kUpsert, kCreate, kReplace };
  base::Result<ObjectPtr> Write(Json object, WriteMode mode, std::string_view expected_version);
  ObjectPtr CommitLocked(const ObjectKey& key, Json object, const ObjectPtr& previous)
      AZX_REQUIRES(mu_);
  void RecordLocked(Event event) AZX_REQUIRES(mu_);
  std::string NewUidLocked() AZX_REQUIRES(mu_);

  // Constant after construction.
  const base::Clock& clock_;
  const std::size_t event_log_size_;

  // Guarded by mu_.
  mutable base::Mutex mu_;
  base::CondVar changed_;
  Objects objects_ AZX_GUARDED_BY(mu_);
  std::map<const ResourceType*, std::int64_t> last_change_ AZX_GUARDED_BY(mu_);
  std::deque<Event> events_ AZX_GUARDED_BY(mu_);
  std::int64_t version_ AZX_GUARDED_BY(mu_) = 1;
  std::int64_t oldest_ AZX_GUARDED_BY(mu_) = 1;  // events up to here are forgotten
  std::int64_t epoch_ AZX_GUARDED_BY(mu_) = 0;
  std::mt19937_64 random_ AZX_GUARDED_BY(mu_);
};

// "2026-11-22T06:51:18Z".
std::string Rfc3339(std::int64_t ms);
// The reverse, seconds only; 0 when malformed.
std::int64_t ParseRfc3339Ms(std::string_view text);

}  // namespace azexporter::simulator
