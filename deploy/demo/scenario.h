#pragma once

// A scenario is a story about the platform that can be played: commands (commands.h), pauses, and
// what the alerts of a running azexporter are to become meanwhile.
//
//   # A zone goes and comes back.
//   stage outage: us-east-1a goes down
//   zone us-east-1a down
//   await ZoneUnavailable{zone="us-east-1a"} firing within 60s
//   stage recovery: it comes back
//   zone us-east-1a up
//   await ZoneUnavailable gone within 2m
//
// Beside commands a line is one of
//
//   stage NAME: TEXT    begins a stage; what stands before the first belongs to none and is refused
//   wait DURATION
//   say TEXT
//   await ALERT[{LABEL="VALUE",...}] pending|firing|gone [within DURATION]     default: within 60s
//
// The comment at the top says what the scenario is about. A played scenario is a test: what it
// awaits and does not come is an error that names the line.
//
// Thread safety: ParseScenario is a pure function; a Player is used by one thread.

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/base/result.h"
#include "azexporter/net/http_client.h"

namespace azexporter::platform {

struct AlertPattern {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;  // all of them must be there
};

enum class AwaitedState { kPending, kFiring, kGone };

enum class StepKind { kCommand, kWait, kSay, kAwait };

struct Step {
  StepKind kind = StepKind::kCommand;
  int line = 0;          // 1-based
  std::string text;      // the line as written; of kSay: what is said
  std::int64_t ms = 0;   // of kWait: how long; of kAwait: at most
  AlertPattern alert{};  // of kAwait
  AwaitedState state = AwaitedState::kFiring;
};

struct Stage {
  std::string name;
  std::string text;
  std::vector<Step> steps;
};

struct Scenario {
  std::string file;
  std::string about;  // the comment at the top
  std::vector<Stage> stages;
};

// kBadData "file:line: ...".
base::Result<Scenario> ParseScenario(std::string_view text, const std::string& file);

struct PlayerOptions {
  std::string control_url;     // of the platform, ".../_platform"
  std::string azexporter_url;  // whose alerts are followed; empty: none, and nothing can be awaited
  // `wait` lasts this much shorter; `await` is never shortened.
  double pace = 1;
  // Told what happens, a line each, without its end.
  std::function<void(const std::string&)> print = [](const std::string&) {};
};

class Player {
 public:
  // `clock` must outlive the player.
  Player(PlayerOptions options, const base::Clock& clock);

  // kExecution "file:line: ..." for a command that is refused or an alert that does not come;
  // kCanceled on `stop`.
  base::Result<void> Play(const Scenario& scenario, const std::stop_token& stop = {});
  base::Result<void> PlayStage(const Scenario& scenario, const Stage& stage,
                               const std::stop_token& stop = {});

 private:
  struct SeenAlert {
    std::string name;
    std::map<std::string, std::string> labels;
    std::string state;  // "pending", "firing"
  };

  base::Result<void> PlayStep(const Step& step, const std::stop_token& stop);
  base::Result<void> SendCommand(const std::string& command);
  base::Result<void> Follow(std::int64_t ms, const std::function<bool()>& enough,
                            const std::stop_token& stop);
  bool Holds(const Step& step) const;
  // Reads the alerts again and prints what changed.
  void LookAtAlerts();
  void Say(const std::string& line);

  const PlayerOptions options_;
  const base::Clock& clock_;
  net::HttpClient http_;
  const std::int64_t start_ns_;
  std::map<std::string, SeenAlert> alerts_;  // by all of their labels
  bool alerts_known_ = false;                // read at least once
};

}  // namespace azexporter::platform
