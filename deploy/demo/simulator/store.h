#pragma once

// What the simulated API server knows: every object, now and at every resourceVersion that a
// bounded log of what changed still covers. Lists read the objects of a moment; watches read the
// log. 150,000 pods of 4 KB take some 700 MB: objects are kept as text (object.h) in trees that
// share what did not change (object_tree.h).
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
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/base/mutex.h"
#include "azexporter/base/result.h"
#include "simulator/json.h"
#include "simulator/object.h"
#include "simulator/object_tree.h"
#include "simulator/resources.h"

namespace azexporter::simulator {

struct ObjectList {
  std::int64_t resource_version = 0;  // the state that the items are from
  std::vector<ObjectPtr> items;       // in the order of their paths
};

// All objects of one resource at one moment.
struct Snapshot {
  std::int64_t resource_version = 0;
  ObjectTree objects;
};

enum class EventType { kAdded, kModified, kDeleted };

struct Event {
  std::int64_t resource_version = 0;
  EventType type = EventType::kAdded;
  const ResourceType* resource = nullptr;
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
 public:
  class Checkpoint {
    friend class Store;
    std::map<const ResourceType*, ObjectTree> objects_;
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
  // The same of an object that is text already. REQUIRES: one compact JSON object that begins with
  // kind and apiVersion (custom resources the other way round), as Dump writes stored objects.
  base::Result<void> LoadText(std::string text);
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
  Snapshot Now(const ResourceType& type) const;
  // An earlier version; nullopt when it has been forgotten.
  // REQUIRES: resource_version is not in the future.
  std::optional<Snapshot> At(const ResourceType& type, std::int64_t resource_version) const;
  // `ns` empty: all namespaces.
  ObjectList List(const ResourceType& type, std::string_view ns) const;
  std::int64_t resource_version() const;
  std::int64_t epoch() const;  // rises with every RestoreCheckpoint
  // Watches can start from here on.
  std::int64_t oldest_version() const;

  // What happened to a resource after a version. Waits up to `timeout_ms` for something to happen,
  // and no longer than until `stop`.
  EventBatch WaitForEvents(const ResourceType& type, std::int64_t after, std::int64_t timeout_ms,
                           const std::stop_token& stop);

 private:
  // The objects of a resource from one version on, until the next moment's.
  struct Moment {
    std::int64_t resource_version = 0;
    ObjectTree objects;
  };
  // Oldest first; never empty.
  using Moments = std::deque<Moment>;

  enum class WriteMode { kUpsert, kCreate, kReplace };
  base::Result<ObjectPtr> Write(Json object, WriteMode mode, std::string_view expected_version);
  ObjectPtr CommitLocked(const ObjectKey& key, Json object, const ObjectPtr& previous)
      AZX_REQUIRES(mu_);
  Moments& MomentsLocked(const ResourceType& type) AZX_REQUIRES(mu_);
  const ObjectTree& NewestLocked(const ResourceType& type) const AZX_REQUIRES(mu_);
  void LoadLocked(const ObjectKey& key, std::string text) AZX_REQUIRES(mu_);
  void RecordLocked(Event event, ObjectTree objects) AZX_REQUIRES(mu_);
  // Drops the moments that only forgotten versions need.
  void ForgetLocked(Moments& moments) AZX_REQUIRES(mu_);
  std::string NewUidLocked() AZX_REQUIRES(mu_);

  // Constant after construction.
  const base::Clock& clock_;
  const std::size_t event_log_size_;

  // Guarded by mu_.
  mutable base::Mutex mu_;
  base::CondVar changed_;
  std::map<const ResourceType*, Moments> moments_ AZX_GUARDED_BY(mu_);
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
