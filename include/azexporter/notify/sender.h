#pragma once

// Tells Alertmanagers of alerts. Each Alertmanager has a queue and a thread of its own, so that one
// that hangs delays no other. The queue is bounded; when it is full the oldest alerts give way.
//
// A batch that an Alertmanager does not take is counted and forgotten: the rules hand every alert
// over again while it fires, and for 15 minutes after its end. Nothing is kept on disk.
// Semantics: prometheus/notifier.
//
// Thread safety: Sender is thread-safe; the structs are values.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/base/logger.h"
#include "azexporter/model/labels.h"
#include "azexporter/notify/alert.h"

namespace azexporter::notify {

// Where an Alertmanager is, and how it wants to be spoken to. The files are read anew for each
// batch: a rotated password or certificate needs no reload.
struct Alertmanager {
  std::string url;                   // what alerts are posted to, without userinfo: see PushUrl
  std::int64_t timeout_ms = 10'000;  // of a whole exchange
  std::string username;              // basic authentication; empty: none
  std::string password_file;
  std::string ca_file;  // empty: the system's bundle
  std::string cert_file;
  std::string key_file;
  bool insecure_skip_verify = false;

  friend bool operator==(const Alertmanager&, const Alertmanager&) = default;
};

// "http" "am:9093" "/prefix/" -> "http://am:9093/prefix/api/v2/alerts"
std::string PushUrl(std::string_view scheme, std::string_view target, std::string_view path_prefix);

struct SenderOptions {
  std::size_t queue_capacity = 10'000;  // alerts, for each Alertmanager
  std::size_t max_batch = 256;          // alerts in a request
  // At a stop: how long what is queued may still take to be sent, and how long a single exchange
  // may last before its Alertmanager counts as hanging and is given up.
  std::int64_t drain_ms = 5'000;
  std::int64_t drain_stall_ms = 500;
};

struct SenderDeps {
  const base::Clock& clock;  // must outlive the sender
  base::Logger log;
};

struct SenderStats {
  struct PerAlertmanager {
    std::string url;
    std::uint64_t sent = 0;    // alerts that were taken
    std::uint64_t errors = 0;  // alerts that were not, because of an error
  };
  std::vector<PerAlertmanager> alertmanagers;  // in the order of the configuration
  std::uint64_t dropped = 0;     // alerts thrown out of a full queue, or left over at a stop
  std::size_t queue_length = 0;  // of the fullest queue
  std::size_t queue_capacity = 0;
};

class Sender {
 public:
  Sender(SenderOptions options, SenderDeps deps);
  // As Stop.
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // Sends to these Alertmanagers from now on; of several with one URL only to the first. What is
  // queued for a URL that stays is still sent, whatever else of it changed.
  void Configure(std::vector<Alertmanager> alertmanagers, model::Labels external_labels);
  // Queues the alerts for every Alertmanager, with the external labels. Never waits for one.
  void Send(std::vector<Alert> alerts);
  // Sends what is queued, as long as that goes well, and ends the threads: at once when nothing is
  // queued, after drain_stall_ms for an Alertmanager that hangs, after drain_ms at the latest.
  // Alerts that come later are ignored. May be called again.
  void Stop();

  SenderStats Stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::notify
