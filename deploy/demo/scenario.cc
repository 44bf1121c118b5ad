#include "scenario.h"

#include <fmt/format.h>

#include <algorithm>

#include "azexporter/base/duration.h"
#include "azexporter/base/text.h"
#include "azexporter/base/wait.h"
#include "commands.h"
#include "simulator/json.h"

namespace azexporter::platform {

using base::ErrorCode;
using base::Fail;
using base::Result;
using simulator::Json;
using simulator::StringAt;

namespace {

constexpr std::int64_t kAwaitMs = 60'000;
constexpr std::int64_t kLookMs = 200;

// What stands behind `word` and a space; empty when the line does not begin with it.
std::string_view Behind(std::string_view line, std::string_view word) {
  if (!line.starts_with(word) || line.size() <= word.size() || line[word.size()] != ' ') return {};
  return base::Trim(line.substr(word.size() + 1));
}

// NAME or NAME{label="value",...}; takes it off the front of `rest`.
Result<AlertPattern> ReadPattern(std::string_view& rest) {
  AlertPattern pattern;
  const std::size_t end = std::min(rest.find_first_of(" {"), rest.size());
  pattern.name = rest.substr(0, end);
  rest.remove_prefix(end);
  if (pattern.name.empty()) return base::BadData("await: which alert?");
  if (!rest.starts_with('{')) return pattern;
  const std::size_t close = rest.find('}');
  if (close == std::string_view::npos) return base::BadData("await: no } after the labels");
  std::string_view labels = rest.substr(1, close - 1);
  rest.remove_prefix(close + 1);
  while (!labels.empty()) {
    const std::size_t open = labels.find("=\"");
    const std::size_t quote = open == std::string_view::npos ? open : labels.find('"', open + 2);
    if (quote == std::string_view::npos) {
      return base::BadData("await: labels are LABEL=\"VALUE\", ...");
    }
    pattern.labels.emplace_back(base::Trim(labels.substr(0, open)),
                                labels.substr(open + 2, quote - open - 2));
    labels = base::Trim(labels.substr(quote + 1));
    if (labels.starts_with(',')) labels = base::Trim(labels.substr(1));
  }
  return pattern;
}

Result<Step> ReadAwait(std::string_view rest) {
  Step step{.kind = StepKind::kAwait, .ms = kAwaitMs};
  AZX_ASSIGN_OR_RETURN(step.alert, ReadPattern(rest));
  rest = base::Trim(rest);
  const std::string_view state = rest.substr(0, rest.find(' '));
  if (state == "pending") {
    step.state = AwaitedState::kPending;
  } else if (state == "firing") {
    step.state = AwaitedState::kFiring;
  } else if (state == "gone") {
    step.state = AwaitedState::kGone;
  } else {
    return base::BadData(
        fmt::format("await {}: pending, firing or gone, not \"{}\"", step.alert.name, state));
  }
  rest = base::Trim(rest.substr(state.size()));
  if (rest.empty()) return step;
  AZX_ASSIGN_OR_RETURN(step.ms, base::ParseDurationMs(Behind(rest, "within")));
  return step;
}

Result<Step> ReadStep(std::string_view line) {
  if (const std::string_view rest = Behind(line, "wait"); !rest.empty()) {
    Step step{.kind = StepKind::kWait};
    AZX_ASSIGN_OR_RETURN(step.ms, base::ParseDurationMs(rest));
    return step;
  }
  if (const std::string_view rest = Behind(line, "say"); !rest.empty()) {
    return Step{.kind = StepKind::kSay, .text = std::string(rest)};
  }
  if (const std::string_view rest = Behind(line, "await"); !rest.empty()) return ReadAwait(rest);
  AZX_RETURN_IF_ERROR(ParseCommand(line));
  return Step{.kind = StepKind::kCommand};
}

Result<Stage> ReadStage(std::string_view rest) {
  const std::size_t colon = rest.find(':');
  if (colon == 0 || colon == std::string_view::npos) {
    return base::BadData("a stage is \"stage NAME: TEXT\"");
  }
  return Stage{.name = std::string(base::Trim(rest.substr(0, colon))),
               .text = std::string(base::Trim(rest.substr(colon + 1)))};
}

// Adds one line that is neither empty nor a comment.
Result<void> ReadLine(std::string_view line, int number, Scenario& scenario) {
  if (const std::string_view rest = Behind(line, "stage"); !rest.empty()) {
    AZX_ASSIGN_OR_RETURN(Stage stage, ReadStage(rest));
    scenario.stages.push_back(std::move(stage));
    return {};
  }
  if (scenario.stages.empty()) return base::BadData("a scenario begins with a stage");
  AZX_ASSIGN_OR_RETURN(Step step, ReadStep(line));
  step.line = number;
  if (step.text.empty()) step.text = line;
  scenario.stages.back().steps.push_back(std::move(step));
  return {};
}

}  // namespace

Result<Scenario> ParseScenario(std::string_view text, const std::string& file) {
  Scenario scenario{.file = file};
  int number = 0;
  bool at_top = true;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = base::Trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.starts_with('#')) {
      if (at_top) scenario.about += std::string(base::Trim(line.substr(1))) + "\n";
      continue;
    }
    at_top = false;
    if (line.empty()) continue;
    if (auto read = ReadLine(line, number, scenario); !read) {
      return Fail(std::move(read.error()).WithContext(fmt::format("{}:{}", file, number)));
    }
  }
  if (scenario.stages.empty()) return base::BadData(file + ": no stage");
  return scenario;
}

