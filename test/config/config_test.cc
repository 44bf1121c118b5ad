#include "azexporter/config/config.h"

#include <gtest/gtest.h>

namespace azexporter::config {
namespace {

TEST(ConfigTest, AnEmptyFileIsTheDefaults) {
  const auto config = ParseConfig("", "c.yaml");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->global.evaluation_interval_ms, 15'000);
  EXPECT_TRUE(config->rule_files.empty());
  EXPECT_EQ(config->zone_pods.selector.size(), 1u);
}

TEST(ConfigTest, ReadsEverySection) {
  const auto config = ParseConfig(R"(
global: {evaluation_interval: 30s, collect_interval: 5s, external_labels: {cluster: prod}}
kubernetes: {kubeconfig: kc, context: blue, stale_after: 1m}
zones:
  a: {nodes: 5, expected_pods: 3, health_endpoint: "http://a/health"}
zone_pods: {namespace: shop, selector: {app: web}}
probes:
  source_zone: a
  interval: 2s
  timeout: 1s
  targets: [{name: web, url: "http://web/", zone: b}]
postgres:
  clusters:
  - name: orders-db
    instances:
    - {name: orders-1, dsn: "host=127.0.0.1 port=5432", zone: a}
    - {name: orders-2, dsn_file: secret, zone: b}
  cnpg:
    namespaces: [shop]
    selector: {team: shop}
    port: 6432
    dbname: app
    sslmode: verify-full
    sslrootcert: ca
    credentials_folder: cnpg
redis:
  clusters:
  - name: sessions
    addresses: ["redis-0:6379", "[fd00::1]:6379"]
    username: azexporter
    password_file: password
    tls_config: {ca_file: ca, server_name: redis}
    nodes: [{address: "10.0.0.1:6379", name: redis-0, zone: a}]
  opstree:
    namespaces: [shop]
    port: 6380
    username: azexporter
    credentials_folder: redis
    tls_config: {ca_file: ca}
rule_files: [rules.yaml, /abs/rules.yaml]
alerting:
  alertmanagers:
  - static_configs: [{targets: ["am-0:9093", "am-1:9093"]}, {targets: ["am-2"]}]
  - scheme: https
    path_prefix: /am/
    timeout: 3s
    api_version: v2
    static_configs: [{targets: ["am-3:443"]}]
    basic_auth: {username: azx, password_file: password}
    tls_config: {ca_file: ca, cert_file: /abs/cert, key_file: key, insecure_skip_verify: true}
storage: {retention: 4h, keep: all, retention_size: 512MB}
collectors: {pods: {detail: true}, policy: {custom_resources: true}, probes: {enabled: false}}
)",
                                  "/etc/azx/c.yaml");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->global.external_labels.ToString(), "{cluster=\"prod\"}");
  EXPECT_EQ(config->kubernetes.kubeconfig, "/etc/azx/kc");
  EXPECT_EQ(config->zones.at("a").nodes, 5);
  EXPECT_EQ(config->zone_pods.ns, "shop");
  EXPECT_EQ(config->probes.targets.at(0).zone, "b");
  ASSERT_EQ(config->postgres.size(), 2u);
  EXPECT_EQ(config->postgres[1].dsn_file, "/etc/azx/secret");
  ASSERT_TRUE(config->cnpg);
  EXPECT_EQ(config->cnpg->selection.namespaces, std::set<std::string>{"shop"});
  EXPECT_EQ(config->cnpg->selection.selector.match_labels, (kube::StringMap{{"team", "shop"}}));
  EXPECT_EQ(config->cnpg->access.port, 6432);
  EXPECT_EQ(config->cnpg->access.dbname, "app");
  EXPECT_EQ(config->cnpg->access.sslmode, "verify-full");
  EXPECT_EQ(config->cnpg->access.sslrootcert, "/etc/azx/ca");
  EXPECT_EQ(config->cnpg->access.credentials_folder, "/etc/azx/cnpg");
  EXPECT_TRUE(config->collectors.postgres_cnpg);
  const db::RedisCluster sessions = {
      .name = "sessions",
      .addresses = {"redis-0:6379", "[fd00::1]:6379"},
      .username = "azexporter",
      .password_file = "/etc/azx/password",
      .tls = db::RedisTls{.ca_file = "/etc/azx/ca", .server_name = "redis"},
      .places = {{"10.0.0.1:6379", {"redis-0", "a"}}}};
  EXPECT_EQ(config->redis, std::vector<db::RedisCluster>{sessions});
  ASSERT_TRUE(config->opstree);
  EXPECT_EQ(config->opstree->selection.namespaces, std::set<std::string>{"shop"});
  EXPECT_EQ(config->opstree->access.port, 6380);
  EXPECT_EQ(config->opstree->access.username, "azexporter");
  EXPECT_EQ(config->opstree->access.credentials_folder, "/etc/azx/redis");
  EXPECT_EQ(config->opstree->access.tls, db::RedisTls{.ca_file = "/etc/azx/ca"});
  EXPECT_TRUE(config->collectors.redis_opstree);
  EXPECT_EQ(config->rule_files,
            (std::vector<std::string>{"/etc/azx/rules.yaml", "/abs/rules.yaml"}));
  const std::vector<notify::Alertmanager> alertmanagers = {
      {.url = "http://am-0:9093/api/v2/alerts"},
      {.url = "http://am-1:9093/api/v2/alerts"},
      {.url = "http://am-2/api/v2/alerts"},
      {.url = "https://am-3:443/am/api/v2/alerts",
       .timeout_ms = 3'000,
       .username = "azx",
       .password_file = "/etc/azx/password",
       .ca_file = "/etc/azx/ca",
       .cert_file = "/abs/cert",
       .key_file = "/etc/azx/key",
       .insecure_skip_verify = true}};
  notify::Targets targets;
  for (const notify::AlertmanagerGroup& group : config->alerting.groups) {
    notify::AddTargets(group, group.static_targets, targets);
  }
  EXPECT_EQ(targets.alertmanagers, alertmanagers);
  EXPECT_EQ(config->storage.retention_ms, 4 * 3'600'000);
  EXPECT_EQ(config->storage.keep, StorageConfig::Keep::kAll);
  EXPECT_EQ(config->storage.max_bytes, 512u << 20);
  EXPECT_TRUE(config->collectors.pods_detail);
  EXPECT_TRUE(config->collectors.policy_custom_resources);
  EXPECT_EQ(config->disabled_collectors, (std::set<std::string>{"probes"}));
}

