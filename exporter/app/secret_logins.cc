#include "secret_logins.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "azexporter/base/mutex.h"
#include "azexporter/base/text.h"
#include "azexporter/kube/secrets.h"

namespace azexporter::app {
namespace {

using base::ErrorCode;
using base::Fail;
using base::Result;
using db::Login;

constexpr std::int64_t kNsPerMs = 1'000'000;

// Asking again would change nothing: it is forbidden, not there, or not what it should be.
bool IsVerdict(const kube::ApiFailure& failure) {
  const bool unusable = failure.http_status == 0 && failure.error.code() == ErrorCode::kBadData;
  return unusable || failure.http_status == 403 || failure.http_status == 404;
}

kube::ApiResult<Login> LoginIn(const kube::StringMap& data, const SecretKeys& keys) {
  Login login;
  const std::pair<const std::string&, std::string&> parts[] = {{keys.user_key, login.user},
                                                               {keys.password_key, login.password}};
  for (const auto& [key, out] : parts) {
    if (key.empty() && &out == &login.user) continue;
    const std::string* value = kube::Find(data, key);
    if (value == nullptr) {
      return tl::unexpected<kube::ApiFailure>(
          {base::Error(ErrorCode::kBadData, "it has no key \"" + key + "\""), 0, 0});
    }
    // Written by hand it often ends with a line feed.
    out = base::Trim(*value, "\r\n");
  }
  return login;
}

class SecretLogin final : public db::LoginSource {
 public:
  SecretLogin(SecretKeys keys, std::shared_ptr<kube::ApiClient> client, const base::Clock& clock)
      : keys_(std::move(keys)), client_(std::move(client)), clock_(clock) {}

  Result<Login> Get(std::int64_t timeout_ms, std::stop_token stop) override {
    return Take(nullptr, timeout_ms, stop);
  }
  Result<Login> Renew(const Login& refused, std::int64_t timeout_ms,
                      std::stop_token stop) override {
    return Take(&refused, timeout_ms, stop);
  }

 private:
  // Who comes while another one reads waits for what that one finds.
  Result<Login> Take(const Login* refused, std::int64_t timeout_ms, const std::stop_token& stop) {
    {
      base::MutexLock lock(mu_);
      const bool free = read_.wait_for(mu_, stop, std::chrono::milliseconds(timeout_ms),
                                       [this]() AZX_REQUIRES(mu_) { return !reading_; });
      if (!free) return Fail(ErrorCode::kTimeout, Name() + ": not read in time");
      if (!IsDueLocked(refused)) return *kept_;
      reading_ = true;
    }
    kube::ApiResult<Login> found = Read(timeout_ms, stop);
    base::MutexLock lock(mu_);
    reading_ = false;
    read_.notify_all();
    // Who gave up says nothing of the Secret.
    if (stop.stop_requested()) return Fail(ErrorCode::kCanceled, Name() + ": not read");
    KeepLocked(std::move(found));
    return *kept_;
  }

  bool IsDueLocked(const Login* refused) const AZX_REQUIRES(mu_) {
    if (!kept_) return true;
    const std::int64_t age_ms = (clock_.SteadyNs() - read_ns_) / kNsPerMs;
    const bool useless = failed_ || !*kept_ || (refused != nullptr && **kept_ == *refused);
    return age_ms >= (useless ? SecretLogins::kRetryMs : SecretLogins::kFreshMs);
  }

  kube::ApiResult<Login> Read(std::int64_t timeout_ms, const std::stop_token& stop) const {
    if (client_ == nullptr) {
      return tl::unexpected<kube::ApiFailure>(
          {base::Error(ErrorCode::kBadData, "there is no API server to read it from"), 0, 0});
    }
    const auto data = kube::ReadSecret(*client_, keys_.ns, keys_.name,
                                       std::max<std::int64_t>(1, timeout_ms), stop);
    if (!data) return tl::unexpected(data.error());
    return LoginIn(*data, keys_);
  }

  void KeepLocked(kube::ApiResult<Login> found) AZX_REQUIRES(mu_) {
    read_ns_ = clock_.SteadyNs();
    failed_ = !found;
    if (found) {
      kept_ = std::move(*found);
    } else if (IsVerdict(found.error()) || !kept_ || !*kept_) {
      kept_ = Fail(found.error().error.WithContext(Name()));
    }
  }

  std::string Name() const { return "Secret " + keys_.ns + "/" + keys_.name; }

  // constant after construction
  const SecretKeys keys_;
  const std::shared_ptr<kube::ApiClient> client_;  // null: none
  const base::Clock& clock_;
  // own synchronisation
  base::CondVar read_;
  // guarded by mu_
  base::Mutex mu_;
  bool reading_ AZX_GUARDED_BY(mu_) = false;
  std::optional<Result<Login>> kept_ AZX_GUARDED_BY(mu_);
  bool failed_ AZX_GUARDED_BY(mu_) = false;       // the last time it was read
  std::int64_t read_ns_ AZX_GUARDED_BY(mu_) = 0;  // when that was
};

}  // namespace

std::shared_ptr<db::LoginSource> SecretLogins::Of(const SecretKeys& keys) {
  std::shared_ptr<db::LoginSource>& source = sources_[keys];
  if (source == nullptr) source = std::make_shared<SecretLogin>(keys, client_, clock_);
  return source;
}

void SecretLogins::ForgetUnused() {
  std::erase_if(sources_, [](const auto& entry) { return entry.second.use_count() == 1; });
}

std::string SecretName(std::string name, std::string_view cluster) {
  constexpr std::string_view kPlace = "{cluster}";
  for (std::size_t at = name.find(kPlace); at != name.npos; at = name.find(kPlace, at)) {
    name.replace(at, kPlace.size(), cluster);
    at += cluster.size();
  }
  return name;
}

}  // namespace azexporter::app
