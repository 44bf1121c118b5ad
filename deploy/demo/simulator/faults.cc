#include "simulator/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "azexporter/base/duration.h"

namespace azexporter::simulator {

using base::BadData;
using base::Result;

namespace {

// How often a held request looks whether its client is still there.
constexpr auto kPoll = std::chrono::milliseconds(20);

constexpr std::pair<std::string_view, FaultVerb> kVerbs[] = {{"any", FaultVerb::kAny},
                                                             {"get", FaultVerb::kGet},
                                                             {"list", FaultVerb::kList},
                                                             {"watch", FaultVerb::kWatch},
                                                             {"write", FaultVerb::kWrite}};
constexpr std::pair<std::string_view, GarbageKind> kGarbageKinds[] = {
    {"text", GarbageKind::kText},
    {"truncated", GarbageKind::kTruncated},
    {"shape", GarbageKind::kShape}};
constexpr std::pair<std::string_view, FaultEffect> kEffects[] = {
    {"status", FaultEffect::kStatus},   {"cut", FaultEffect::kCut},
    {"hang", FaultEffect::kHang},       {"delay", FaultEffect::kDelay},
    {"silent", FaultEffect::kSilent},   {"expire", FaultEffect::kExpire},
    {"garbage", FaultEffect::kGarbage}, {"replay", FaultEffect::kReplay}};

template <class Row, std::size_t kSize>
auto FindWord(const Row (&table)[kSize], std::string_view word)
    -> std::optional<decltype(table[0].second)> {
  for (const auto& [name, value] : table) {
    if (name == word) return value;
  }
  return std::nullopt;
}

template <class Row, std::size_t kSize, class Value>
std::string_view WordOf(const Row (&table)[kSize], Value value) {
  for (const auto& [name, known] : table) {
    if (known == value) return name;
  }
  return "";
}

// The words of a fault, from left to right.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}

  // Empty at the end.
  std::string_view Next() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
    const std::string_view word = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(word.size());
    return word;
  }
  // Takes the next word if it is `word`.
  bool Skip(std::string_view word) {
    Words ahead = *this;
    if (ahead.Next() != word) return false;
    *this = ahead;
    return true;
  }
  Result<std::int64_t> Number(std::string_view what) {
    const std::string_view word = Next();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size() || value < 0) {
      return BadData(fmt::format("\"{}\" is no number of {}", word, what));
    }
    return value;
  }

 private:
  std::string_view rest_;
};

Result<void> ParseEffect(Words& words, Fault& fault) {
  const std::string_view word = words.Next();
  const auto effect = FindWord(kEffects, word);
  if (!effect) {
    return BadData(fmt::format(
        "\"{}\" is no effect: status, cut, hang, delay, silent, expire, garbage or replay", word));
  }
  fault.effect = *effect;
  if (fault.effect == FaultEffect::kStatus) {
    AZX_ASSIGN_OR_RETURN(const std::int64_t status, words.Number("an HTTP status"));
    if (status < 400 || status > 599) {
      return BadData(fmt::format("status {} is no error: 400 to 599", status));
    }
    fault.status = static_cast<int>(status);
  } else if (fault.effect == FaultEffect::kCut && words.Skip("after")) {
    fault.effect = FaultEffect::kCutAfter;
    AZX_ASSIGN_OR_RETURN(fault.bytes, words.Number("bytes"));
    if (!words.Skip("bytes")) return BadData("cut after N must be followed by \"bytes\"");
  } else if (fault.effect == FaultEffect::kDelay) {
    AZX_ASSIGN_OR_RETURN(fault.delay_ms, base::ParseDurationMs(words.Next()));
  } else if (fault.effect == FaultEffect::kGarbage) {
    const std::string_view kind = words.Next();
    const auto garbage = FindWord(kGarbageKinds, kind);
    if (!garbage) {
      return BadData(fmt::format("\"{}\" is no garbage: text, truncated or shape", kind));
    }
    fault.garbage = *garbage;
  } else if (fault.effect == FaultEffect::kReplay) {
    fault.recording = words.Next();
    if (fault.recording.empty()) return BadData("replay must be followed by a recording's name");
  }
  if (fault.effect == FaultEffect::kSilent && fault.verb != FaultVerb::kWatch) {
    return BadData("only a watch can be silent");
  }
  return {};
}

