#pragma once

// What goes wrong between a client and an API server, on purpose: a list of faults that the server
// consults for every request. A fault says what it hits and what happens instead of the answer, in
// C++ or as one line of text:
//
//   list pods status 429 times 3            the first three lists of pods are told to slow down
//   watch nodes cut after 5000 bytes        in the middle of an object
//   any any hang                            accepted, never answered
//   list pods in platform-03 delay 800ms
//   watch pods silent                       stays open, sends nothing more; open watches too
//   list pods expire skip 1                 the second page on: the continue token is too old
//
//   fault    = VERB RESOURCE ["in" NAMESPACE] effect ["skip" N] ["times" N]
//   VERB     = any | get | list | watch | write
//   RESOURCE = any | pods | deployments.apps | ...
//   effect   = status CODE           what a real server sends with this status, 400 to 599
//            | cut                   the connection is closed without an answer
//            | cut after N bytes     ... after N bytes of the body, lists and watches alike
//            | hang                  no answer until the client leaves or the fault is cleared
//            | delay DURATION        the answer comes late
//            | silent                watches only
//            | expire                watches from a version and lists that continue or name one
//            | garbage text          a body that is no JSON
//            | garbage truncated     half a body, ended properly
//            | garbage shape         JSON of the wrong shape
//            | replay NAME           what a real server answered (replay.h)
//
// `any` verb and resource hit every request, discovery and health too.
//
// Thread safety: Faults is thread-safe; Fault is a value.
// Invariants: a request is hit by at most one fault, the first in the order of Add that applies.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/base/mutex.h"
#include "azexporter/base/result.h"
#include "simulator/request_info.h"

namespace azexporter::simulator {

enum class FaultVerb { kAny, kGet, kList, kWatch, kWrite };
enum class FaultEffect {
  kStatus,
  kCut,
  kCutAfter,
  kHang,
  kDelay,
  kSilent,
  kExpire,
  kGarbage,
  kReplay
};
enum class GarbageKind { kText, kTruncated, kShape };

struct Fault {
  FaultVerb verb = FaultVerb::kAny;
  std::string resource;  // "pods", "deployments.apps"; empty: any
  std::string ns;        // empty: any; else requests of this namespace only
  FaultEffect effect = FaultEffect::kHang;
  int status = 0;             // of kStatus
  std::int64_t bytes = 0;     // of kCutAfter: sent before the cut
  std::int64_t delay_ms = 0;  // of kDelay, by the server's clock
  GarbageKind garbage{};      // of kGarbage
  std::string recording;      // of kReplay: "nodes.list.pb"
  std::int64_t skip = 0;      // matching requests that are left alone first
  std::int64_t times = 0;     // requests that are hit; 0: until cleared

  friend bool operator==(const Fault&, const Fault&) = default;
};

// kBadData names the word that is not understood.
base::Result<Fault> ParseFault(std::string_view text);
// The text form; ParseFault(ToString(fault)) is `fault`.
std::string ToString(const Fault& fault);

class Faults {
 public:
  using Id = std::int64_t;

  struct Entry {
    Id id = 0;
    Fault fault;
    std::int64_t hits = 0;  // requests hit so far
  };

  Id Add(const Fault& fault);
  base::Result<Id> Add(std::string_view text);
  // Ends the fault and at once all that hangs, waits or is silent because of it. Used-up faults
  // stay in the list until they are cleared. Unknown ids are ignored.
  void Clear(Id id);
  void ClearAll();
  // In the order of Add.
  std::vector<Entry> List() const;
  // Requests that the fault hit so far; 0 when it is unknown.
  std::int64_t Hits(Id id) const;

  // For the server.

  // The fault that hits this request, counted.
  std::optional<Entry> Take(const HttpRequest& request, const RequestInfo& info);
  // Holds a request until its fault is cleared or `ms` have passed (negative: no limit). False when
  // the client went away or the server stops meanwhile.
  bool Hold(Id id, std::int64_t ms, const base::Clock& clock, Client& client);
  // Holds a watch while it is silenced, by the fault that hit it (`hit`, 0: none) or by one that
  // silences all watches like it. False as above.
  bool HoldWhileSilent(const RequestInfo& info, Id hit, Client& client);

 private:
  struct State {
    Entry entry;
    std::int64_t seen = 0;  // matching requests, those that were skipped included
  };

  bool IsSetLocked(Id id) const AZX_REQUIRES(mu_);
  bool IsSilentLocked(const RequestInfo& info, Id hit) const AZX_REQUIRES(mu_);

  // Guarded by mu_.
  mutable base::Mutex mu_;
  base::CondVar cleared_;
  std::vector<State> states_ AZX_GUARDED_BY(mu_);
  Id last_id_ AZX_GUARDED_BY(mu_) = 0;
};

}  // namespace azexporter::simulator
