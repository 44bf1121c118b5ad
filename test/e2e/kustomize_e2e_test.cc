// The Kubernetes manifests, rendered by the oldest kustomize that must do and by a current one:
// they render the same, the pod is confined, and what they permit is exactly what azexporter asks
// of an API server when it runs with the configuration that they hold.

#include <gtest/gtest.h>
#include <signal.h>

#include <compare>
#include <filesystem>
#include <mutex>
#include <ostream>
#include <set>

#include "azexporter/base/clock.h"
#include "azexporter/base/yaml.h"
#include "servers/child_process.h"
#include "simulator/api_request.h"
#include "simulator/api_server.h"
#include "simulator/json.h"
#include "support/eventually.h"
#include "support/kubectl.h"
#include "support/temp_folder.h"

namespace azexporter {
namespace {

using base::YamlNode;
using servers::ChildProcess;
using servers::RunProgram;

constexpr int kWaitMs = 30'000;

// One thing that may be done, or was.
struct Permission {
  std::string verb;
  std::string group;
  std::string resource;
  std::string ns;    // empty: every namespace, or cluster-scoped
  std::string name;  // empty: any

  auto operator<=>(const Permission&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Permission& p) {
  return out << p.verb << " " << p.group << "/" << p.resource << " in '" << p.ns << "' named '"
             << p.name << "'";
}

// The node at a path of keys and indexes, "spec.containers.0.image"; a null node where there is
// none.
const YamlNode& At(const YamlNode& root, std::string_view path) {
  static const YamlNode kNone;
  const YamlNode* node = &root;
  while (!path.empty()) {
    const std::string key(path.substr(0, path.find('.')));
    path.remove_prefix(std::min(path.size(), key.size() + 1));
    const YamlNode* next = &kNone;
    for (const auto& [name, value] : node->entries()) {
      if (name.scalar() == key) next = &value;
    }
    if (!node->items().empty() && key == "0") next = &node->items().front();
    node = next;
  }
  return *node;
}

std::string Text(const YamlNode& root, std::string_view path) { return At(root, path).scalar(); }

std::set<std::string> Texts(const YamlNode& list) {
  std::set<std::string> texts;
  for (const YamlNode& item : list.items()) texts.insert(item.scalar());
  return texts;
}

constexpr char kManifests[] = AZX_SOURCE_DIR "/deploy/kubernetes/";

std::optional<std::string> Render(const test::Kubectl& kubectl, const std::string& folder) {
  return RunProgram({kubectl.program, "kustomize", folder});
}

// What a folder renders to.
class RenderedTest : public ::testing::Test {
 protected:
  void Load(const test::Kubectl& kubectl, const std::string& folder) {
    const auto text = Render(kubectl, folder);  // of kManifests, or another
    ASSERT_TRUE(text) << folder << " does not render";
    auto parsed = YamlNode::ParseAll(*text, "rendered");
    ASSERT_TRUE(parsed) << parsed.error().message();
    objects_ = std::move(*parsed);
  }

  std::vector<const YamlNode*> OfKind(const std::string& kind) const {
    std::vector<const YamlNode*> found;
    for (const YamlNode& object : objects_) {
      if (Text(object, "kind") == kind) found.push_back(&object);
    }
    return found;
  }
  const YamlNode& Only(const std::string& kind) const {
    static const YamlNode kNone;
    const auto found = OfKind(kind);
    EXPECT_EQ(found.size(), 1u) << kind;
    return found.empty() ? kNone : *found.front();
  }

  // What the roles that are bound to azexporter's service account allow.
  std::set<Permission> Granted() const {
    std::set<Permission> granted;
    for (const std::string kind : {"ClusterRole", "Role"}) {
      EXPECT_EQ(OfKind(kind).size(), OfKind(kind + "Binding").size());
      for (const YamlNode* binding : OfKind(kind + "Binding")) {
        EXPECT_EQ(Text(*binding, "subjects.0.kind"), "ServiceAccount");
        EXPECT_EQ(Text(*binding, "subjects.0.namespace"), "azexporter");
        EXPECT_EQ(Text(*binding, "subjects.0.name"),
                  Text(Only("Deployment"), "spec.template.spec.serviceAccountName"));
        EXPECT_EQ(Text(*binding, "roleRef.kind"), kind);
        bool found = false;
        for (const YamlNode* role : OfKind(kind)) {
          if (Text(*role, "metadata.name") != Text(*binding, "roleRef.name")) continue;
          EXPECT_EQ(Text(*binding, "metadata.namespace"), Text(*role, "metadata.namespace"));
          AddRules(*role, granted);
          found = true;
        }
        EXPECT_TRUE(found) << Text(*binding, "roleRef.name");
      }
    }
    return granted;
  }
  // Runs azexporter with the configuration that was rendered, and more, on a cluster of these
  // objects, until every source answered and it asked for all that is granted: it asks for no more.
  void ExpectAsksForWhatIsGranted(const std::string& more_config,
                                  const std::vector<std::string>& objects = {}) const;

