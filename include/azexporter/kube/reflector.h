#pragma once

// A Reflector keeps an ObjectCache equal to one resource of the API server: a list in pages, then a
// watch from that list's version, resumed where it ended, and a new list whenever the server says
// that the version is too old (410 Gone, as a status or as an ERROR event).
// Semantics: kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes.
//
// Thread safety: one thread only; the cache it writes to is thread-safe.

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "azexporter/base/clock.h"
#include "azexporter/base/logger.h"
#include "azexporter/base/result.h"
#include "azexporter/kube/api_client.h"
#include "azexporter/kube/object_cache.h"

namespace azexporter::kube {

struct ReflectorOptions {
  std::string path;       // "/api/v1/pods"
  std::string selectors;  // "fieldSelector=metadata.name%3Dx", empty for none
  // A resource that a server may lack (404), or that may be forbidden without making the whole
  // useless: see ResourceHealth.
  bool optional = false;
  int page_size = 500;
  // For one page of a list.
  std::int64_t list_timeout_ms = 60'000;
  // How long the server is asked to keep a watch open.
  std::int64_t watch_timeout_ms = 300'000;
  // A watch without a byte for this long is taken for dead. Bookmarks come about once a minute.
  std::int64_t idle_timeout_ms = 90'000;
  // Pause after a failure: doubles from min to max, jittered, back to min after an answer.
  std::int64_t min_backoff_ms = 1'000;
  std::int64_t max_backoff_ms = 30'000;
  // Until a server that lacked an optional resource is asked for it again.
  std::int64_t absent_retry_ms = 300'000;
};

struct ValuePools;

template <class T>
class Reflector {
 public:
  // `client`, `cache` and `clock` must outlive this.
  Reflector(ReflectorOptions options, ApiClient& client, ObjectCache<T>& cache,
            const base::Clock& clock, base::Logger log);
  ~Reflector();
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  // Reads the whole list once into the cache. The error also stands in the cache's health.
  base::Result<void> ListOnce(std::stop_token stop);
  // Lists and watches until `stop` is requested. Failures are logged and kept in the health.
  void Run(std::stop_token stop);

 private:
  enum class Next { kWatch, kList, kBackOff };

  ApiResult<void> ListPages(const std::stop_token& stop);
  Next WatchOnce(const std::stop_token& stop);
  Next OnLine(std::string& line);
  void OnAnswer();
  void OnFailure(std::string_view doing, const ApiFailure& failure, const std::stop_token& stop);
  // Whether the failure means that the server does not have the resource, which is then noted.
  bool NoteAbsence(const ApiFailure& failure);
  void NoteDecodeError(const std::string& error);
  std::string QueryPath(const std::string& query) const;

  // constant after construction
  const ReflectorOptions options_;
  ApiClient& client_;
  ObjectCache<T>& cache_;
  const base::Clock& clock_;
  const base::Logger log_;
  // state of the loop
  const std::unique_ptr<ValuePools> pools_;
  std::string resource_version_;
  std::int64_t backoff_ms_ = 0;
  int silent_watches_ = 0;  // in a row, that brought no line
  std::int64_t retry_after_ms_ = 0;
  std::uint64_t jitter_ = 0;
};

}  // namespace azexporter::kube
