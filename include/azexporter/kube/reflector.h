#pragma once

// A Reflector keeps an ObjectCache equal to one resource of the API server: all objects, then a
// watch from their version, resumed where it ended, and all objects anew whenever the watch cannot
// be trusted to have told everything.
//
// All objects come as a stream where the server has that (WatchList), else in pages: both are
// consistent reads. A list "from the cache" (resourceVersion=0) is never asked for, since it may be
// older than what is already known.
// Semantics: kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
// and #streaming-lists.
//
// Thread safety: one thread only; the cache it writes to is thread-safe.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "azexporter/base/clock.h"
#include "azexporter/base/logger.h"
#include "azexporter/base/result.h"
#include "azexporter/base/wait.h"
#include "azexporter/kube/api_client.h"
#include "azexporter/kube/object_cache.h"

namespace azexporter::kube {

struct ReflectorOptions {
  std::string path;  // "/api/v1/pods"
  // Where an older server has it: asked in turn where the one before is not known (404).
  std::vector<std::string> older_paths = {};
  std::string selectors;  // "fieldSelector=metadata.name%3Dx", empty for none
  // A resource that a server may lack (404), or that may be forbidden without making the whole
  // useless: see ResourceHealth.
  bool optional = false;
  // Of a custom resource: a server that lacks it may answer 403 as well, to who may not know.
  bool custom = false;
  // Ask for protobuf, which a server has for its own resources.
  bool protobuf = true;
  // Ask for all objects as a stream first.
  bool streamed_lists = true;
  int page_size = 500;
  // For one page of a list.
  std::int64_t list_timeout_ms = 60'000;
  // How long the server is asked to keep a watch open.
  std::int64_t watch_timeout_ms = 300'000;
  // A watch without a byte for this long is taken for dead. Bookmarks come about once a minute.
  std::int64_t idle_timeout_ms = 90'000;
  // After so long without an answer the server may be another, restored from a backup, in which
  // our version stands for something else.
  std::int64_t outage_ms = 120'000;
  // Pause after a failure: doubles from min to max, jittered, back to min after an answer.
  std::int64_t min_backoff_ms = 1'000;
  std::int64_t max_backoff_ms = 30'000;
  // Until a server that lacked an optional resource is asked for it again.
  std::int64_t absent_retry_ms = 300'000;
  // How it waits; a test's clock has its own way.
  std::function<bool(const std::stop_token&, std::int64_t ms)> wait = base::WaitFor;
};

class Decoder;
struct EventHead;

template <class T>
class Reflector {
 public:
  // `client`, `cache` and `clock` must outlive this.
  Reflector(ReflectorOptions options, ApiClient& client, ObjectCache<T>& cache,
            const base::Clock& clock, base::Logger log);
  ~Reflector();
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  // Reads all objects once into the cache, in pages. The error also stands in the cache's health.
  base::Result<void> ListOnce(std::stop_token stop);
  // Lists and watches until `stop` is requested. Failures are logged and kept in the health.
  void Run(std::stop_token stop);

 private:
  enum class Next { kGoOn, kBackOff, kAbsent };
  // All objects as they come in a stream, until its end is told.
  struct Initial {
    Objects<T> objects;
    std::int64_t started_ns = 0;
  };

  Accept accept() const {
    return options_.protobuf && !options_.custom ? Accept::kProtobufOrJson : Accept::kJson;
  }
  std::string QueryPath(const std::string& query) const;
  std::string WatchPath() const;

  const std::string& path() const {
    return older_ == 0 ? options_.path : options_.older_paths[older_ - 1];
  }

  Next ListInPages(const std::stop_token& stop);
  // From the first path that the server knows.
  ApiResult<void> ReadAll(const std::stop_token& stop);
  ApiResult<void> ReadPages(const std::stop_token& stop);
  Next Watch(const std::stop_token& stop);
  Next AfterWatch(const ApiResult<void>& ended, bool heard, std::int64_t started_ns,
                  const std::stop_token& stop);
  // Whether the watch goes on.
  bool OnFrame(std::string& frame, Encoding encoding);
  void OnObject(const EventHead& event, Object<T> object);
  void OnInitialObject(const EventHead& event, Object<T> object);
  void OnError(const EventHead& event);
  // These objects are all there are.
  void TakeAll(Objects<T> objects, std::int64_t started_ns);
  // The watch cannot be trusted, or there was none yet.
  void ListAnew(ListReason reason) { list_reason_ = list_reason_.value_or(reason); }
  void OnAnswer();
  void OnFailure(std::string_view doing, const ApiFailure& failure, const std::stop_token& stop);
  // Whether the failure means that the server does not have the resource, which is then noted.
  bool NoteAbsence(const ApiFailure& failure);
  void NoteDecodeError(const std::string& error);
  bool BackOff(const std::stop_token& stop);

  // constant after construction
  const ReflectorOptions options_;
  ApiClient& client_;
  ObjectCache<T>& cache_;
  const base::Clock& clock_;
  const base::Logger log_;
  // state of the loop
  const std::unique_ptr<Decoder> decoder_;
  std::size_t older_ = 0;  // of the path that is asked; 0: the newest
  std::string resource_version_;
  std::optional<ListReason> list_reason_ = ListReason::kStart;  // nothing while the watch is good
  bool streamed_lists_;
  std::optional<Initial> initial_;
  bool event_error_ = false;  // the server ended the watch with another error than 410
  std::int64_t answered_ns_ = 0;
  std::int64_t backoff_ms_ = 0;
  int silent_watches_ = 0;  // in a row, that brought no event
  std::int64_t retry_after_ms_ = 0;
  std::uint64_t jitter_ = 0;
};

}  // namespace azexporter::kube