TEST(ConfigTest, NamesFileLineAndColumnOfAFault) {
  struct Case {
    std::string_view yaml, message;
  };
  const Case cases[] = {
      {"storage: {keep: some}", "c.yaml:1:17: must be rules or all, not \"some\""},
      {"storage: {retention_size: 1}",
       "c.yaml:1:27: not a size: \"1\", its unit must be one of B, KB, MB, GB, TB, PB, EB"},
      {"globl: {}",
       "c.yaml:1:1: unknown key \"globl\" (known here: global, kubernetes, zones, "
       "zones_config_map, zone_pods, zone_loss, probes, postgres, redis, rule_files, "
       "prometheus_rules, alerting, "
       "remote_write, datasource, "
       "storage, collectors)"},
      {"global: {}\nglobal: {}\n", "c.yaml:2:1: key \"global\" already set at line 1"},
      {"global:\n  evaluation_interval: fast\n",
       "c.yaml:2:24: not a valid duration string: \"fast\""},
      {"global:\n  evaluation_interval: 0s\n",
       "c.yaml:2:24: evaluation_interval must be at least 100ms, got 0s"},
      {"- a\n", "c.yaml:1:1: expected a map"},
      {"zones_config_map: x\n", "c.yaml:1:19: zones_config_map must be NAMESPACE/NAME"},
      {"zones: {a: {}}\nzones_config_map: n/x\n",
       "c.yaml:2:19: give zones or zones_config_map, not both"},
      {"probes: {targets: [{name: a, url: \"ftp://x\"}]}\n",
       "c.yaml:1:35: not a http or https URL: \"ftp://x\""},
      {"probes: {targets: [{url: \"http://x\"}]}\n", "c.yaml:1:20: missing key \"name\""},
      {"postgres: {clusters: [{name: d, instances: [{name: i}]}]}\n",
       "c.yaml:1:45: give either dsn or dsn_file"},
      {"postgres: {cnpg: {port: 0}}\n", "c.yaml:1:25: not a port: 0"},
      {"postgres: {cnpg: {user: u, credentials_folder: f}}\n",
       "c.yaml:1:18: give one of secret, credentials_folder, or user and password_file"},
      {"postgres: {cnpg: {secret: s, credentials_folder: f}}\n",
       "c.yaml:1:18: give one of secret, credentials_folder, or user and password_file"},
      {"postgres: {cnpg: {secret: \"{name}-app\"}}\n",
       "c.yaml:1:27: not the name of a Secret, in which only {cluster} may stand: \"{name}-app\""},
      {"postgres: {cnpg: {secret: ../x}}\n",
       "c.yaml:1:27: not the name of a Secret, in which only {cluster} may stand: \"../x\""},
      {"postgres: {cnpg: {user: u, password: hunter2}}\n",
       "c.yaml:1:38: a password does not belong in here; put it into a file (password_file)"},
      {"postgres: {cnpg: {zone: a}}\n",
       "c.yaml:1:19: unknown key \"zone\" (known here: enabled, selector, namespaces, port, "
       "dbname, sslmode, sslrootcert, user, password, password_file, credentials_folder, secret)"},
      {"redis: {opstree: {password_file: p, credentials_folder: f}}\n",
       "c.yaml:1:18: give one of secret, credentials_folder and password_file"},
      {"postgres: {pods: [{name: a}]}\n", "c.yaml:1:19: missing key \"selector\""},
      {"postgres: {pods: [{selector: \"\", name: a}]}\n",
       "c.yaml:1:30: an empty selector would take every pod"},
      {"postgres: {pods: [{selector: app, name: a}]}\n",
       "c.yaml:1:30: not LABEL=VALUE,...: \"app\""},
      {"postgres: {pods: [{selector: \"app!=a\", name: a}]}\n",
       "c.yaml:1:30: not LABEL=VALUE,...: \"app!=a\""},
      {"redis: {pods: [{selector: a=b}]}\n", "c.yaml:1:16: give either name or cluster_label"},
      {"redis: {pods: [{selector: a=b, name: a, cluster_label: b}]}\n",
       "c.yaml:1:16: give either name or cluster_label"},
      {"redis: {pods: [{selector: a=b, name: a, expected: 0}]}\n",
       "c.yaml:1:51: expected must be 1 to 1000, got 0"},
      {"redis: {pods: [{selector: a=b, name: a, secret: s, password_file: f}]}\n",
       "c.yaml:1:16: give one of secret, credentials_folder and password_file"},
      {"redis: {pods: [{selector: a=b, name: a}, {selector: c=d, name: a}]}\n",
       "c.yaml:1:42: cluster \"a\" is there twice"},
      {"redis: {opstree: {password_file: p, secret: true}}\n",
       "c.yaml:1:18: give one of secret, credentials_folder and password_file"},
      {"redis: {clusters: [{name: d, addresses: [here]}]}\n",
       "c.yaml:1:42: not HOST:PORT: \"here\""},
      {"redis: {clusters: [{name: d, addresses: []}]}\n",
       "c.yaml:1:41: addresses must be a list of HOST:PORT"},
      {"redis: {clusters: [{name: d, addresses: [\"h:1\"], password: hunter2}]}\n",
       "c.yaml:1:60: a password does not belong in here; put it into a file (password_file)"},
      {"redis: {clusters: [{name: d, addresses: [\"h:1\"]}, {name: d, addresses: [\"h:2\"]}]}\n",
       "c.yaml:1:51: cluster \"d\" is there twice"},
      {"collectors: {cpu: {}}\n",
       "c.yaml:1:14: unknown key \"cpu\" (known here: budgets, node_leases, nodes, pods, policy, "
       "postgres, probes, redis, services, spread, volumes, workloads, zone_loss, zones)"},
      {"a: [1\n", "c.yaml:2:1: end of sequence flow not found"},
  };
  for (const Case& c : cases) {
    const auto config = ParseConfig(c.yaml, "c.yaml");
    ASSERT_FALSE(config) << c.yaml;
    EXPECT_EQ(config.error().message(), c.message);
  }
}

