// A Lease as the API server has it.
// Source: kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1.

#include "azexporter/base/json_writer.h"
#include "azexporter/base/text.h"
#include "azexporter/kube/leader_election.h"
#include "fields.h"

namespace azexporter::kube {
namespace {

using base::Result;

Result<void> ReadSpec(Value value, LeaseRecord& record) {
  return ForEachField("spec", value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "holderIdentity") return Read("spec.holderIdentity", v, record.holder);
    if (key == "leaseDurationSeconds") {
      return Read("spec.leaseDurationSeconds", v, record.duration_seconds);
    }
    if (key == "acquireTime") return Read("spec.acquireTime", v, record.acquire_time);
    if (key == "renewTime") return Read("spec.renewTime", v, record.renew_time);
    if (key == "leaseTransitions") return Read("spec.leaseTransitions", v, record.transitions);
    return {};
  });
}

Result<void> ReadMetadata(Value value, std::string& metadata) {
  od::object object;
  if (auto error = value.json()->get_object().get(object)) return WrongType("metadata", error);
  std::string_view raw;
  if (auto error = object.raw_json().get(raw)) return WrongType("metadata", error);
  metadata = raw;
  return {};
}

Result<Lease> DecodeLease(const std::string& body) {
  Lease lease;
  AZX_RETURN_IF_ERROR(
      ForEachField("lease", body, [&](std::string_view key, Value v) -> Result<void> {
        if (key == "metadata") return ReadMetadata(v, lease.metadata);
        if (key == "spec") return ReadSpec(v, lease.record);
        return {};
      }));
  if (lease.metadata.empty()) return base::BadData("lease: metadata is missing");
  return lease;
}

std::string EncodeLease(const LeaseRecord& record, std::string_view metadata) {
  base::JsonWriter json;
  json.BeginObject().Key("apiVersion").String("coordination.k8s.io/v1");
  json.Key("kind").String("Lease").Key("metadata").Raw(metadata).Key("spec").BeginObject();
  json.Key("holderIdentity").String(record.holder);
  json.Key("leaseDurationSeconds").Int(record.duration_seconds);
  json.Key("acquireTime").String(record.acquire_time);
  json.Key("renewTime").String(record.renew_time);
  json.Key("leaseTransitions").Int(record.transitions);
  json.EndObject().EndObject();
  return json.Take();
}

class ApiLeaseStore final : public LeaseStore {
 public:
  ApiLeaseStore(ApiClient& client, const std::string& ns, const std::string& name)
      : client_(client),
        folder_("/apis/coordination.k8s.io/v1/namespaces/" + base::UrlEscape(ns) + "/leases"),
        path_(folder_ + "/" + base::UrlEscape(name)),
        fresh_metadata_(MetadataOf(ns, name)) {}

  ApiResult<Lease> Get(std::int64_t timeout_ms, std::stop_token stop) override {
    auto answer = client_.Get(path_, Accept::kJson, timeout_ms, std::move(stop));
    if (!answer) return tl::unexpected(std::move(answer.error()));
    return Decoded(std::move(answer->body));
  }
  ApiResult<Lease> Create(const LeaseRecord& record, std::int64_t timeout_ms,
                          std::stop_token stop) override {
    return Decoded(client_.Write({.method = "POST",
                                  .path = folder_,
                                  .body = EncodeLease(record, fresh_metadata_),
                                  .timeout_ms = timeout_ms},
                                 std::move(stop)));
  }
  ApiResult<Lease> Update(const Lease& lease, std::int64_t timeout_ms,
                          std::stop_token stop) override {
    return Decoded(client_.Write({.method = "PUT",
                                  .path = path_,
                                  .body = EncodeLease(lease.record, lease.metadata),
                                  .timeout_ms = timeout_ms},
                                 std::move(stop)));
  }

 private:
  static std::string MetadataOf(const std::string& ns, const std::string& name) {
    base::JsonWriter json;
    json.BeginObject().Key("namespace").String(ns).Key("name").String(name).EndObject();
    return json.Take();
  }
  static ApiResult<Lease> Decoded(ApiResult<std::string> answer) {
    if (!answer) return tl::unexpected(std::move(answer.error()));
    auto lease = DecodeLease(*answer);
    if (!lease) return tl::unexpected<ApiFailure>({lease.error(), 0, 0});
    return std::move(*lease);
  }

  ApiClient& client_;
  const std::string folder_;
  const std::string path_;
  const std::string fresh_metadata_;
};

}  // namespace

std::unique_ptr<LeaseStore> MakeLeaseStore(ApiClient& client, const std::string& ns,
                                           const std::string& name) {
  return std::make_unique<ApiLeaseStore>(client, ns, name);
}

}  // namespace azexporter::kube
