// The key `alerting`: what is read, and where its faults are.

#include <gtest/gtest.h>

#include "azexporter/config/config.h"

namespace azexporter::config {
namespace {

TEST(AlertingConfigTest, ReadsHowAnAlertmanagerIsSpokenTo) {
  const auto config = ParseConfig(R"(
alerting:
  alertmanagers:
  - static_configs: [{targets: [a]}]
    authorization: {credentials_file: token}
    tls_config: {server_name: am.example, min_version: TLS12, max_version: TLS13}
    proxy_url: http://proxy:3128
    follow_redirects: false
    http_headers: {X-Scope-OrgID: {files: [tenant, /abs/other]}}
  - static_configs: [{targets: [b]}]
    authorization: {type: GenieKey, credentials_file: /abs/key}
  - static_configs: [{targets: [c]}]
    bearer_token_file: token
  - static_configs: [{targets: [d]}]
    basic_auth: {username_file: user, password_file: password}
)",
                                  "/etc/azx/c.yaml");
  ASSERT_TRUE(config) << config.error().message();
  const auto& groups = config->alerting.groups;
  ASSERT_EQ(groups.size(), 4U);
  const notify::Alertmanager first = {
      .authorization_type = "Bearer",
      .credentials_file = "/etc/azx/token",
      .server_name = "am.example",
      .min_version = net::TlsVersion::kTls12,
      .max_version = net::TlsVersion::kTls13,
      .proxy_url = "http://proxy:3128",
      .follow_redirects = false,
      .headers = {{"X-Scope-OrgID", {"/etc/azx/tenant", "/abs/other"}}}};
  EXPECT_EQ(groups[0].common, first);
  EXPECT_EQ(groups[1].common.authorization_type, "GenieKey");
  EXPECT_EQ(groups[1].common.credentials_file, "/abs/key");
  EXPECT_EQ(groups[2].common.authorization_type, "Bearer");
  EXPECT_EQ(groups[2].common.credentials_file, "/etc/azx/token");
  EXPECT_EQ(groups[3].common.username_file, "/etc/azx/user");
  EXPECT_TRUE(groups[3].common.follow_redirects);
}

TEST(AlertingConfigTest, ReadsRelabelling) {
  const auto config = ParseConfig(R"(
alerting:
  alert_relabel_configs:
  - {action: labeldrop, regex: replica}
  alertmanagers:
  - static_configs: [{targets: ["a:1", "b:2"], labels: {env: prod, tier: 1}}]
    relabel_configs:
    - source_labels: [env, tier]
      separator: ""
      regex: prod(\d)
      target_label: __alerts_path__
      replacement: /am-$1/api/v2/alerts
    alert_relabel_configs:
    - {source_labels: [severity], regex: page, action: Keep}
    - {action: hashmod, source_labels: [zone], modulus: 2, target_label: shard}
    kubernetes_sd_configs:
    - {role: endpoints}
    - {role: endpointslice, namespaces: {names: [monitoring]}}
)",
                                  "c.yaml");
  ASSERT_TRUE(config) << config.error().message();
  ASSERT_EQ(config->alerting.alert_relabel.size(), 1U);
  EXPECT_EQ(config->alerting.alert_relabel[0].options().action, model::RelabelAction::kLabelDrop);
  const notify::AlertmanagerGroup& group = config->alerting.groups.at(0);
  notify::Targets targets;
  notify::AddTargets(group, group.static_targets, targets);
  ASSERT_EQ(targets.alertmanagers.size(), 2U);
  EXPECT_EQ(targets.alertmanagers[1].url, "http://b:2/am-1/api/v2/alerts");
  ASSERT_EQ(targets.alertmanagers[0].alert_relabel.size(), 2U);
  EXPECT_EQ(targets.alertmanagers[0].alert_relabel[0].options().action,
            model::RelabelAction::kKeep);
  EXPECT_EQ(targets.alertmanagers[0].alert_relabel[1].options().modulus, 2U);
  using Role = notify::KubernetesDiscovery::Role;
  EXPECT_EQ(group.kubernetes, (std::vector<notify::KubernetesDiscovery>{
                                  {.role = Role::kEndpoints, .namespaces = {}},
                                  {.role = Role::kEndpointSlice, .namespaces = {"monitoring"}}}));
}

struct Case {
  std::string_view alertmanager, message;
};

// The alertmanager in each of these stands in column 28 of its line.
void ExpectFault(const Case& c) {
  const std::string yaml = "alerting: {alertmanagers: [" + std::string(c.alertmanager) + "]}\n";
  const auto config = ParseConfig(yaml, "c.yaml");
  ASSERT_FALSE(config) << yaml;
  EXPECT_EQ(config.error().message(), c.message);
}