TEST(ConfigTest, NamespacesThatAreWatchedHoldAllThatIsLookedFor) {
  const auto config = ParseConfig(
      "kubernetes: {namespaces: [shop, bank, shop]}\n"
      "zone_pods: {namespace: shop}\n"
      "postgres: {cnpg: {namespaces: [bank]}}\n"
      "prometheus_rules: {}\n",
      "c.yaml");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->kubernetes.namespaces, (std::set<std::string>{"bank", "shop"}));
  EXPECT_TRUE(ParseConfig("", "c.yaml")->kubernetes.namespaces.empty());

  const std::string watched = "kubernetes: {namespaces: [shop]}\n";
  const std::string elsewhere =
      ": namespace \"bank\" is not among those that are watched (kubernetes.namespaces)";
  struct Case {
    std::string yaml, message;
  };
  const Case cases[] = {
      {"kubernetes: {namespaces: shop}\n", "c.yaml:1:26: expected a list of strings"},
      {"kubernetes: {namespaces: [../..]}\n", "c.yaml:1:26: \"../..\" is no name of a namespace"},
      {"kubernetes: {namespaces: [\"\"]}\n", "c.yaml:1:26: \"\" is no name of a namespace"},
      {"kubernetes: {namespaces: [shop-]}\n", "c.yaml:1:26: \"shop-\" is no name of a namespace"},
      {"kubernetes: {namespaces: [shop], snapshot: x.json}\n",
       "c.yaml:1:13: kubernetes.namespaces: does not go with a snapshot, which is all there is"},
      {watched + "zone_pods: {namespace: bank}\n", "c.yaml:1:13: zone_pods.namespace" + elsewhere},
      {watched + "postgres: {cnpg: {namespaces: [bank]}}\n",
       "c.yaml:1:13: postgres.cnpg" + elsewhere},
      {watched + "redis: {opstree: {namespaces: [bank]}}\n",
       "c.yaml:1:13: redis.opstree" + elsewhere},
      {watched + "prometheus_rules: {namespaces: [bank]}\n",
       "c.yaml:1:13: prometheus_rules" + elsewhere},
      {watched + "alerting: {alertmanagers: [{kubernetes_sd_configs: [{role: endpoints, "
                 "namespaces: {names: [bank]}}]}]}\n",
       "c.yaml:1:13: kubernetes_sd_configs" + elsewhere},
  };
  for (const Case& c : cases) {
    const auto refused = ParseConfig(c.yaml, "c.yaml");
    ASSERT_FALSE(refused) << c.yaml;
    EXPECT_EQ(refused.error().message(), c.message);
  }
  std::vector<std::string> many;
  for (int i = 0; i < 51; ++i) many.push_back("ns-" + std::to_string(i));
  const auto too_many = ParseNamespaces(many);
  ASSERT_FALSE(too_many);
  EXPECT_EQ(too_many.error().message(),
            "more than 50 namespaces: name none, which watches all of them at once");
}

