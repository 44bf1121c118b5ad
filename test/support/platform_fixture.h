#pragma once

// A test on the embedded platform: a folder of its own, the platform, and azexporter beside it. All
// of it is gone after the test, which may have been skipped before anything started.

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "azexporter/base/file.h"
#include "azexporter/model/regexp.h"
#include "platform.h"
#include "support/azexporter_process.h"
#include "support/temp_folder.h"

namespace azexporter::test {

class PlatformFixture : public ::testing::Test {
 protected:
  void TearDown() override {
    azexporter_.reset();
    if (platform_) platform_->Stop();
  }

  // REQUIRES: once a test, first of all. `options.manifests` is filled in. Fatal when it fails.
  void StartPlatform(platform::PlatformOptions options = {}) {
    options.manifests = std::string(AZX_SOURCE_DIR) + "/deploy/demo/manifests";
    auto platform = platform::Platform::Start(options, clock_);
    ASSERT_TRUE(platform) << platform.error().message();
    platform_ = std::move(*platform);
    Write("kubeconfig", platform_->api().Kubeconfig());
  }

  // A file in the test's folder.
  void Write(const std::string& name, const std::string& text) { folder_.Write(name, text); }
  // rules/alerts/PACK.yaml as NAME, only with this for every `for:` and `keep_firing_for:`.
  void WritePack(const std::string& pack, const std::string& name, const std::string& duration) {
    const auto text =
        base::ReadFile(std::string(AZX_SOURCE_DIR) + "/rules/alerts/" + pack + ".yaml");
    ASSERT_TRUE(text);
    Write(name, *model::ReplaceAll("for: \\d+m", "for: " + duration, *text));
  }
  // azexporter's configuration for the platform.
  std::string Config() const { return platform_->Config(folder_ / "kubeconfig"); }
  void StartAzexporter(const std::string& config, const std::vector<std::string>& more = {}) {
    azexporter_ = std::make_unique<AzexporterProcess>(folder_ / config, more);
    ASSERT_FALSE(azexporter_->url().empty());
  }

  base::SystemClock clock_;
  const TempFolder folder_;
  std::unique_ptr<platform::Platform> platform_;
  std::unique_ptr<AzexporterProcess> azexporter_;
};

}  // namespace azexporter::test