  std::vector<YamlNode> objects_;

 private:
  static void AddRules(const YamlNode& role, std::set<Permission>& granted) {
    const std::string ns = Text(role, "metadata.namespace");
    for (const YamlNode& rule : At(role, "rules").items()) {
      std::set<std::string> names = Texts(At(rule, "resourceNames"));
      if (names.empty()) names.insert("");
      for (const std::string& verb : Texts(At(rule, "verbs"))) {
        for (const std::string& group : Texts(At(rule, "apiGroups"))) {
          for (const std::string& resource : Texts(At(rule, "resources"))) {
            for (const std::string& name : names) {
              granted.insert({verb, group, resource, ns, name});
            }
          }
        }
      }
    }
  }
};

// A request as the authorizer of an API server sees it: a list or watch that selects one name is
// for that name.
Permission Asked(const simulator::HttpRequest& request) {
  const auto path = simulator::ParseResourcePath(request.path);
  if (!path) return {request.method, "", request.path, "", ""};
  Permission asked{"get", std::string(path->type->group), std::string(path->type->plural), path->ns,
                   path->name};
  if (request.method == "POST") asked.verb = "create";
  if (request.method == "PUT") asked.verb = "update";
  if (!path->subresource.empty()) asked.resource += "/" + path->subresource;
  if (!path->name.empty() || request.method != "GET") return asked;
  const std::string watch = request.Query("watch");
  asked.verb = watch == "1" || watch == "true" ? "watch" : "list";
  const std::string selector = request.Query("fieldSelector");
  const std::string by_name = "metadata.name=";
  if (selector.starts_with(by_name)) asked.name = selector.substr(by_name.size());
  return asked;
}

void RenderedTest::ExpectAsksForWhatIsGranted(const std::string& more_config,
                                              const std::vector<std::string>& objects) const {
  const base::SystemClock clock;
  simulator::Store store({.clock = clock});
  ASSERT_TRUE(store.Create(
      {{"kind", "Namespace"}, {"apiVersion", "v1"}, {"metadata", {{"name", "azexporter"}}}}));
  for (const std::string& object : objects) ASSERT_TRUE(store.Apply(*simulator::ParseJson(object)));
  auto server = simulator::ApiServer::Start({}, store, clock);
  ASSERT_TRUE(server) << server.error().message();
  std::mutex mu;
  std::set<Permission> asked;
  (*server)->SetInterceptor(
      [&](const simulator::HttpRequest& request) -> std::optional<simulator::HttpResponse> {
        const std::lock_guard lock(mu);
        asked.insert(Asked(request));
        if (!request.HasQuery("sendInitialEvents")) return std::nullopt;
        // A server without streamed lists, which is asked for all that may ever be asked.
        simulator::HttpResponse refusal;
        refusal.status = 422;
        return refusal;
      });

  const test::TempFolder folder;
  folder.Write("kubeconfig", (*server)->Kubeconfig());
  // A key with a dot in it cannot be told by a path.
  for (const auto& [key, value] : At(Only("ConfigMap"), "data").entries()) {
    folder.Write(key.scalar(), value.scalar() + more_config);
  }
  ChildProcess azexporter({AZX_PROGRAM, "--config.file", (folder / "azexporter.yaml").string(),
                           "--kubeconfig", (folder / "kubeconfig").string(), "--web.listen-address",
                           "127.0.0.1:0"});
  const std::set<Permission> granted = Granted();
  EXPECT_TRUE(test::Eventually(
      [&] {
        const std::lock_guard lock(mu);
        return std::includes(asked.begin(), asked.end(), granted.begin(), granted.end());
      },
      kWaitMs));
  // From here on every resource is being watched: nothing new is asked for.
  bool all_answered = false;
  std::string output;
  while (const auto line = azexporter.ReadLine(kWaitMs)) {
    output += *line + "\n";
    all_answered = line->find("every source answered") != std::string::npos;
    if (all_answered) break;
  }
  EXPECT_TRUE(all_answered) << output;
  azexporter.Signal(SIGTERM);
  EXPECT_EQ(azexporter.Wait(kWaitMs), 0);
  EXPECT_EQ(asked, granted);
}

class KustomizeTest : public RenderedTest, public ::testing::WithParamInterface<test::Kubectl> {
 protected:
  void SetUp() override {
    AZX_SKIP_WITHOUT_KUBECTL(GetParam());
    Load(GetParam(), kManifests + std::string("base"));
  }
};

TEST_P(KustomizeTest, PermitsExactlyWhatAzexporterAsksFor) {
  EXPECT_EQ(Granted().size(), 28u) << "two verbs on each of 14 resources";
  ExpectAsksForWhatIsGranted("");
}

// An overlay needs a newer kustomize than the base.
class TwoReplicasTest : public RenderedTest {
 protected:
  void SetUp() override {
    AZX_SKIP_WITHOUT_KUBECTL(test::CurrentKubectl());
    Load(test::CurrentKubectl(), kManifests + std::string("two-replicas"));
  }
};

TEST_F(TwoReplicasTest, ElectALeader) {
  const YamlNode& deployment = Only("Deployment");
  EXPECT_EQ(Text(deployment, "spec.replicas"), "2");
  const YamlNode& pod = At(deployment, "spec.template.spec");
  EXPECT_EQ(Texts(At(pod, "containers.0.args")),
            (std::set<std::string>{"--config.file=/etc/azexporter/azexporter.yaml",
                                   "--kube.leader-election"}));
  EXPECT_EQ(Text(pod, "containers.0.image"), "azexporter:0.1.0");
  EXPECT_EQ(Text(pod, "topologySpreadConstraints.0.topologyKey"), "topology.kubernetes.io/zone");
}

TEST_F(TwoReplicasTest, PermitExactlyWhatAzexporterAsksFor) {
  EXPECT_EQ(Granted().size(), 31u) << "and three verbs on the Lease";
  // In a pod the namespace is its own.
  ExpectAsksForWhatIsGranted("kubernetes: {leader_election: {namespace: azexporter}}\n");
}

// Overlays that watch something else than the base does.
struct WatchCase {
  const char* folder;
  std::size_t granted;
};
class WatchTest : public RenderedTest, public ::testing::WithParamInterface<WatchCase> {
 protected:
  void SetUp() override {
    AZX_SKIP_WITHOUT_KUBECTL(test::CurrentKubectl());
    Load(test::CurrentKubectl(), kManifests + std::string(GetParam().folder));
  }
};

TEST_P(WatchTest, PermitsExactlyWhatAzexporterAsksFor) {
  EXPECT_EQ(Granted().size(), GetParam().granted);
  ExpectAsksForWhatIsGranted("");
}

// Two verbs on each of 18, 14 and 15 resources.
constexpr WatchCase kWatchCases[] = {
    {"custom-resources", 36}, {"namespaced", 28}, {"node-leases", 30}};

std::string FolderOf(const ::testing::TestParamInfo<WatchCase>& info) {
  std::string name = info.param.folder;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Overlays, WatchTest, ::testing::ValuesIn(kWatchCases), FolderOf);

class NamespacedTest : public RenderedTest {
 protected:
  void SetUp() override {
    AZX_SKIP_WITHOUT_KUBECTL(test::CurrentKubectl());
    Load(test::CurrentKubectl(), kManifests + std::string("namespaced"));
  }
};

TEST_F(NamespacedTest, OfTheClusterItMayReadOnlyWhatIsInNoNamespace) {
  std::set<std::string> of_cluster;
  for (const Permission& permission : Granted()) {
    if (permission.ns.empty()) of_cluster.insert(permission.resource);
  }
  EXPECT_EQ(of_cluster, (std::set<std::string>{"nodes", "persistentvolumes", "storageclasses"}));
}

// The overlay of deploy/kubernetes/README.md that reads Secrets of databases.
class DatabaseSecretsTest : public RenderedTest {
 protected:
  void SetUp() override {
    AZX_SKIP_WITHOUT_KUBECTL(test::CurrentKubectl());
    const std::string manifests =
        std::filesystem::relative(std::filesystem::canonical(kManifests), folder_.path()).string();
    folder_.Write("kustomization.yaml", "resources: [" + manifests + "/custom-resources]\n" +
                                            "components: [" + manifests + "/database-secrets]\n");
    Load(test::CurrentKubectl(), folder_.string());
  }

