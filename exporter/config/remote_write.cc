// The key `remote_write`, as Prometheus has it, as far as it is understood.
// Source: prometheus.io/docs/prometheus/latest/configuration/configuration/#remote_write.

#include "decode.h"

namespace azexporter::config {
namespace {

// Keys that Prometheus knows and azexporter does not. They are refused with another message than a
// misspelt key.
constexpr std::string_view kNotYet[] = {"failed_request_logging"};

Result<void> ReadMessage(YamlMap& map, remote::WriteMessage& message) {
  const YamlNode* node = map.Find("protobuf_message");
  if (node == nullptr || node->scalar() == "prometheus.WriteRequest") return {};
  if (node->scalar() != "io.prometheus.write.v2.Request") {
    return Fail(node->ErrorHere(
        "protobuf_message must be prometheus.WriteRequest or io.prometheus.write.v2.Request, "
        "got \"" +
        node->scalar() + "\""));
  }
  message = remote::WriteMessage::kV2;
  return {};
}

// There is nothing of the kind to send; saying so is no fault.
Result<void> RefuseTrue(YamlMap& map, std::string_view key) {
  bool wanted = false;
  AZX_RETURN_IF_ERROR(ReadBool(map, key, wanted));
  if (!wanted) return {};
  return Fail(map.Find(key)->ErrorHere("\"" + std::string(key) + "\" is not supported yet"));
}

Result<void> ReadCount(YamlMap& map, std::string_view key, std::int64_t most, std::size_t& out) {
  const YamlNode* node = map.Find(key);
  if (node == nullptr) return {};
  AZX_ASSIGN_OR_RETURN(const std::int64_t count, node->AsInt64());
  if (count < 1 || count > most) {
    return Fail(node->ErrorHere(std::string(key) + " must be from 1 to " + std::to_string(most) +
                                ", got " + node->scalar()));
  }
  out = static_cast<std::size_t>(count);
  return {};
}

// There is one shard to a queue, whatever the greatest number of them is: samples of one series are
// never reordered by adding one.
Result<void> ReadShards(YamlMap& map) {
  constexpr std::int64_t kMost = 1'000;
  std::size_t most = 1;
  std::size_t least = 1;
  AZX_RETURN_IF_ERROR(ReadCount(map, "max_shards", kMost, most));
  return ReadCount(map, "min_shards", 1, least);
}

Result<void> ReadQueue(YamlMap& map, remote::WriteTarget& out) {
  constexpr std::int64_t kMostQueued = 100'000'000;
  constexpr std::int64_t kMostPerSend = 100'000;
  AZX_RETURN_IF_ERROR(ReadCount(map, "capacity", kMostQueued, out.capacity));
  AZX_RETURN_IF_ERROR(
      ReadCount(map, "max_samples_per_send", kMostPerSend, out.max_samples_per_send));
  AZX_RETURN_IF_ERROR(ReadShards(map));
  AZX_RETURN_IF_ERROR(ReadDuration(map, "batch_send_deadline", 1, out.batch_send_deadline_ms));
  AZX_RETURN_IF_ERROR(ReadDuration(map, "min_backoff", 1, out.min_backoff_ms));
  AZX_RETURN_IF_ERROR(ReadDuration(map, "max_backoff", 1, out.max_backoff_ms));
  if (out.max_backoff_ms < out.min_backoff_ms) {
    const YamlNode* node = map.Find("max_backoff");
    if (node == nullptr) node = map.Find("min_backoff");
    return Fail(node->ErrorHere("min_backoff must not be longer than max_backoff"));
  }
  AZX_RETURN_IF_ERROR(ReadBool(map, "retry_on_http_429", out.retry_on_http_429));
  return ReadDuration(map, "sample_age_limit", 0, out.sample_age_limit_ms);
}

Result<void> ReadMetadata(YamlMap& map, remote::WriteTarget& out) {
  std::size_t unused = 0;
  constexpr std::int64_t kMostPerSend = 100'000;
  AZX_RETURN_IF_ERROR(ReadBool(map, "send", out.send_metadata));
  AZX_RETURN_IF_ERROR(ReadDuration(map, "send_interval", 1'000, out.metadata_interval_ms));
  // All families fit into one request.
  return ReadCount(map, "max_samples_per_send", kMostPerSend, unused);
}

Result<void> ReadTarget(const YamlNode& item, YamlMap& map,
                        std::vector<remote::WriteTarget>& targets) {
  AZX_RETURN_IF_ERROR(RefuseNotYet(item, kNotYet));
  remote::WriteTarget target;
  AZX_RETURN_IF_ERROR(ReadEndpoint(item, map, target.endpoint));
  target.name = target.endpoint.url;
  AZX_RETURN_IF_ERROR(ReadText(map, "name", target.name));
  AZX_RETURN_IF_ERROR(ReadDuration(map, "remote_timeout", 10, target.timeout_ms));
  AZX_RETURN_IF_ERROR(ReadMessage(map, target.message));
  AZX_RETURN_IF_ERROR(ReadRelabelRules(map, "write_relabel_configs", target.relabel));
  AZX_RETURN_IF_ERROR(RefuseTrue(map, "send_exemplars"));
  AZX_RETURN_IF_ERROR(ReadBool(map, "send_native_histograms", target.send_native_histograms));
  AZX_RETURN_IF_ERROR(ReadSection(map, "queue_config",
                                  [&](YamlMap& section) { return ReadQueue(section, target); }));
  AZX_RETURN_IF_ERROR(ReadSection(map, "metadata_config",
                                  [&](YamlMap& section) { return ReadMetadata(section, target); }));
  for (const remote::WriteTarget& other : targets) {
    if (other.name != target.name) continue;
    return Fail(item.ErrorHere("remote_write \"" + target.name +
                               "\" is there twice; give each a name of its own"));
  }
  targets.push_back(std::move(target));
  return {};
}

}  // namespace

Result<void> ReadRemoteWrite(YamlMap& root, std::vector<remote::WriteTarget>& targets) {
  return ReadList(root, "remote_write", [&](const YamlNode& item, YamlMap& map) {
    return ReadTarget(item, map, targets);
  });
}

}  // namespace azexporter::config
