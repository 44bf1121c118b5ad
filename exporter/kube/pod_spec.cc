#include "azexporter/kube/pod_spec.h"

#include <algorithm>
#include <charconv>

namespace azexporter::kube {

bool Tolerates(const Toleration& toleration, const Taint& taint) {
  if (!toleration.effect.empty() && toleration.effect != taint.effect) return false;
  if (!toleration.key.empty() && toleration.key != taint.key) return false;
  switch (toleration.op) {
    case Toleration::Op::kEqual:
      return toleration.value == taint.value;
    case Toleration::Op::kExists:
      return true;
    case Toleration::Op::kOther:
      return false;
  }
  return false;
}

bool Tolerates(const std::vector<Toleration>& tolerations, const Taint& taint) {
  return std::any_of(tolerations.begin(), tolerations.end(),
                     [&](const Toleration& toleration) { return Tolerates(toleration, taint); });
}

bool PodSpec::AdmitsNode(std::string_view node_name, const StringMap& node_labels) const {
  return MatchesLabels(node_labels, node_selector) &&
         (!required_node_affinity || required_node_affinity->Matches(node_name, node_labels));
}

std::int64_t SleepSeconds(const std::vector<std::string>& command) {
  constexpr std::string_view kSleep = "sleep ";
  constexpr std::int64_t kMost = 100'000;
  std::string_view number;
  for (const std::string& word : command) {
    const std::size_t at = word.rfind(kSleep);
    if (at != std::string::npos) number = std::string_view(word).substr(at + kSleep.size());
  }
  if (number.empty() && command.size() == 2 && command[0].ends_with("sleep")) number = command[1];
  std::int64_t seconds = 0;
  const char* const last = number.data() + number.size();
  const auto [end, error] = std::from_chars(number.data(), last, seconds);
  return error == std::errc() ? std::clamp(seconds, std::int64_t{0}, kMost) : 0;
}

const std::shared_ptr<const PodSpec>& EmptyPodSpec() {
  static const std::shared_ptr<const PodSpec> empty = std::make_shared<const PodSpec>();
  return empty;
}

}  // namespace azexporter::kube