TEST(ConfigTest, ReadsWhatZonesCanBear) {
  const auto config = ParseConfig(
      "zones: {a: {nodes: 1, maintenance_until: 2027-01-15T08:00:00Z}}\n"
      "zone_loss: {accepted: [dev, shop/cache]}\n"
      "kubernetes:\n"
      "  default_constraints:\n"
      "  - {maxSkew: 2, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}\n",
      "c.yaml");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->zones.at("a").maintenance_until_ms, 1'800'000'000'000);
  EXPECT_EQ(config->accepted_losses, (std::set<std::string>{"dev", "shop/cache"}));
  const zones::DefaultConstraints& defaults = config->kubernetes.default_constraints;
  ASSERT_EQ(defaults.constraints.size(), 1u);
  EXPECT_TRUE(defaults.all_keys_needed);
  EXPECT_EQ(defaults.constraints[0].max_skew, 2);
  EXPECT_EQ(defaults.constraints[0].when_unsatisfiable, kube::WhenUnsatisfiable::kScheduleAnyway);
  const auto system = ParseConfig("kubernetes: {default_constraints: system}\n", "c.yaml");
  ASSERT_TRUE(system) << system.error().message();
  EXPECT_EQ(system->kubernetes.default_constraints, zones::SystemDefaultConstraints());

  struct Case {
    std::string_view yaml, message;
  };
  const Case cases[] = {
      {"kubernetes: {default_constraints: yes}\n",
       "c.yaml:1:35: default_constraints must be \"system\" or a list"},
      {"kubernetes: {default_constraints: [{maxSkew: 0, topologyKey: z, whenUnsatisfiable: x}]}\n",
       "c.yaml:1:46: maxSkew must be at least 1"},
      {"kubernetes: {default_constraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: x}]}\n",
       "c.yaml:1:84: whenUnsatisfiable must be DoNotSchedule or ScheduleAnyway"},
      {"zones: {a: {maintenance_until: soon}}\n",
       "c.yaml:1:32: maintenance_until must be a time like 2026-11-22T07:00:00Z"},
      {"zone_loss: {accept: [a]}\n", "c.yaml:1:13: unknown key \"accept\" (known here: accepted)"},
  };
  for (const Case& c : cases) {
    const auto refused = ParseConfig(c.yaml, "c.yaml");
    ASSERT_FALSE(refused) << c.yaml;
    EXPECT_EQ(refused.error().message(), c.message);
  }
}

TEST(ConfigTest, ClustersOfCloudNativePgAreLookedForWhereItIsSaid) {
  struct Case {
    std::string_view cnpg;
    bool enabled;
  };
  const Case cases[] = {{"cnpg: true", true},
                        {"cnpg: {}", true},
                        {"cnpg: {enabled: true}", true},
                        {"cnpg: false", false},
                        {"cnpg: {enabled: false, user: azexporter}", false},
                        {"clusters: []", false}};
  for (const Case& c : cases) {
    const auto config = ParseConfig("postgres: {" + std::string(c.cnpg) + "}\n", "c.yaml");
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->cnpg.has_value(), c.enabled) << c.cnpg;
    EXPECT_EQ(config->collectors.postgres_cnpg, c.enabled) << c.cnpg;
  }
}

