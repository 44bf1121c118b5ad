// The keys `remote_write` and `datasource`.

#include <gtest/gtest.h>

#include "azexporter/config/config.h"

namespace azexporter::config {
namespace {

TEST(RemoteWriteConfigTest, ReadsEveryKey) {
  const auto config = ParseConfig(R"(
remote_write:
- url: http://a:9090/api/v1/write
- url: https://b/push
  name: b
  remote_timeout: 7s
  headers: {X-Scope-OrgID: shop}
  basic_auth: {username: azx, password_file: password}
  tls_config: {ca_file: ca, cert_file: /abs/cert, key_file: key, insecure_skip_verify: true}
  protobuf_message: io.prometheus.write.v2.Request
  send_exemplars: false
  queue_config:
    capacity: 1000
    max_samples_per_send: 10
    batch_send_deadline: 1s
    min_backoff: 2s
    max_backoff: 3s
    max_shards: 50
    min_shards: 1
    retry_on_http_429: false
    sample_age_limit: 1h
  metadata_config: {send: false, send_interval: 5m, max_samples_per_send: 500}
- url: http://c/write
  protobuf_message: prometheus.WriteRequest
  send_native_histograms: true
  authorization: {type: Token, credentials_file: token}
)",
                                  "/etc/azx/c.yaml");
  ASSERT_TRUE(config) << config.error().message();
  const std::vector<remote::WriteTarget> targets = {
      {.endpoint = {.url = "http://a:9090/api/v1/write"}, .name = "http://a:9090/api/v1/write"},
      {.endpoint = {.url = "https://b/push",
                    .headers = {{"X-Scope-OrgID", "shop"}},
                    .username = "azx",
                    .password_file = "/etc/azx/password",
                    .ca_file = "/etc/azx/ca",
                    .cert_file = "/abs/cert",
                    .key_file = "/etc/azx/key",
                    .insecure_skip_verify = true},
       .name = "b",
       .message = remote::WriteMessage::kV2,
       .timeout_ms = 7'000,
       .capacity = 1'000,
       .max_samples_per_send = 10,
       .batch_send_deadline_ms = 1'000,
       .min_backoff_ms = 2'000,
       .max_backoff_ms = 3'000,
       .retry_on_http_429 = false,
       .sample_age_limit_ms = 3'600'000,
       .send_metadata = false,
       .metadata_interval_ms = 300'000},
      {.endpoint = {.url = "http://c/write",
                    .authorization_type = "Token",
                    .credentials_file = "/etc/azx/token"},
       .name = "http://c/write",
       .send_native_histograms = true}};
  EXPECT_EQ(config->remote_write, targets);
}

// The server in each of these stands in column 16 of its line.
TEST(RemoteWriteConfigTest, NamesFaults) {
  struct Case {
    std::string_view server, message;
  };
  const Case cases[] = {
      {"{}", "16: missing key \"url\""},
      {"{url: 'ftp://x'}", "22: not a http or https URL: \"ftp://x\""},
      {"{url: 'http://u:hunter2@x'}", "22: a URL carries no user or password; use basic_auth"},
      {"{url: 'http://x'}, {url: 'http://x'}",
       "35: remote_write \"http://x\" is there twice; give each a name of its own"},
      {"{url: 'http://x', write_relabel_configs: [{action: keepit}]}",
       "67: there is no relabel action \"keepit\""},
      {"{url: 'http://x', sigv4: {}}", "34: \"sigv4\" is not supported yet"},
      {"{url: 'http://x', oauth2: {}}", "34: \"oauth2\" is not supported yet"},
      {"{url: 'http://x', send_exemplars: true}", "50: \"send_exemplars\" is not supported yet"},
      {"{url: 'http://x', protobuf_message: v2}",
       "52: protobuf_message must be prometheus.WriteRequest or io.prometheus.write.v2.Request, "
       "got \"v2\""},
      {"{url: 'http://x', headers: {Host: a}}", "44: \"Host\" is not a header to be set"},
      {"{url: 'http://x', headers: {X-Api-Token: hunter2}}",
       "44: a secret does not belong in here (header \"X-Api-Token\"); use authorization or "
       "basic_auth with a file"},
      {"{url: 'http://x', headers: {'a b': c}}", "44: \"a b\" is not the name of a header"},
      {"{url: 'http://x', basic_auth: {username: u, password: hunter2}}",
       "70: a password does not belong in here; put it into a file (password_file)"},
      {"{url: 'http://x', authorization: {credentials: hunter2}}",
       "63: credentials do not belong in here; put them into a file (credentials_file)"},
      {"{url: 'http://x', authorization: {type: Bearer}}", "49: missing key \"credentials_file\""},
      {"{url: 'http://x', authorization: {type: basic, credentials_file: x}}",
       "56: for type Basic use basic_auth"},
      {"{url: 'http://x', basic_auth: {username: u}, authorization: {credentials_file: x}}",
       "16: give basic_auth or authorization, not both"},
      {"{url: 'http://x', queue_config: {capacity: 0}}",
       "59: capacity must be from 1 to 100000000, got 0"},
      {"{url: 'http://x', queue_config: {min_shards: 2}}",
       "61: min_shards must be from 1 to 1, got 2"},
      {"{url: 'http://x', queue_config: {min_backoff: 1m}}",
       "62: min_backoff must not be longer than max_backoff"},
      {"{url: 'http://x', queue_config: {shards: 1}}",
       "49: unknown key \"shards\" (known here: capacity, max_samples_per_send, max_shards, "
       "min_shards, batch_send_deadline, min_backoff, max_backoff, retry_on_http_429, "
       "sample_age_limit)"},
  };
  for (const Case& c : cases) {
    const std::string yaml = "remote_write: [" + std::string(c.server) + "]\n";
    const auto config = ParseConfig(yaml, "c.yaml");
    ASSERT_FALSE(config) << yaml;
    EXPECT_EQ(config.error().message(), "c.yaml:1:" + std::string(c.message));
    EXPECT_EQ(config.error().message().find("hunter2"), std::string::npos);
  }
}

TEST(DatasourceConfigTest, ReadsEveryKey) {
  const auto config = ParseConfig(
      "datasource: {url: 'http://prometheus:9090/prom', timeout: 3s, headers: {X-Scope-OrgID: a},\n"
      "  authorization: {credentials_file: token}, tls_config: {ca_file: ca}}\n",
      "/etc/azx/c.yaml");
  ASSERT_TRUE(config) << config.error().message();
  const Datasource datasource = {.endpoint = {.url = "http://prometheus:9090/prom",
                                              .headers = {{"X-Scope-OrgID", "a"}},
                                              .credentials_file = "/etc/azx/token",
                                              .ca_file = "/etc/azx/ca"},
                                 .timeout_ms = 3'000};
  EXPECT_EQ(config->datasource, datasource);
  EXPECT_FALSE(ParseConfig("", "c.yaml")->datasource);
}

TEST(DatasourceConfigTest, NamesFaults) {
  EXPECT_EQ(ParseConfig("datasource: {}", "c.yaml").error().message(),
            "c.yaml:1:13: missing key \"url\"");
  EXPECT_EQ(ParseConfig("datasource: {url: 'http://a/?x=y'}", "c.yaml").error().message(),
            "c.yaml:1:19: the URL is what stands before /api/v1, got \"http://a/?x=y\"");
}

}  // namespace
}  // namespace azexporter::config