std::string EffectText(const Fault& fault) {
  const std::string_view word = WordOf(kEffects, fault.effect);
  switch (fault.effect) {
    case FaultEffect::kStatus:
      return fmt::format("{} {}", word, fault.status);
    case FaultEffect::kCutAfter:
      return fmt::format("cut after {} bytes", fault.bytes);
    case FaultEffect::kDelay:
      return fmt::format("{} {}", word, base::FormatDurationMs(fault.delay_ms));
    case FaultEffect::kGarbage:
      return fmt::format("{} {}", word, WordOf(kGarbageKinds, fault.garbage));
    case FaultEffect::kReplay:
      return fmt::format("{} {}", word, fault.recording);
    case FaultEffect::kCut:
    case FaultEffect::kHang:
    case FaultEffect::kSilent:
    case FaultEffect::kExpire:
      break;
  }
  return std::string(word);
}

bool MatchesVerb(FaultVerb verb, const RequestInfo& info) {
  switch (verb) {
    case FaultVerb::kAny:
      return true;
    case FaultVerb::kGet:
      return info.verb == "get" || info.verb == "head";
    case FaultVerb::kList:
      return info.verb == "list";
    case FaultVerb::kWatch:
      return info.verb == "watch";
    case FaultVerb::kWrite:
      return info.IsWrite();
  }
  return false;
}

bool Matches(const Fault& fault, const RequestInfo& info) {
  return MatchesVerb(fault.verb, info) &&
         (fault.resource.empty() || fault.resource == info.QualifiedResource()) &&
         (fault.ns.empty() || fault.ns == info.ns);
}

// Whether the request names a version that can be too old.
bool CanExpire(const HttpRequest& request, const RequestInfo& info) {
  if (info.verb != "list" && info.verb != "watch") return false;
  const std::string version = request.Query("resourceVersion");
  return request.HasQuery("continue") || (!version.empty() && version != "0");
}

}  // namespace

Result<Fault> ParseFault(std::string_view text) {
  Words words(text);
  Fault fault;
  const std::string_view verb_word = words.Next();
  const auto verb = FindWord(kVerbs, verb_word);
  if (!verb) {
    return BadData(
        fmt::format("\"{}\" is no verb of a fault: any, get, list, watch or write", verb_word));
  }
  fault.verb = *verb;
  fault.resource = words.Next();
  if (fault.resource.empty()) return BadData("a fault without a resource");
  if (fault.resource == "any") fault.resource.clear();
  if (words.Skip("in")) {
    fault.ns = words.Next();
    if (fault.ns.empty()) return BadData("\"in\" must be followed by a namespace");
  }
  AZX_RETURN_IF_ERROR(ParseEffect(words, fault));
  if (words.Skip("skip")) {
    AZX_ASSIGN_OR_RETURN(fault.skip, words.Number("requests"));
  }
  if (words.Skip("times")) {
    AZX_ASSIGN_OR_RETURN(fault.times, words.Number("requests"));
    if (fault.times == 0) return BadData("a fault must hit at least once");
  }
  if (const std::string_view more = words.Next(); !more.empty()) {
    return BadData(fmt::format("\"{}\" is not understood after \"{}\"", more, ToString(fault)));
  }
  return fault;
}