  const test::TempFolder folder_;
};

TEST_F(DatabaseSecretsTest, PermitsExactlyWhatAzexporterAsksFor) {
  EXPECT_EQ(Granted().size(), 37u) << "and one verb on one Secret";
  ExpectAsksForWhatIsGranted(
      "postgres: {cnpg: {port: 1, secret: '{cluster}-app'}}\n",
      {R"({"apiVersion":"postgresql.cnpg.io/v1","kind":"Cluster",
           "metadata":{"name":"postgres-cluster","namespace":"platform-03"},
           "spec":{"instances":1}})",
       R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"postgres-cluster-1",
           "namespace":"platform-03","labels":{"cnpg.io/cluster":"postgres-cluster"}},
           "spec":{"nodeName":"n1","containers":[{"name":"postgres"}]},
           "status":{"phase":"Running","podIP":"127.0.0.1"}})"});
}

TEST_P(KustomizeTest, ConfinesThePod) {
  const YamlNode& deployment = Only("Deployment");
  const YamlNode& pod = At(deployment, "spec.template.spec");
  EXPECT_EQ(Text(deployment, "spec.replicas"), "1");
  EXPECT_EQ(Text(pod, "securityContext.runAsNonRoot"), "true");
  EXPECT_EQ(Text(pod, "securityContext.seccompProfile.type"), "RuntimeDefault");
  const YamlNode& container = At(pod, "containers.0");
  EXPECT_EQ(Text(container, "image"), "azexporter:0.1.0");
  EXPECT_EQ(Text(container, "securityContext.allowPrivilegeEscalation"), "false");
  EXPECT_EQ(Text(container, "securityContext.readOnlyRootFilesystem"), "true");
  EXPECT_EQ(Texts(At(container, "securityContext.capabilities.drop")),
            std::set<std::string>{"ALL"});
  EXPECT_NE(Text(container, "resources.limits.memory"), "");
  EXPECT_EQ(Text(container, "livenessProbe.httpGet.path"), "/-/healthy");
  EXPECT_EQ(Text(container, "readinessProbe.httpGet.path"), "/-/ready");
  EXPECT_EQ(Text(container, "env.0.name"), "NODE_NAME");
  EXPECT_EQ(Text(container, "env.0.valueFrom.fieldRef.fieldPath"), "spec.nodeName");
}

