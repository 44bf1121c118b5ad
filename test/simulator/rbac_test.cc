// Who may do what, by roles and bindings in the store, as a real API server judges and says it.

#include "simulator/authorizer.h"
#include "simulator/simulator_fixture.h"

namespace azexporter::simulator {
namespace {

using nlohmann::json;

constexpr const char* kAdmin = "admin-token";

Json Object(std::string_view kind, std::string_view name, std::string_view ns = {}) {
  Json object = {{"kind", kind},
                 {"apiVersion", "rbac.authorization.k8s.io/v1"},
                 {"metadata", {{"name", name}}}};
  if (!ns.empty()) object["metadata"]["namespace"] = ns;
  return object;
}

class RbacTest : public SimulatorTest {
 protected:
  RbacTest() : clock_(1'795'330'278'000), store_({.clock = clock_}) {}

  void SetUp() override {
    for (const char* ns : {"monitoring", "shop"}) {
      Apply({{"kind", "Namespace"}, {"apiVersion", "v1"}, {"metadata", {{"name", ns}}}});
    }
    for (const char* name : {"exporter", "no-rights"}) {
      Apply({{"kind", "ServiceAccount"},
             {"apiVersion", "v1"},
             {"metadata", {{"name", name}, {"namespace", "monitoring"}}}});
    }
    auto server =
        ApiServer::Start({.token = kAdmin, .authorization = Authorization::kRbac}, store_, clock_);
    ASSERT_TRUE(server) << server.error().message();
    server_ = std::move(*server);
  }

  // The store and the clock are this class's own and end before the base's server.
  void TearDown() override { server_.reset(); }

  void Apply(Json object) {
    const auto applied = store_.Apply(std::move(object));
    ASSERT_TRUE(applied) << applied.error().message();
  }
  // A role with `rules` (JSON) in `ns`, or a ClusterRole.
  void Role(std::string_view name, std::string_view rules, std::string_view ns = {}) {
    Json role = Object(ns.empty() ? "ClusterRole" : "Role", name, ns);
    role["rules"] = *ParseJson(rules);
    Apply(std::move(role));
  }
  // Binds `subject` (JSON) to a role of `kind`, in `ns` or everywhere.
  void Bind(std::string_view kind, std::string_view role, std::string_view subject,
            std::string_view ns = {}) {
    Json binding = Object(ns.empty() ? "ClusterRoleBinding" : "RoleBinding", role, ns);
    binding["subjects"] = Json::array({*ParseJson(subject)});
    binding["roleRef"] = {{"kind", kind}, {"name", role}};
    Apply(std::move(binding));
  }
  std::string Token(const std::string& account) {
    return server_->CreateToken("monitoring", account).value_or("none");
  }
  Answer Ask(const std::string& target, const std::string& token) const {
    return Get(*server_, target, {.token = token});
  }
  Answer Post(const std::string& target, const std::string& body, const std::string& token) const {
    return Fetch(*server_, "POST", target, body, {.token = token});
  }

  static constexpr std::string_view kExporter =
      R"({"kind":"ServiceAccount","name":"exporter","namespace":"monitoring"})";
  static constexpr const char* kTokens =
      "/api/v1/namespaces/monitoring/serviceaccounts/exporter/token";

