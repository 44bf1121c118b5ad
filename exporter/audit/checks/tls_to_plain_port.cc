#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

using base::YamlNode;

// A load balancer that ends TLS itself, by the annotations of AWS, sends on what is plain.
bool EndsTls(const Object& service) {
  return FieldAt(service.root, {"metadata", "annotations",
                                "service.beta.kubernetes.io/aws-load-balancer-ssl-cert"})
             .value != nullptr;
}

std::string TargetOf(const YamlNode& port) {
  const std::string target = TextAt(port, {"targetPort"});
  return target.empty() ? TextAt(port, {"port"}) : target;
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* service : context.Of(kCore, "Service")) {
    if (EndsTls(*service)) continue;
    const auto& ports = ItemsAt(service->root, {"spec", "ports"});
    for (const YamlNode& secure : ports) {
      if (TextAt(secure, {"port"}) != "443") continue;
      for (const YamlNode& plain : ports) {
        if (TextAt(plain, {"port"}) != "80" || TargetOf(plain) != TargetOf(secure)) continue;
        problems.push_back(
            ProblemAt(*service, *FieldAt(secure, {"port"}).value,
                      "port 443 goes to " + TargetOf(secure) + ", where port 80 goes too"));
      }
    }
  }
  return problems;
}

}  // namespace

Check TlsToPlainPort() {
  return {.name = "tls-to-plain-port",
          .severity = Severity::kError,
          .title = "the HTTPS port of a Service leads to the port that HTTP leads to",
          .explanation =
              "A Service does not end TLS: the handshake reaches a port that speaks plain HTTP, or "
              "the plain port speaks TLS. One of the two fails, in every zone.",
          .fix =
              "Send 443 to a port that speaks TLS, or let the load balancer end TLS (a "
              "certificate in aws-load-balancer-ssl-cert).",
          .source =
              "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/"
              "service/annotations/#ssl-cert",
          .run = &Run};
}

}  // namespace azexporter::audit