std::string ToString(const Fault& fault) {
  std::string text = fmt::format("{} {}", WordOf(kVerbs, fault.verb),
                                 fault.resource.empty() ? "any" : fault.resource);
  if (!fault.ns.empty()) text += fmt::format(" in {}", fault.ns);
  text += " " + EffectText(fault);
  if (fault.skip > 0) text += fmt::format(" skip {}", fault.skip);
  if (fault.times > 0) text += fmt::format(" times {}", fault.times);
  return text;
}

Faults::Id Faults::Add(const Fault& fault) {
  base::MutexLock lock(mu_);
  states_.push_back({.entry = {.id = ++last_id_, .fault = fault}});
  return last_id_;
}

Result<Faults::Id> Faults::Add(std::string_view text) {
  AZX_ASSIGN_OR_RETURN(const Fault fault, ParseFault(text));
  return Add(fault);
}

void Faults::Clear(Id id) {
  base::MutexLock lock(mu_);
  std::erase_if(states_, [&](const State& state) { return state.entry.id == id; });
  cleared_.notify_all();
}

void Faults::ClearAll() {
  base::MutexLock lock(mu_);
  states_.clear();
  cleared_.notify_all();
}

std::vector<Faults::Entry> Faults::List() const {
  base::MutexLock lock(mu_);
  std::vector<Entry> entries;
  for (const State& state : states_) entries.push_back(state.entry);
  return entries;
}

std::int64_t Faults::Hits(Id id) const {
  base::MutexLock lock(mu_);
  for (const State& state : states_) {
    if (state.entry.id == id) return state.entry.hits;
  }
  return 0;
}

std::optional<Faults::Entry> Faults::Take(const HttpRequest& request, const RequestInfo& info) {
  base::MutexLock lock(mu_);
  for (State& state : states_) {
    Entry& entry = state.entry;
    const Fault& fault = entry.fault;
    if (fault.times > 0 && entry.hits == fault.times) continue;
    if (!Matches(fault, info)) continue;
    if (fault.effect == FaultEffect::kExpire && !CanExpire(request, info)) continue;
    if (state.seen++ < fault.skip) continue;
    ++entry.hits;
    return entry;
  }
  return std::nullopt;
}

bool Faults::IsSetLocked(Id id) const {
  return std::any_of(states_.begin(), states_.end(),
                     [&](const State& state) { return state.entry.id == id; });
}

bool Faults::IsSilentLocked(const RequestInfo& info, Id hit) const {
  return std::any_of(states_.begin(), states_.end(), [&](const State& state) {
    const Fault& fault = state.entry.fault;
    if (fault.effect != FaultEffect::kSilent) return false;
    // One that is limited in number silences only the watches that it hit when they were opened.
    const bool all = fault.times == 0 && fault.skip == 0;
    return state.entry.id == hit || (all && Matches(fault, info));
  });
}

bool Faults::Hold(Id id, std::int64_t ms, const base::Clock& clock, Client& client) {
  const std::int64_t start_ns = clock.SteadyNs();
  for (;;) {
    if (!client.Alive()) return false;
    const std::int64_t left_ms = ms - (clock.SteadyNs() - start_ns) / 1'000'000;
    if (ms >= 0 && left_ms <= 0) return true;
    const auto wait = ms < 0 ? kPoll : std::min(kPoll, std::chrono::milliseconds(left_ms));
    base::MutexLock lock(mu_);
    const auto cleared = [&]() AZX_REQUIRES(mu_) { return !IsSetLocked(id); };
    if (cleared_.wait_for(mu_, client.stop(), wait, cleared)) return true;
  }
}

bool Faults::HoldWhileSilent(const RequestInfo& info, Id hit, Client& client) {
  for (;;) {
    {
      base::MutexLock lock(mu_);
      const auto audible = [&]() AZX_REQUIRES(mu_) { return !IsSilentLocked(info, hit); };
      if (cleared_.wait_for(mu_, client.stop(), kPoll, audible)) return true;
    }
    if (!client.Alive()) return false;
  }
}

}  // namespace azexporter::simulator