TEST_P(KustomizeTest, TiesItsPartsTogether) {
  const YamlNode& pod = At(Only("Deployment"), "spec.template");
  const YamlNode& config = Only("ConfigMap");
  EXPECT_EQ(Text(pod, "spec.volumes.0.configMap.name"), Text(config, "metadata.name"));
  EXPECT_TRUE(Text(config, "metadata.name").starts_with("azexporter-config-")) << "has no hash";
  EXPECT_EQ(Text(config, "metadata.namespace"), "azexporter");
  const YamlNode& service = Only("Service");
  EXPECT_EQ(Text(service, "spec.ports.0.port"), "10126");
  EXPECT_EQ(Text(service, "spec.ports.0.targetPort"), Text(pod, "spec.containers.0.ports.0.name"));
  EXPECT_EQ(Text(pod, "spec.containers.0.ports.0.containerPort"), "10126");
  for (const auto& [key, value] : At(service, "spec.selector").entries()) {
    bool found = false;
    for (const auto& [label, text] : At(pod, "metadata.labels").entries()) {
      found = found || (label.scalar() == key.scalar() && text.scalar() == value.scalar());
    }
    EXPECT_TRUE(found) << key.scalar();
  }
}

INSTANTIATE_TEST_SUITE_P(Kubectls, KustomizeTest, ::testing::ValuesIn(test::Kubectls()),
                         test::KubectlName);

// `text` without the hash in the ConfigMap's name: kustomize 2 and 5 take it of differently written
// content. That every reference has the same one is for TiesItsPartsTogether.
std::string WithoutHash(std::string text) {
  const std::string name = "azexporter-config-";
  for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at)) {
    at += name.size();
    text.erase(at, text.find('\n', at) - at);
  }
  return text;
}

// The overlay of deploy/kubernetes/README.md. kustomize takes no absolute path.
TEST(KustomizeOverlayTest, NamesAnotherImage) {
  const test::Kubectl kubectl = test::CurrentKubectl();
  AZX_SKIP_WITHOUT_KUBECTL(kubectl);
  const test::TempFolder folder;
  const auto base = std::filesystem::canonical(AZX_SOURCE_DIR "/deploy/kubernetes/base");
  folder.Write("kustomization.yaml",
               "resources: [" + std::filesystem::relative(base, folder.path()).string() + "]\n" +
                   "images: [{name: azexporter, newName: registry.example/azexporter}]\n");
  const auto text = RunProgram({kubectl.program, "kustomize", folder.string()});
  ASSERT_TRUE(text);
  EXPECT_NE(text->find("image: registry.example/azexporter:0.1.0\n"), std::string::npos) << *text;
}

TEST(KustomizeVersionsTest, RenderTheSame) {
  std::vector<std::string> rendered;
  for (const test::Kubectl& kubectl : test::Kubectls()) {
    AZX_SKIP_WITHOUT_KUBECTL(kubectl);
    rendered.push_back(
        WithoutHash(Render(kubectl, kManifests + std::string("base")).value_or("failed")));
  }
  EXPECT_NE(rendered.front(), "failed");
  for (const std::string& text : rendered) EXPECT_EQ(text, rendered.front());
}

}  // namespace
}  // namespace azexporter
