#pragma once

// An API server of pods without a network, in a time of its own: while a client waits for it, hours
// pass in moments, the cluster changes, and what goes wrong in life goes wrong. A seed decides it
// all.
//
// Thread safety: one thread only.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/net/http_client.h"
#include "simulator/json.h"

namespace azexporter::kube {

class FakeApi final : public net::HttpTransport {
 public:
  struct Options {
    std::uint32_t seed = 1;
    bool protobuf = true;
    // How the server takes sendInitialEvents: as a new one, refused as by one that has it switched
    // off, or passed over as by one from before it existed.
    enum class Streams { kServed, kRefused, kUnknown } streams = Streams::kServed;
  };

  FakeApi(Options options, base::FakeClock& clock);

  base::Result<net::HttpResponse> Stream(const net::HttpRequest& request,
                                         const net::ChunkHandler& on_chunk,
                                         std::stop_token stop) override;

  // Lets time pass, and what happens in it. `on_second` is called about once a second of it.
  void Pass(std::int64_t ms);
  void OnSecond(std::function<void()> on_second) { on_second_ = std::move(on_second); }
  // From now on nothing goes wrong any more, and nothing changes.
  void CalmDown() { calm_ = true; }

  const std::map<std::string, simulator::Json>& pods() const { return state_.pods; }
  // A watch is open, and has told all there is.
  bool all_told() const { return told_version_ == state_.version; }
  // How often each thing went wrong.
  const std::map<std::string, int>& faults() const { return faults_; }

 private:
  struct Event {
    std::int64_t version;
    const char* type;
    simulator::Json pod;
  };
  struct State {
    std::map<std::string, simulator::Json> pods;
    std::int64_t version = 1;
  };
  base::Result<net::HttpResponse> List(const net::HttpRequest& request);
  using Query = std::map<std::string, std::string>;

  bool Chance(double probability);
  std::int64_t Between(std::int64_t least, std::int64_t most);
  void Change();
  void Log(const char* type, const simulator::Json& pod);
  void RestoreBackup();
  bool Down() const { return clock_.SteadyNs() < down_until_ns_; }
  static Query QueryOf(const std::string& url);
  net::HttpResponse Refuse(int status, std::string body) const;
  std::optional<net::HttpResponse> Trouble();
  std::string Frame(const simulator::Json& event) const;
  static simulator::Json EventJson(const char* type, const simulator::Json& object);
  static simulator::Json Bookmark(std::int64_t version, bool end);

  const Options options_;
  base::FakeClock& clock_;
  std::mt19937 random_;
  State state_;
  State backup_;
  std::deque<Event> log_;
  std::int64_t oldest_ = 1;  // the oldest version that a watch may go on from
  std::int64_t restarts_ = 0;
  std::int64_t down_until_ns_ = 0;
  std::int64_t told_version_ = 0;  // by the watch that is open; 0: none
  std::function<void()> on_second_ = [] {};
  bool calm_ = false;
  int names_ = 0;
  std::map<std::string, std::vector<simulator::Json>> pages_;  // by continue token: what is left
  std::map<std::string, int> faults_;
};

}  // namespace azexporter::kube
