#include "pod_servers.h"

namespace azexporter::app {
namespace {

// A keyword of a libpq connection string with its value; nothing where that is empty.
std::string Parameter(std::string_view keyword, std::string_view value) {
  if (value.empty()) return "";
  std::string text = std::string(keyword) + "='";
  for (const char c : value) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  return text + "' ";
}

}  // namespace

std::string_view Obstacle(const kube::Pod* pod) {
  if (pod == nullptr) return "its pod is gone";
  if (!pod->is_active()) return "its pod has ended";
  if (pod->pod_ip.empty()) return "its pod has no address yet";
  return "";
}

void SetAccess(const config::PostgresAccess& access, const PodCluster& cluster,
               const std::string& host, const std::string& ip, SecretLogins& secrets,
               db::PostgresInstance& instance) {
  instance.dsn = Parameter("host", host) + Parameter("hostaddr", ip) +
                 Parameter("port", std::to_string(access.port)) +
                 Parameter("dbname", access.dbname) + Parameter("sslmode", access.sslmode) +
                 Parameter("sslrootcert", access.sslrootcert);
  instance.user = access.user;
  instance.password_file = access.password_file;
  if (!access.secret.empty()) {
    instance.login = secrets.Of({.ns = cluster.ns,
                                 .name = SecretName(access.secret, cluster.object),
                                 .user_key = "username",
                                 .password_key = "password"});
  }
  if (access.credentials_folder.empty()) return;
  const std::string folder = access.credentials_folder + "/" + cluster.name;
  instance.user_file = folder + "/username";
  instance.password_file = folder + "/password";
}

void SetAccess(const config::RedisAccess& access, db::RedisCluster& cluster) {
  cluster.username = access.username;
  cluster.password_file = access.credentials_folder.empty()
                              ? access.password_file
                              : access.credentials_folder + "/" + cluster.name + "/password";
  cluster.tls = access.tls;
}

std::string AddressOf(const std::string& ip, int port) {
  const bool v6 = ip.find(':') != std::string::npos;
  return (v6 ? "[" + ip + "]" : ip) + ":" + std::to_string(port);
}

}  // namespace azexporter::app
