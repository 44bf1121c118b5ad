#include "targets.h"

namespace azexporter::fuzz {
namespace {

constexpr Target kTargets[] = {
    {"parser", ParseQuery},   {"script", ReadAndRunScript}, {"engine", EvaluateQuery},
    {"write", DecodeWrite},   {"text", ReadSamples},        {"template", ExpandTemplates},
    {"kube", ReadKubernetes},
};

}  // namespace

std::span<const Target> Targets() { return kTargets; }

}  // namespace azexporter::fuzz