TEST(AlertingConfigTest, NamesFaults) {
  const Case cases[] = {
      {"{scheme: ftp}", "c.yaml:1:37: scheme must be http or https, got \"ftp\""},
      {"{path_prefix: 'a?b'}", "c.yaml:1:42: path_prefix must be a plain path, got \"a?b\""},
      {"{timeout: 0s}", "c.yaml:1:38: timeout must be at least 10ms, got 0s"},
      {"{api_version: v1}", "c.yaml:1:42: api_version must be v2, got \"v1\""},
      {"{sheme: http}",
       "c.yaml:1:29: unknown key \"sheme\" (known here: scheme, path_prefix, timeout, api_version, "
       "basic_auth, authorization, bearer_token_file, bearer_token, tls_config, proxy_url, "
       "follow_redirects, http_headers, alert_relabel_configs, relabel_configs, static_configs, "
       "kubernetes_sd_configs)"},
      {"{static_configs: am}", "c.yaml:1:45: static_configs must be a list"},
      {"{static_configs: [{targets: ['http://am']}]}",
       "c.yaml:1:57: target must be HOST:PORT, got \"http://am\""},
      {"{static_configs: [{targets: ['']}]}", "c.yaml:1:57: target must be HOST:PORT, got \"\""},
      {"{static_configs: [{targets: [am]}, {targets: [am]}]}",
       "c.yaml:1:74: target \"am\" is there twice"},
      {"{static_configs: [{labels: [a]}]}", "c.yaml:1:55: expected a map of labels"},
      {"{kubernetes_sd_configs: [{}]}", "c.yaml:1:53: missing key \"role\""},
      {"{kubernetes_sd_configs: [{role: pod}]}",
       "c.yaml:1:60: role must be endpoints or endpointslice, got \"pod\""},
      {"{kubernetes_sd_configs: [{role: endpoints, api_server: x}]}",
       "c.yaml:1:71: \"api_server\" is not supported yet"},
      {"{kubernetes_sd_configs: [{role: endpoints, namespaces: {own_namespace: true}}]}",
       "c.yaml:1:84: \"own_namespace\" is not supported yet"},
      {"{dns_sd_configs: []}", "c.yaml:1:29: \"dns_sd_configs\" is not supported yet"},
  };
  for (const Case& c : cases) ExpectFault(c);
}

TEST(AlertingConfigTest, NamesFaultsOfTheClient) {
  const Case cases[] = {
      {"{basic_auth: {password_file: x}}", "c.yaml:1:41: missing key \"username\""},
      {"{basic_auth: {username: u, username_ref: x}}",
       "c.yaml:1:55: \"username_ref\" is not supported yet"},
      {"{basic_auth: {username: u, username_file: x}}",
       "c.yaml:1:41: give username or username_file, not both"},
      {"{authorization: {}}", "c.yaml:1:44: missing key \"credentials_file\""},
      {"{authorization: {type: Basic, credentials_file: x}}",
       "c.yaml:1:51: type must not be basic; use basic_auth"},
      {"{authorization: {type: 'a b', credentials_file: x}}",
       "c.yaml:1:51: type must be one word, got \"a b\""},
      {"{bearer_token_file: x, basic_auth: {username: u}}",
       "c.yaml:1:28: give one of basic_auth, authorization and bearer_token_file"},
      {"{oauth2: {}}", "c.yaml:1:29: \"oauth2\" is not supported yet"},
      {"{tls_config: {cert_file: x}}", "c.yaml:1:41: give both cert_file and key_file, or neither"},
      {"{tls_config: {server_name: 'a:1'}}",
       "c.yaml:1:55: server_name must be a host's name, got \"a:1\""},
      {"{tls_config: {min_version: TLS9}}",
       "c.yaml:1:55: min_version must be TLS10, TLS11, TLS12 or TLS13, got \"TLS9\""},
      {"{tls_config: {min_version: TLS13, max_version: TLS12}}",
       "c.yaml:1:41: min_version is above max_version"},
      {"{proxy_url: 'socks5://p'}", "c.yaml:1:40: not a http or https URL: \"socks5://p\""},
      {"{http_headers: {Host: {files: [x]}}}", "c.yaml:1:44: header Host must not be set"},
      {"{http_headers: {'a b': {files: [x]}}}", "c.yaml:1:44: no name of a header: \"a b\""},
      {"{http_headers: {X-A: {}}}", "c.yaml:1:49: missing key \"files\""},
  };
  for (const Case& c : cases) ExpectFault(c);
}

TEST(AlertingConfigTest, NamesFaultsOfRelabelling) {
  const Case cases[] = {
      {"{relabel_configs: [{action: rename}]}",
       "c.yaml:1:56: there is no relabel action \"rename\""},
      {"{relabel_configs: [{action: keep, regex: '('}]}",
       "c.yaml:1:69: error parsing regexp: missing closing ): `(`"},
      {"{relabel_configs: [{}]}", "c.yaml:1:47: action replace needs a target_label"},
      {"{alert_relabel_configs: [{action: hashmod, modulus: -1, target_label: a}]}",
       "c.yaml:1:80: modulus must not be negative"},
      {"{alert_relabel_configs: [{source_labels: ['']}]}", "c.yaml:1:70: a label has a name"},
      {"{alert_relabel_configs: [{actoin: keep}]}",
       "c.yaml:1:54: unknown key \"actoin\" (known here: action, source_labels, separator, regex, "
       "modulus, target_label, replacement)"},
  };
  for (const Case& c : cases) ExpectFault(c);
}

TEST(AlertingConfigTest, RefusesSecretsAndNeverRepeatsThem) {
  const Case cases[] = {
      {"{basic_auth: {username: u, password: hunter2}}",
       "c.yaml:1:65: a password does not belong in here; put it into a file (password_file)"},
      {"{static_configs: [{targets: ['u:hunter2@am:9093']}]}",
       "c.yaml:1:57: a target carries no user or password; use basic_auth"},
      {"{authorization: {credentials: hunter2}}",
       "c.yaml:1:58: a secret does not belong in here; put it into a file (credentials_file)"},
      {"{bearer_token: hunter2}",
       "c.yaml:1:43: a secret does not belong in here; put it into a file (bearer_token_file)"},
      {"{http_headers: {X-A: {secrets: [hunter2]}}}",
       "c.yaml:1:59: a secret does not belong in here; put it into a file (files)"},
      {"{proxy_url: 'http://u:hunter2@p'}",
       "c.yaml:1:40: a proxy's URL carries no user or password"},
  };
  for (const Case& c : cases) ExpectFault(c);
}

}  // namespace
}  // namespace azexporter::config
