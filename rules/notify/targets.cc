#include "azexporter/notify/targets.h"

#include <algorithm>

namespace azexporter::notify {
namespace {

model::Labels WithPlace(const AlertmanagerGroup& group, const model::Labels& target) {
  // As an URL's path, without scheme and host.
  const std::string path =
      PushUrl("", "", group.path_prefix).substr(std::string_view("://").size());
  return model::LabelsBuilder(target)
      .Set(kSchemeLabel, group.scheme)
      .Set(kAlertsPathLabel, path)
      .Build();
}

std::string UrlOf(const model::Labels& target) {
  const std::string_view path = target.Get(kAlertsPathLabel);
  return std::string(target.Get(kSchemeLabel)) + "://" + std::string(target.Get(kAddressLabel)) +
         (path.starts_with('/') ? "" : "/") + std::string(path);
}

bool IsKnown(const Targets& targets, const std::string& url) {
  return std::any_of(targets.alertmanagers.begin(), targets.alertmanagers.end(),
                     [&](const Alertmanager& one) { return one.url == url; });
}

}  // namespace

bool IsTargetAddress(std::string_view address) {
  return !address.empty() && address.find_first_of("/?#@ \t\r\n\"<>") == std::string_view::npos;
}

void AddTargets(const AlertmanagerGroup& group, const std::vector<model::Labels>& targets,
                Targets& to) {
  for (const model::Labels& target : targets) {
    const model::Labels before = WithPlace(group, target);
    const auto after = model::Relabel(before, group.relabel);
    if (!after) {
      to.dropped.push_back(UrlOf(before));
      continue;
    }
    const std::string url = UrlOf(*after);
    const std::string_view scheme = after->Get(kSchemeLabel);
    if (!IsTargetAddress(after->Get(kAddressLabel)) || (scheme != "http" && scheme != "https")) {
      to.errors.push_back("no Alertmanager can be at \"" + url + "\"");
      continue;
    }
    if (IsKnown(to, url)) continue;
    to.alertmanagers.push_back(group.common);
    to.alertmanagers.back().url = url;
  }
}

}  // namespace azexporter::notify
