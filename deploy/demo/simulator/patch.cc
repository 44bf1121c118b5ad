#include "simulator/patch.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace azexporter::simulator {
namespace {

constexpr int kMaxDepth = 100;

struct MergeKey {
  std::string_view list;
  std::string_view key;
  std::string_view second_key;  // empty: one key is enough
};

// Source: the patchMergeKey tags of k8s.io/api; taints are told apart by their effect as well, so
// that two taints of one key (unreachable:NoSchedule and :NoExecute) live side by side.
constexpr MergeKey kMergeKeys[] = {
    {"containers", "name", ""},       {"initContainers", "name", ""},
    {"conditions", "type", ""},       {"taints", "key", "effect"},
    {"addresses", "type", "address"}, {"env", "name", ""},
    {"volumes", "name", ""},          {"volumeMounts", "mountPath", ""},
    {"ports", "port", "protocol"},    {"ownerReferences", "uid", ""},
};

const MergeKey* KeyOfList(std::string_view name) {
  const auto found = std::find_if(std::begin(kMergeKeys), std::end(kMergeKeys),
                                  [&](const MergeKey& key) { return key.list == name; });
  return found == std::end(kMergeKeys) ? nullptr : found;
}

bool AllObjects(const Json& list) {
  return list.is_array() &&
         std::all_of(list.begin(), list.end(), [](const Json& item) { return item.is_object(); });
}

void StrategicMerge(Json& target, const Json& patch, int depth);

void MergeList(Json& target, const Json& patch, const MergeKey& key, int depth) {
  const auto same = [&](const Json& a, const Json& b) {
    const auto equal = [&](std::string_view field) {
      if (field.empty()) return true;
      const Json* x = Find(a, {field});
      const Json* y = Find(b, {field});
      return x != nullptr && y != nullptr && *x == *y;
    };
    return equal(key.key) && (Find(b, {key.second_key}) == nullptr || equal(key.second_key));
  };
  for (const Json& item : patch) {
    const std::string directive = StringAt(item, {"$patch"});
    const auto found = std::find_if(target.begin(), target.end(),
                                    [&](const Json& existing) { return same(existing, item); });
    if (directive == "delete") {
      if (found != target.end()) target.erase(found);
    } else if (found != target.end()) {
      StrategicMerge(*found, item, depth + 1);
    } else if (directive != "replace") {
      target.push_back(item);
    }
  }
}

void StrategicMerge(Json& target, const Json& patch, int depth) {
  if (!target.is_object()) target = Json::object();
  for (const auto& [key, value] : patch.items()) {
    // "$setElementOrder", "$retainKeys" and the like only direct how to merge.
    if (key.starts_with('$')) continue;
    if (value.is_null()) {
      target.erase(key);
      continue;
    }
    const MergeKey* merge_key = KeyOfList(key);
    if (value.is_object() && depth < kMaxDepth) {
      StrategicMerge(target[key], value, depth + 1);
    } else if (merge_key != nullptr && target.contains(key) && AllObjects(target[key]) &&
               AllObjects(value)) {
      MergeList(target[key], value, *merge_key, depth);
      if (target[key].empty()) target.erase(key);
    } else {
      target[key] = value;
    }
  }
}

}  // namespace

ApiResult<Json> ApplyPatch(const Json& object, std::string_view content_type,
                           std::string_view body) {
  const std::string_view media = content_type.substr(0, content_type.find(';'));
  const auto patch = ParseJson(body);
  if (!patch) {
    return tl::unexpected(BadRequest("error decoding patch: " + patch.error().message()));
  }
  Json out = object;
  if (media == "application/json-patch+json") {
    // The library reports a patch that does not fit by throwing; it goes no further than this.
    try {
      return out.patch(*patch);
    } catch (const Json::exception& error) {
      ApiError refused = BadRequest(error.what());
      refused.code = 422;
      refused.reason = "Invalid";
      return tl::unexpected(refused);
    }
  }
  if (!patch->is_object()) return tl::unexpected(BadRequest("a patch must be a JSON object"));
  if (media == "application/merge-patch+json") {
    out.merge_patch(*patch);
  } else if (media == "application/strategic-merge-patch+json" ||
             media == "application/apply-patch+yaml") {
    StrategicMerge(out, *patch, 0);
  } else {
    return tl::unexpected(
        ApiError{415, "UnsupportedMediaType",
                 "the body of the request was in an unknown format - accepted media types include: "
                 "application/json-patch+json, application/merge-patch+json, "
                 "application/strategic-merge-patch+json, application/apply-patch+yaml",
                 Json::object()});
  }
  return out;
}

}  // namespace azexporter::simulator
