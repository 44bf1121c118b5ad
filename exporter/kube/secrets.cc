#include "azexporter/kube/secrets.h"

#include <algorithm>

#include "base64.h"
#include "fields.h"

namespace azexporter::kube {
namespace {

using base::Result;

// A DNS subdomain, so that no name leads to another path.
bool IsObjectName(std::string_view name) {
  constexpr std::size_t kMost = 253;
  constexpr std::string_view kEnds = "abcdefghijklmnopqrstuvwxyz0123456789";
  return !name.empty() && name.size() <= kMost &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") == name.npos &&
         kEnds.find(name.front()) != kEnds.npos && kEnds.find(name.back()) != kEnds.npos;
}

Result<StringMap> DecodeSecret(const std::string& body) {
  StringMap data;
  AZX_RETURN_IF_ERROR(
      ForEachField("secret", body, [&](std::string_view key, Value v) -> Result<void> {
        return key == "data" ? Read("data", v, data) : Result<void>();
      }));
  for (auto& [key, value] : data) {
    std::optional<std::string> decoded = DecodeBase64(std::move(value));
    if (!decoded) return base::BadData("key \"" + key + "\" is not base64");
    value = std::move(*decoded);
  }
  return data;
}

}  // namespace

ApiResult<StringMap> ReadSecret(ApiClient& client, const std::string& ns, const std::string& name,
                                std::int64_t timeout_ms, std::stop_token stop) {
  for (const std::string& one : {ns, name}) {
    if (IsObjectName(one)) continue;
    return tl::unexpected<ApiFailure>(
        {base::Error(base::ErrorCode::kBadData, "no object is called \"" + one + "\""), 0, 0});
  }
  auto answer = client.Get("/api/v1/namespaces/" + ns + "/secrets/" + name, Accept::kJson,
                           timeout_ms, std::move(stop));
  if (!answer) return tl::unexpected(std::move(answer.error()));
  auto data = DecodeSecret(answer->body);
  if (!data) return tl::unexpected<ApiFailure>({data.error(), 0, 0});
  return std::move(*data);
}

}  // namespace azexporter::kube