TEST(ConfigTest, PodsAreSelectedByTheirLabels) {
  const auto config = ParseConfig(R"(
postgres:
  pods:
  - selector: app=postgres,tier=db
    namespaces: [shop]
    name: orders
    expected: 3
    port: 5433
    dbname: app
    secret: orders-monitor
  - {selector: {app: pg}, cluster_label: db, user: azexporter, password_file: password}
redis:
  pods:
  - {selector: app=redis, cluster_label: db, secret: "{cluster}-redis", secret_key: pass}
)",
                                  "/etc/azx/c.yaml");
  ASSERT_TRUE(config) << config.error().message();
  ASSERT_EQ(config->postgres_pods.size(), 2U);
  const PostgresPods& orders = config->postgres_pods[0];
  EXPECT_EQ(orders.pods.objects.selector.match_labels,
            (kube::StringMap{{"app", "postgres"}, {"tier", "db"}}));
  EXPECT_EQ(orders.pods.objects.namespaces, std::set<std::string>{"shop"});
  EXPECT_EQ(orders.pods.name, "orders");
  EXPECT_EQ(orders.pods.expected, 3U);
  EXPECT_EQ(orders.access.port, 5433);
  EXPECT_EQ(orders.access.secret, "orders-monitor");
  EXPECT_EQ(config->postgres_pods[1].pods.cluster_label, "db");
  EXPECT_EQ(config->postgres_pods[1].access.password_file, "/etc/azx/password");
  ASSERT_EQ(config->redis_pods.size(), 1U);
  EXPECT_EQ(config->redis_pods[0].secret, "{cluster}-redis");
  EXPECT_EQ(config->redis_pods[0].secret_key, "pass");
  EXPECT_FALSE(config->collectors.postgres_cnpg);
}

TEST(ConfigTest, SecretsAreNamed) {
  const auto config = ParseConfig(
      "postgres: {cnpg: {secret: \"{cluster}-superuser\"}}\nredis: {opstree: {secret: true}}\n",
      "c.yaml");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->cnpg->access.secret, "{cluster}-superuser");
  EXPECT_TRUE(config->opstree->secret);
}

TEST(ConfigTest, RefusesAPasswordAndNeverRepeatsIt) {
  for (const char* dsn : {"host=h password=hunter2", "postgres://user:hunter2@h/db"}) {
    const auto config =
        ParseConfig(std::string("postgres: {clusters: [{name: d, instances: [{name: i, dsn: \"") +
                        dsn + "\"}]}]}\n",
                    "c.yaml");
    ASSERT_FALSE(config) << dsn;
    EXPECT_NE(config.error().message().find("a password does not belong in here"),
              std::string::npos);
    EXPECT_EQ(config.error().message().find("hunter2"), std::string::npos);
  }
}

TEST(ConfigTest, ReadsTheLeaderElection) {
  EXPECT_FALSE(ParseConfig("", "c.yaml")->kubernetes.leader_election);
  const auto defaults = ParseConfig("kubernetes: {leader_election: {}}\n", "c.yaml");
  ASSERT_TRUE(defaults) << defaults.error().message();
  EXPECT_EQ(defaults->kubernetes.leader_election, kube::LeaderElectionOptions());
  const auto config = ParseConfig(
      "kubernetes: {leader_election: {namespace: n, name: x, identity: me, lease_duration: 30s, "
      "renew_deadline: 20s, retry_period: 500ms}}\n",
      "c.yaml");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->kubernetes.leader_election,
            (kube::LeaderElectionOptions{.ns = "n",
                                         .name = "x",
                                         .identity = "me",
                                         .lease_duration_ms = 30'000,
                                         .renew_deadline_ms = 20'000,
                                         .retry_period_ms = 500}));
  const auto refused =
      ParseConfig("kubernetes: {leader_election: {lease_duration: 10s}}\n", "c.yaml");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(),
            "c.yaml:1:31: lease_duration must be longer than renew_deadline");
}

TEST(ConfigTest, AMissingFileIsNamed) {
  EXPECT_EQ(LoadConfig("/nowhere/c.yaml").error().message(),
            "/nowhere/c.yaml: No such file or directory");
}

}  // namespace
}  // namespace azexporter::config
