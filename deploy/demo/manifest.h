#pragma once

// Manifests from files: YAML, as kubectl apply takes it, to JSON documents.

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/base/yaml.h"
#include "simulator/json.h"

namespace azexporter::platform {

// Plain scalars become null, booleans and numbers where YAML 1.2's core schema says so.
simulator::Json ToJson(const base::YamlNode& node);

// Every document of every *.yaml file in the folder, in the order of the file names. "${NAME}" is
// replaced by its value in `variables`; an unknown name is kBadData.
base::Result<std::vector<simulator::Json>> ReadManifests(
    const std::filesystem::path& folder, const std::map<std::string, std::string>& variables);

base::Result<std::string> ReadFile(const std::filesystem::path& path);
// Through a temporary file beside it, so that a reader never sees half of it.
base::Result<void> WriteFile(const std::filesystem::path& path, std::string_view text);

}  // namespace azexporter::platform