  base::FakeClock clock_;
  Store store_;
};

TEST_F(RbacTest, ARuleCoversWhatItNames) {
  struct Case {
    std::string rule, method, target;
    bool allowed;
  };
  const auto rule = [](const std::string& verbs, const std::string& groups,
                       const std::string& resources, const std::string& more = "") {
    return R"({"verbs":[)" + verbs + R"(],"apiGroups":[)" + groups + R"(],"resources":[)" +
           resources + "]" + more + "}";
  };
  const std::string read_pods = rule(R"("list")", R"("")", R"("pods")");
  const std::string named = rule(R"("*")", R"("")", R"("pods")", R"(,"resourceNames":["a"])");
  const std::string pods = "/api/v1/namespaces/shop/pods";
  const Case cases[] = {
      {read_pods, "GET", "/api/v1/pods", true},
      {read_pods, "GET", pods, true},
      {read_pods, "GET", "/api/v1/pods?watch=1", false},
      {read_pods, "GET", pods + "/a", false},
      {read_pods, "GET", "/api/v1/nodes", false},
      {read_pods, "GET", "/apis/apps/v1/pods", false},
      {rule(R"("*")", R"("")", R"("pods")"), "DELETE", pods, true},
      {rule(R"("list")", R"("*")", R"("deployments")"), "GET", "/apis/apps/v1/deployments", true},
      {rule(R"("list")", R"("apps")", R"("*")"), "GET", "/apis/apps/v1/deployments", true},
      {rule(R"("list")", R"("apps")", R"("*")"), "GET", "/api/v1/pods", false},
      {rule(R"("create")", R"("")", R"("pods")"), "POST", pods + "/a/eviction", false},
      {rule(R"("create")", R"("")", R"("pods/eviction")"), "POST", pods + "/a/eviction", true},
      {rule(R"("create")", R"("")", R"("pods/eviction")"), "POST", pods, false},
      {rule(R"("create")", R"("")", R"("*")"), "POST", pods + "/a/eviction", true},
      {rule(R"("patch")", R"("")", R"("*/status")"), "PATCH", pods + "/a/status", true},
      {rule(R"("patch")", R"("")", R"("*/status")"), "PATCH", pods + "/a", false},
      {named, "GET", pods + "/a", true},
      {named, "GET", pods + "/b", false},
      {named, "GET", pods, false},
      {named, "GET", pods + "?fieldSelector=metadata.name%3Da", true},
      {named, "GET", pods + "?watch=1&sendInitialEvents=1&fieldSelector=metadata.name%3Da", true},
      {named, "GET", pods + "?fieldSelector=metadata.name%3Db", false},
      {named, "POST", pods, false},
      {R"({"verbs":["get"],"nonResourceURLs":["/metrics"]})", "GET", "/metrics", true},
      {R"({"verbs":["get"],"nonResourceURLs":["/logs/*"]})", "GET", "/logs/a/b", true},
      {R"({"verbs":["get"],"nonResourceURLs":["/logs/*"]})", "GET", "/log", false},
      {R"({"verbs":["get"],"nonResourceURLs":["*"]})", "GET", "/debug", true},
      {R"({"verbs":["post"],"nonResourceURLs":["*"]})", "GET", "/debug", false},
  };
  Bind("ClusterRole", "granted", kExporter);
  const std::string token = Token("exporter");
  for (const Case& c : cases) {
    Role("granted", "[" + c.rule + "]");
    const Answer answer = Fetch(*server_, c.method, c.target, "{}", {.token = token});
    EXPECT_EQ(answer.status != 403, c.allowed) << c.rule << " " << c.method << " " << c.target;
  }
}

TEST_F(RbacTest, ABindingReachesItsSubjects) {
  struct Case {
    std::string subject;
    bool allowed;
  };
  const Case cases[] = {
      {std::string(kExporter), true},
      {R"({"kind":"ServiceAccount","name":"exporter","namespace":"shop"})", false},
      {R"({"kind":"ServiceAccount","name":"exporter"})", false},
      {R"({"kind":"User","name":"system:serviceaccount:monitoring:exporter"})", true},
      {R"({"kind":"User","name":"exporter"})", false},
      {R"({"kind":"Group","name":"system:serviceaccounts"})", true},
      {R"({"kind":"Group","name":"system:serviceaccounts:monitoring"})", true},
      {R"({"kind":"Group","name":"system:serviceaccounts:shop"})", false},
      {R"({"kind":"Group","name":"system:authenticated"})", true},
      {R"({"kind":"Group","name":"system:unauthenticated"})", false},
      {R"({"kind":"Robot","name":"exporter"})", false},
  };
  Role("reader", R"([{"verbs":["list"],"apiGroups":[""],"resources":["pods"]}])");
  const std::string token = Token("exporter");
  for (const Case& c : cases) {
    Bind("ClusterRole", "reader", c.subject);
    EXPECT_EQ(Ask("/api/v1/pods", token).status, c.allowed ? 200 : 403) << c.subject;
  }
}

TEST_F(RbacTest, ARoleBindingGrantsInItsNamespaceOnly) {
  constexpr std::string_view kRules =
      R"([{"verbs":["list"],"apiGroups":[""],"resources":["pods","nodes"]}])";
  Role("anywhere", kRules);
  Bind("ClusterRole", "anywhere", kExporter, "shop");
  Role("here", kRules, "monitoring");
  // A service account without a namespace is the binding's own.
  Bind("Role", "here", R"({"kind":"ServiceAccount","name":"exporter"})", "monitoring");
  const std::string token = Token("exporter");
  EXPECT_EQ(Ask("/api/v1/namespaces/shop/pods", token).status, 200);
  EXPECT_EQ(Ask("/api/v1/namespaces/monitoring/pods", token).status, 200);
  EXPECT_EQ(Ask("/api/v1/namespaces/default/pods", token).status, 403);
  EXPECT_EQ(Ask("/api/v1/pods", token).status, 403);
  EXPECT_EQ(Ask("/api/v1/nodes", token).status, 403);
}

TEST_F(RbacTest, AMissingRoleGrantsNothingAndIsNamed) {
  Bind("ClusterRole", "gone", kExporter);
  const Answer refused = Ask("/api/v1/pods", Token("exporter"));
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.json()["message"],
            "pods is forbidden: User \"system:serviceaccount:monitoring:exporter\" cannot list "
            "resource \"pods\" in API group \"\" at the cluster scope: RBAC: "
            "clusterrole.rbac.authorization.k8s.io \"gone\" not found");
}

TEST_F(RbacTest, RefusalsAreWordForWord) {
  if (!HaveRecordings()) GTEST_SKIP() << "no recordings in " << RecordingsFolder();
  const std::string nobody = Token("no-rights");
  EXPECT_EQ(Ask("/api/v1/pods", nobody).body, ReadRecording("403-serviceaccount.json"));
  EXPECT_EQ(Ask("/api/v1/pods?watch=1", nobody).body, ReadRecording("403-watch.json"));
  EXPECT_EQ(Ask("/api/v1/pods", "").body, ReadRecording("403-anonymous.json"));
  EXPECT_EQ(Ask("/api/v1/pods", "wrong").body, ReadRecording("401-bad-token.json"));
}

TEST_F(RbacTest, RefusalsTellNamespacesNamesPathsAndNothingOfWhatExists) {
  const std::string nobody = Token("no-rights");
  const auto message = [&](const std::string& target) {
    const Answer answer = Ask(target, nobody);
    EXPECT_EQ(answer.status, 403) << target;
    return answer.json()["message"].get<std::string>();
  };
  const std::string user = "User \"system:serviceaccount:monitoring:no-rights\" cannot ";
  EXPECT_EQ(message("/api/v1/namespaces/shop/pods/a"),
            "pods \"a\" is forbidden: " + user +
                "get resource \"pods\" in API group \"\" in the namespace \"shop\"");
  EXPECT_EQ(message("/apis/apps/v1/namespaces/shop/deployments/web/status"),
            "deployments.apps \"web\" is forbidden: " + user +
                "get resource \"deployments/status\" in API group \"apps\" in the namespace "
                "\"shop\"");
  EXPECT_EQ(message("/apis/redis.example.com/v1/redisclusters"),
            "redisclusters.redis.example.com is forbidden: " + user +
                "list resource \"redisclusters\" in API group \"redis.example.com\" at the cluster "
                "scope")
      << "a resource that does not exist is refused, not missing";
  EXPECT_EQ(message("/metrics"), "forbidden: " + user + "get path \"/metrics\"");
}

TEST_F(RbacTest, EverybodyDiscoversAndTheAdministratorMayAll) {
  const std::string nobody = Token("no-rights");
  for (const char* path : {"/api", "/apis", "/api/v1", "/apis/apps/v1", "/version", "/readyz"}) {
    EXPECT_EQ(Ask(path, nobody).status, 200) << path;
  }
  EXPECT_EQ(Ask("/readyz", "").status, 200);
  EXPECT_EQ(Ask("/api", "").status, 403);
  EXPECT_EQ(Ask("/api/v1/pods", kAdmin).status, 200);
  EXPECT_EQ(Ask("/nope", kAdmin).status, 404);
}

TEST_F(RbacTest, TokensAreRequestedAndExpire) {
  const Answer requested = Post(kTokens,
                                R"({"kind":"TokenRequest","apiVersion":"authentication.k8s.io/v1",
               "spec":{"audiences":null,"expirationSeconds":600,"boundObjectRef":null}})",
                                kAdmin);
  ASSERT_EQ(requested.status, 201) << requested.body;
  const json request = requested.json();
  EXPECT_EQ(request["kind"], "TokenRequest");
  EXPECT_EQ(request["spec"]["expirationSeconds"], 600);
  EXPECT_EQ(request["status"]["expirationTimestamp"], "2026-11-22T07:01:18Z");
  const std::string token = request["status"]["token"];
  EXPECT_EQ(Ask("/version", token).status, 200);
  clock_.Advance(599'999);
  EXPECT_EQ(Ask("/version", token).status, 200);
  clock_.Advance(1);
  EXPECT_EQ(Ask("/version", token).status, 401);
  EXPECT_EQ(Post(kTokens, R"({"spec":{"expirationSeconds":599}})", kAdmin).status, 422);
  EXPECT_EQ(Post("/api/v1/namespaces/shop/serviceaccounts/exporter/token", "{}", kAdmin).status,
            404);
  EXPECT_EQ(Post(kTokens, "{}", Token("no-rights")).status, 403);
}

TEST_F(RbacTest, ATokenEndsWithItsAccount) {
  const std::string token = Token("exporter");
  ASSERT_TRUE(server_->Restart());
  EXPECT_EQ(Ask("/version", token).status, 200);
  const ObjectKey key{FindKind("v1", "ServiceAccount"), "monitoring", "exporter"};
  Json account = *store_.Get(key);
  ASSERT_TRUE(store_.Delete(key));
  EXPECT_EQ(Ask("/version", token).status, 401);
  account["metadata"].erase("uid");
  Apply(std::move(account));
  EXPECT_EQ(Ask("/version", token).status, 401) << "a new account of the old name is another";
}

TEST_F(RbacTest, AccessReviewsAreTheRecordedOnes) {
  if (!HaveRecordings()) GTEST_SKIP() << "no recordings in " << RecordingsFolder();
  Role("zone-exporter",
       R"([{"verbs":["get","list","watch"],"apiGroups":[""],"resources":["pods"]}])");
  Bind("ClusterRole", "zone-exporter",
       R"({"kind":"ServiceAccount","name":"zone-exporter","namespace":"monitoring"})");
  Apply({{"kind", "ServiceAccount"},
         {"apiVersion", "v1"},
         {"metadata", {{"name", "zone-exporter"}, {"namespace", "monitoring"}}}});
  const auto review = [&](const std::string& account) {
    return Post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                R"({"spec":{"resourceAttributes":{"verb":"watch","resource":"pods"}}})",
                Token(account));
  };
  const auto recorded = [](const std::string& name) {
    json body = json::parse(ReadRecording(name));
    body["metadata"].erase("managedFields");
    return body;
  };
  EXPECT_EQ(review("zone-exporter").status, 201);
  EXPECT_EQ(review("zone-exporter").json(), recorded("ssar.allowed.json"));
  EXPECT_EQ(review("no-rights").json(), recorded("ssar.denied.json"));
}

TEST_F(RbacTest, RulesReviewsAreTheRecordedOnes) {
  if (!HaveRecordings()) GTEST_SKIP() << "no recordings in " << RecordingsFolder();
  json recorded = json::parse(ReadRecording("ssrr.json"));
  // The recorded account's own rules, and one that was added to the recorded server.
  Json own = Json::array();
  for (const json& rule : recorded["status"]["resourceRules"]) {
    if (rule["verbs"][0] == "get") own.push_back(Json::parse(rule.dump()));
  }
  own.push_back(
      *ParseJson(R"({"verbs":["get"],"nonResourceURLs":["/.well-known","/.well-known/*"]})"));
  Role("zone-exporter", Dump(own));
  Bind("ClusterRole", "zone-exporter", kExporter);
  json answered = Post("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
                       R"({"spec":{"namespace":"monitoring"}})", Token("exporter"))
                      .json();
  // Bindings come in no particular order from a real server.
  for (json* body : {&recorded, &answered}) {
    for (const char* rules : {"resourceRules", "nonResourceRules"}) {
      json& list = (*body)["status"][rules];
      std::sort(list.begin(), list.end());
    }
  }
  EXPECT_EQ(answered, recorded);
}

TEST_F(RbacTest, SaysWhoAsks) {
  const json user =
      Post("/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}", Token("exporter"))
          .json()["status"]["userInfo"];
  EXPECT_EQ(user["username"], "system:serviceaccount:monitoring:exporter");
  EXPECT_EQ(user["groups"], json({"system:serviceaccounts", "system:serviceaccounts:monitoring",
                                  "system:authenticated"}));
  EXPECT_EQ(Ask("/apis/authentication.k8s.io/v1/selfsubjectreviews", kAdmin).status, 405);
}

TEST_F(RbacTest, RolesAreServedLikeAnyOtherObject) {
  EXPECT_EQ(Post("/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles",
                 R"({"metadata":{"name":"r"},"rules":[]})", kAdmin)
                .status,
            201);
  const json roles = Ask("/apis/rbac.authorization.k8s.io/v1/clusterroles", kAdmin).json();
  EXPECT_EQ(roles["kind"], "ClusterRoleList");
  EXPECT_EQ(roles["items"][0]["metadata"]["name"], "cluster-admin");
}

}  // namespace
}  // namespace azexporter::simulator