Player::Player(PlayerOptions options, const base::Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      http_({.user_agent = "azexporter-platform"}),
      start_ns_(clock.SteadyNs()) {}

void Player::Say(const std::string& line) {
  const double seconds = static_cast<double>(clock_.SteadyNs() - start_ns_) / 1e9;
  options_.print(fmt::format("{:6.1f}s  {}", seconds, line));
}

Result<void> Player::Play(const Scenario& scenario, const std::stop_token& stop) {
  for (const Stage& stage : scenario.stages) {
    AZX_RETURN_IF_ERROR(PlayStage(scenario, stage, stop));
  }
  return {};
}

Result<void> Player::PlayStage(const Scenario& scenario, const Stage& stage,
                               const std::stop_token& stop) {
  LookAtAlerts();
  Say(fmt::format("== {}: {}", stage.name, stage.text));
  for (const Step& step : stage.steps) {
    if (auto played = PlayStep(step, stop); !played) {
      return Fail(
          std::move(played.error()).WithContext(fmt::format("{}:{}", scenario.file, step.line)));
    }
  }
  return {};
}

Result<void> Player::PlayStep(const Step& step, const std::stop_token& stop) {
  switch (step.kind) {
    case StepKind::kCommand:
      Say("> " + step.text);
      return SendCommand(step.text);
    case StepKind::kSay:
      Say("   " + step.text);
      return {};
    case StepKind::kWait:
      return Follow(
          step.ms, [] { return false; }, stop);
    case StepKind::kAwait:
      if (options_.azexporter_url.empty()) return base::BadData("await: no azexporter to ask");
      AZX_RETURN_IF_ERROR(Follow(
          step.ms, [&] { return Holds(step); }, stop));
      if (Holds(step)) return {};
      return Fail(ErrorCode::kExecution,
                  fmt::format("{}: did not come about{}", step.text,
                              alerts_known_ ? "" : ": the alerts could not be read"));
  }
  return {};
}

Result<void> Player::SendCommand(const std::string& command) {
  AZX_ASSIGN_OR_RETURN(const net::HttpResponse response,
                       http_.Fetch({.method = "POST",
                                    .url = options_.control_url + "/do",
                                    .body = command,
                                    .timeout_ms = 60'000}));
  if (response.ok()) return {};
  return Fail(ErrorCode::kExecution, std::string(base::Trim(response.body, " \t\r")));
}

// Follows the alerts for this long, or until there is enough.
Result<void> Player::Follow(std::int64_t ms, const std::function<bool()>& enough,
                            const std::stop_token& stop) {
  const std::int64_t end_ns = clock_.SteadyNs() + ms * 1'000'000;
  for (;;) {
    LookAtAlerts();
    const std::int64_t left_ms = (end_ns - clock_.SteadyNs()) / 1'000'000;
    if (left_ms <= 0 || enough()) return {};
    if (!base::WaitFor(stop, std::min(kLookMs, left_ms))) {
      return Fail(ErrorCode::kCanceled, "stopped");
    }
  }
}

bool Player::Holds(const Step& step) const {
  if (!alerts_known_) return false;
  const auto matches = [&](const auto& entry) {
    const SeenAlert& alert = entry.second;
    return alert.name == step.alert.name &&
           std::all_of(step.alert.labels.begin(), step.alert.labels.end(), [&](const auto& label) {
             const auto found = alert.labels.find(label.first);
             return found != alert.labels.end() && found->second == label.second;
           });
  };
  if (step.state == AwaitedState::kGone) {
    return std::none_of(alerts_.begin(), alerts_.end(), matches);
  }
  const std::string_view state = step.state == AwaitedState::kFiring ? "firing" : "pending";
  return std::any_of(alerts_.begin(), alerts_.end(), [&](const auto& entry) {
    return matches(entry) && entry.second.state == state;
  });
}

void Player::LookAtAlerts() {
  if (options_.azexporter_url.empty()) return;
  const auto response =
      http_.Fetch({.url = options_.azexporter_url + "/api/v1/alerts", .timeout_ms = 5'000});
  if (!response || !response->ok()) return;
  const auto answer = simulator::ParseJson(response->body);
  const Json* list = answer ? simulator::Find(*answer, {"data", "alerts"}) : nullptr;
  if (list == nullptr) return;
  std::map<std::string, SeenAlert> now;
  for (const Json& alert : *list) {
    SeenAlert seen{.state = StringAt(alert, {"state"})};
    std::string others;
    for (const auto& [name, value] : alert.at("labels").items()) {
      const auto text = value.get<std::string>();
      if (name == "alertname") {
        seen.name = text;
      } else {
        seen.labels[name] = text;
      }
    }
    for (const auto& [name, value] : seen.labels) {
      others += fmt::format("{}{}=\"{}\"", others.empty() ? "" : ", ", name, value);
    }
    now.emplace(fmt::format("{}{{{}}}", seen.name, others), std::move(seen));
  }
  for (const auto& [text, alert] : now) {
    const auto before = alerts_.find(text);
    if (before == alerts_.end() || before->second.state != alert.state) {
      Say(fmt::format("     {:<8} {}", alert.state, text));
    }
  }
  for (const auto& [text, alert] : alerts_) {
    if (!now.contains(text)) {
      Say(fmt::format("     {:<8} {}", alert.state == "firing" ? "resolved" : "gone", text));
    }
  }
  alerts_ = std::move(now);
  alerts_known_ = true;
}

}  // namespace azexporter::platform
