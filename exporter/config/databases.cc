// The keys `postgres` and `redis`.

#include <algorithm>

#include "decode.h"

namespace azexporter::config {
namespace {

Result<void> ReadInstance(const YamlNode& item, YamlMap& map, const std::string& cluster,
                          Config& config) {
  db::PostgresInstance instance;
  instance.cluster = cluster;
  AZX_RETURN_IF_ERROR(map.Require("name"));
  AZX_RETURN_IF_ERROR(ReadText(map, "name", instance.name));
  AZX_RETURN_IF_ERROR(ReadText(map, "zone", instance.zone));
  AZX_RETURN_IF_ERROR(ReadPath(map, "dsn_file", instance.dsn_file));
  AZX_RETURN_IF_ERROR(ReadText(map, "dsn", instance.dsn));
  if (instance.dsn.empty() == instance.dsn_file.empty()) {
    return Fail(item.ErrorHere("give either dsn or dsn_file"));
  }
  // A rough look is enough: it is there to keep secrets out of files that are shared.
  const std::size_t at = instance.dsn.find('@');
  const std::size_t scheme = instance.dsn.find("://");
  const bool in_url = scheme != std::string::npos && at != std::string::npos &&
                      instance.dsn.find(':', scheme + 3) < at;
  if (in_url || instance.dsn.find("password") != std::string::npos) {
    return Fail(map.Find("dsn")->ErrorHere(
        "a password does not belong in here; put the connection string into a file (dsn_file), or "
        "the password into a passfile"));
  }
  for (const db::PostgresInstance& other : config.postgres) {
    if (other.cluster != cluster || other.name != instance.name) continue;
    return Fail(item.ErrorHere("instance \"" + instance.name + "\" is there twice"));
  }
  config.postgres.push_back(std::move(instance));
  return {};
}

Result<void> ReadPort(YamlMap& map, std::string_view key, int& port) {
  const YamlNode* node = map.Find(key);
  if (node == nullptr) return {};
  AZX_ASSIGN_OR_RETURN(const std::int64_t number, node->AsInt64());
  if (number < 1 || number > 65'535) {
    return Fail(node->ErrorHere("not a port: " + std::to_string(number)));
  }
  port = static_cast<int>(number);
  return {};
}

// The name of a Secret, in which "{cluster}" may stand.
Result<void> ReadSecretName(YamlMap& map, std::string& out) {
  AZX_RETURN_IF_ERROR(ReadText(map, "secret", out));
  std::string rest = out;
  constexpr std::string_view kPlace = "{cluster}";
  for (std::size_t at = rest.find(kPlace); at != rest.npos; at = rest.find(kPlace)) {
    rest.erase(at, kPlace.size());
  }
  if (rest.find_first_of("{}/") == rest.npos) return {};
  return Fail(map.Find("secret")->ErrorHere(
      "not the name of a Secret, in which only {cluster} may stand: \"" + out + "\""));
}

Result<void> ReadPostgresAccess(const YamlNode& node, YamlMap& map, PostgresAccess& access) {
  AZX_RETURN_IF_ERROR(ReadPort(map, "port", access.port));
  AZX_RETURN_IF_ERROR(ReadText(map, "dbname", access.dbname));
  AZX_RETURN_IF_ERROR(ReadText(map, "sslmode", access.sslmode));
  AZX_RETURN_IF_ERROR(ReadPath(map, "sslrootcert", access.sslrootcert));
  AZX_RETURN_IF_ERROR(ReadText(map, "user", access.user));
  AZX_RETURN_IF_ERROR(RefusePassword(map));
  AZX_RETURN_IF_ERROR(ReadPath(map, "password_file", access.password_file));
  AZX_RETURN_IF_ERROR(ReadPath(map, "credentials_folder", access.credentials_folder));
  AZX_RETURN_IF_ERROR(ReadSecretName(map, access.secret));
  const int ways = (access.user.empty() && access.password_file.empty() ? 0 : 1) +
                   (access.credentials_folder.empty() ? 0 : 1) + (access.secret.empty() ? 0 : 1);
  if (ways < 2) return {};
  return Fail(node.ErrorHere("give one of secret, credentials_folder, or user and password_file"));
}

Result<void> ReadCnpgMap(const YamlNode& node, YamlMap& map, CnpgConfig& cnpg) {
  AZX_RETURN_IF_ERROR(ReadSelection(map, cnpg.selection));
  return ReadPostgresAccess(node, map, cnpg.access);
}

Result<void> ReadPodSelection(const YamlNode& node, YamlMap& map, PodSelection& pods) {
  AZX_ASSIGN_OR_RETURN(const YamlNode* selector, map.Require("selector"));
  AZX_RETURN_IF_ERROR(ReadSelection(map, pods.objects));
  if (pods.objects.selector.empty()) {
    return Fail(selector->ErrorHere("an empty selector would take every pod"));
  }
  AZX_RETURN_IF_ERROR(ReadText(map, "name", pods.name));
  AZX_RETURN_IF_ERROR(ReadText(map, "cluster_label", pods.cluster_label));
  if (pods.name.empty() == pods.cluster_label.empty()) {
    return Fail(node.ErrorHere("give either name or cluster_label"));
  }
  const YamlNode* expected = map.Find("expected");
  if (expected == nullptr) return {};
  constexpr std::int64_t kMost = 1'000;
  AZX_ASSIGN_OR_RETURN(const std::int64_t number, expected->AsInt64());
  if (number < 1 || number > kMost) {
    return Fail(expected->ErrorHere("expected must be 1 to 1000, got " + std::to_string(number)));
  }
  pods.expected = static_cast<std::size_t>(number);
  return {};
}

// The list `pods` into `out`, each of its maps by `decode`. No two give one name.
template <class Out, class Decode>
Result<void> ReadPodsList(YamlMap& parent, std::vector<Out>& out, Decode decode) {
  return ReadList(parent, "pods", [&](const YamlNode& item, YamlMap& map) -> Result<void> {
    Out entry;
    AZX_RETURN_IF_ERROR(ReadPodSelection(item, map, entry.pods));
    AZX_RETURN_IF_ERROR(decode(item, map, entry));
    for (const Out& other : out) {
      if (entry.pods.name.empty() || other.pods.name != entry.pods.name) continue;
      return Fail(item.ErrorHere("cluster \"" + entry.pods.name + "\" is there twice"));
    }
    out.push_back(std::move(entry));
    return {};
  });
}

Result<void> ReadPostgresPods(const YamlNode& node, YamlMap& map, PostgresPods& pods) {
  return ReadPostgresAccess(node, map, pods.access);
}

// A key that is true, or a map, which may say `enabled`: what it configures, where it is enabled.
template <class Out, class Decode>
Result<void> ReadOperator(YamlMap& parent, std::string_view key, std::optional<Out>& out,
                          Decode decode) {
  const YamlNode* node = parent.Find(key);
  if (node == nullptr) return {};
  Out options;
  bool enabled = true;
  if (node->kind() == YamlNode::Kind::kScalar) {
    AZX_RETURN_IF_ERROR(ReadBool(parent, key, enabled));
  } else {
    AZX_RETURN_IF_ERROR(ReadSection(parent, key, [&](YamlMap& map) -> Result<void> {
      AZX_RETURN_IF_ERROR(ReadBool(map, "enabled", enabled));
      return decode(*node, map, options);
    }));
  }
  if (enabled) out = std::move(options);
  return {};
}

Result<void> ReadPostgres(YamlMap& map, Config& config) {
  AZX_RETURN_IF_ERROR(ReadOperator(map, "cnpg", config.cnpg, ReadCnpgMap));
  config.collectors.postgres_cnpg = config.cnpg.has_value();
  AZX_RETURN_IF_ERROR(ReadPodsList(map, config.postgres_pods, ReadPostgresPods));
  return ReadList(map, "clusters", [&](const YamlNode&, YamlMap& cluster) -> Result<void> {
    std::string name;
    AZX_RETURN_IF_ERROR(cluster.Require("name"));
    AZX_RETURN_IF_ERROR(ReadText(cluster, "name", name));
    AZX_RETURN_IF_ERROR(cluster.Require("instances"));
    return ReadList(cluster, "instances", [&](const YamlNode& item, YamlMap& instance) {
      return ReadInstance(item, instance, name, config);
    });
  });
}

// HOST:PORT.
Result<std::string> ReadAddress(const YamlNode& node) {
  AZX_ASSIGN_OR_RETURN(std::string address, node.AsString());
  const std::size_t colon = address.rfind(':');
  const bool good = colon != std::string::npos && colon > 0 && colon + 1 < address.size() &&
                    address.find_first_not_of("0123456789", colon + 1) == std::string::npos;
  if (!good) return Fail(node.ErrorHere("not HOST:PORT: \"" + address + "\""));
  return address;
}

Result<void> ReadRedisNode(const YamlNode& item, YamlMap& map, db::RedisCluster& cluster) {
  AZX_ASSIGN_OR_RETURN(const YamlNode* node, map.Require("address"));
  AZX_ASSIGN_OR_RETURN(const std::string address, ReadAddress(*node));
  db::RedisCluster::Place place;
  AZX_RETURN_IF_ERROR(ReadText(map, "name", place.instance));
  AZX_RETURN_IF_ERROR(ReadText(map, "zone", place.zone));
  if (cluster.places.emplace(address, std::move(place)).second) return {};
  return Fail(item.ErrorHere("node \"" + address + "\" is there twice"));
}

Result<void> ReadRedisTls(const YamlNode& node, YamlMap& map, db::RedisTls& tls) {
  AZX_RETURN_IF_ERROR(ReadTlsFiles(node, map, tls));
  return ReadText(map, "server_name", tls.server_name);
}

// username, password_file and tls_config into the members of a RedisCluster or a RedisAccess.
template <class Out>
Result<void> ReadRedisLogin(YamlMap& map, Out& out) {
  AZX_RETURN_IF_ERROR(ReadText(map, "username", out.username));
  AZX_RETURN_IF_ERROR(RefusePassword(map));
  AZX_RETURN_IF_ERROR(ReadPath(map, "password_file", out.password_file));
  const YamlNode* tls = map.Find("tls_config");
  if (tls == nullptr) return {};
  out.tls.emplace();
  return ReadSection(map, "tls_config",
                     [&](YamlMap& section) { return ReadRedisTls(*tls, section, *out.tls); });
}

Result<void> ReadRedisAccess(YamlMap& map, RedisAccess& access) {
  AZX_RETURN_IF_ERROR(ReadPort(map, "port", access.port));
  AZX_RETURN_IF_ERROR(ReadRedisLogin(map, access));
  return ReadPath(map, "credentials_folder", access.credentials_folder);
}

// `secret`: a Secret is given.
Result<void> RefuseTwoWays(const YamlNode& node, const RedisAccess& access, bool secret) {
  const int ways = (access.password_file.empty() ? 0 : 1) +
                   (access.credentials_folder.empty() ? 0 : 1) + (secret ? 1 : 0);
  if (ways < 2) return {};
  return Fail(node.ErrorHere("give one of secret, credentials_folder and password_file"));
}

Result<void> ReadOpstreeMap(const YamlNode& node, YamlMap& map, OpstreeConfig& opstree) {
  AZX_RETURN_IF_ERROR(ReadSelection(map, opstree.selection));
  AZX_RETURN_IF_ERROR(ReadRedisAccess(map, opstree.access));
  AZX_RETURN_IF_ERROR(ReadBool(map, "secret", opstree.secret));
  return RefuseTwoWays(node, opstree.access, opstree.secret);
}

Result<void> ReadRedisPods(const YamlNode& node, YamlMap& map, RedisPods& pods) {
  AZX_RETURN_IF_ERROR(ReadRedisAccess(map, pods.access));
  AZX_RETURN_IF_ERROR(ReadSecretName(map, pods.secret));
  AZX_RETURN_IF_ERROR(ReadText(map, "secret_key", pods.secret_key));
  return RefuseTwoWays(node, pods.access, !pods.secret.empty());
}

Result<void> ReadRedisCluster(const YamlNode& item, YamlMap& map, Config& config) {
  db::RedisCluster cluster;
  AZX_RETURN_IF_ERROR(map.Require("name"));
  AZX_RETURN_IF_ERROR(ReadText(map, "name", cluster.name));
  AZX_ASSIGN_OR_RETURN(const YamlNode* addresses, map.Require("addresses"));
  for (const YamlNode& one : addresses->items()) {
    AZX_ASSIGN_OR_RETURN(std::string address, ReadAddress(one));
    cluster.addresses.push_back(std::move(address));
  }
  if (cluster.addresses.empty()) {
    return Fail(addresses->ErrorHere("addresses must be a list of HOST:PORT"));
  }
  AZX_RETURN_IF_ERROR(ReadRedisLogin(map, cluster));
  AZX_RETURN_IF_ERROR(ReadList(map, "nodes", [&](const YamlNode& node, YamlMap& place) {
    return ReadRedisNode(node, place, cluster);
  }));
  for (const db::RedisCluster& other : config.redis) {
    if (other.name != cluster.name) continue;
    return Fail(item.ErrorHere("cluster \"" + cluster.name + "\" is there twice"));
  }
  config.redis.push_back(std::move(cluster));
  return {};
}

}  // namespace

Result<void> ReadDatabases(YamlMap& root, Config& config) {
  AZX_RETURN_IF_ERROR(
      ReadSection(root, "postgres", [&](YamlMap& map) { return ReadPostgres(map, config); }));
  return ReadSection(root, "redis", [&](YamlMap& map) -> Result<void> {
    AZX_RETURN_IF_ERROR(ReadOperator(map, "opstree", config.opstree, ReadOpstreeMap));
    config.collectors.redis_opstree = config.opstree.has_value();
    AZX_RETURN_IF_ERROR(ReadPodsList(map, config.redis_pods, ReadRedisPods));
    return ReadList(map, "clusters", [&](const YamlNode& item, YamlMap& cluster) {
      return ReadRedisCluster(item, cluster, config);
    });
  });
}

}  // namespace azexporter::config
